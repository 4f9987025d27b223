"""The map: every département once, and the shipped file is what the package gives."""

import json
import os
from importlib.resources import files
from pathlib import Path

import pytest

from routing.territory import departments
from web.stats import france
from web.stats.data import rebuild

WITHOUT_PEOPLE = {"984", "989"}


def test_every_department_where_people_live_is_on_the_map_once() -> None:
    drawn = france.draw({}, str)
    codes = [shape.code for shape in (*drawn.metropole, *drawn.overseas)]
    assert len(codes) == len(set(codes))
    assert set(codes) == departments().keys() - WITHOUT_PEOPLE


@pytest.mark.parametrize("values", [{}, {"75": 5}, {str(n): n for n in range(10, 95)}])
def test_each_value_has_the_shade_that_the_legend_gives_it(values: dict[str, int]) -> None:
    drawn = france.draw(values, str)
    assert len(drawn.legend) == min(france.SHADES, len(values)) + 1
    shades = {shape.code: shape.shade for shape in (*drawn.metropole, *drawn.overseas)}
    for code, shade in shades.items():
        assert (shade == 0) is (code not in values)
    assert max(shades.values()) == len(drawn.legend) - 1


def test_tips_name_the_place_and_never_a_hidden_number() -> None:
    drawn = france.draw({"75": 12}, str)
    tips = {shape.code: shape.tip for shape in drawn.metropole}
    assert (tips["75"], tips["2A"]) == ("Paris (75) : 12", "Corse-du-Sud (2A) : n. d.")


@pytest.mark.skipif("MAP_PACKAGE" not in os.environ, reason="MAP_PACKAGE names no index.js")
def test_the_shipped_map_is_what_the_script_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "HERE", tmp_path)
    rebuild.main(Path(os.environ["MAP_PACKAGE"]))
    shipped = files("web.stats.data").joinpath("map.json").read_text()
    assert json.loads((tmp_path / "map.json").read_text()) == json.loads(shipped)
