"""The shipped list: every pair of it resolves, and it is what the script makes of its source."""

import gzip
import json
import os
import subprocess
import sys
import unicodedata
import zipfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from routing.data import rebuild
from routing.territory import communes, department_of_insee, resolve

ROOT = Path(__file__).resolve().parents[3]
PAIRS = [(code, commune) for code, found in communes().items() for commune in found]


def _spellings(name: str) -> Iterator[str]:
    """The name as it is, and as people type it."""
    bare = "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
    short = bare.replace("Saint-", "St ").replace("Sainte-", "Ste ")
    yield from (name, name.upper(), name.lower(), unicodedata.normalize("NFD", name))
    yield from (bare, bare.upper(), short, short.upper())
    yield name.replace("-", " ").replace("'", " ")
    yield name.replace("'", "’").replace("-", "‑")
    yield from (f"{short.upper()} CEDEX 08", f" {name}  Cedex")


def test_the_list_has_its_known_size() -> None:
    assert len(communes()) == 6310
    assert len({commune.insee for _, commune in PAIRS}) == 35009
    assert len(PAIRS) == 35539


def test_every_pair_of_the_list_resolves_however_it_is_typed() -> None:
    wrong = [
        (code, spelling)
        for code, commune in PAIRS
        for spelling in _spellings(commune.name)
        if resolve(code, spelling).department != commune.department
    ]
    assert wrong == []


def test_a_code_alone_is_ambiguous_exactly_where_the_list_says_so() -> None:
    for code, found in communes().items():
        expected = {commune.department for commune in found}
        answer = resolve(code)
        assert set(answer.candidates) == expected
        assert answer.ambiguous == (len(expected) > 1)
        assert not answer.by_prefix


def test_sixteen_codes_are_shared_and_four_contradict_their_first_digits() -> None:
    shared = {code for code in communes() if resolve(code).ambiguous}
    assert len(shared) == 16
    contrary = {
        code
        for code, found in communes().items()
        if code not in shared and not code.startswith(_prefix(found[0].department))
    }
    assert contrary == {"94390", "97133", "97150", "98799"}


def _prefix(department: str) -> str:
    return "20" if department in {"2A", "2B"} else department


def test_the_communes_own_codes_name_the_same_department() -> None:
    wrong = [c for _, c in PAIRS if department_of_insee(c.insee) != c.department]
    assert wrong == []


def test_the_data_says_where_it_comes_from_and_is_compact() -> None:
    data = files("routing.data")
    origin = json.loads(data.joinpath(rebuild.TERRITORY).read_bytes())["origin"]
    packed = data.joinpath(rebuild.COMMUNES).read_bytes()
    head = gzip.decompress(packed).decode().splitlines()[0]
    assert origin == {"name": rebuild.SOURCE, "version": "6.0.0", "license": "MIT"}
    assert head.startswith(f"# {rebuild.SOURCE} 6.0.0 (MIT)")
    assert f"version {origin['version']}" in data.joinpath("README.md").read_text("utf-8")
    assert len(packed) < 400_000


def test_the_shipped_files_are_what_the_script_makes_of_the_package() -> None:
    folder = os.environ.get("TERRITORY_PACKAGE")
    if folder is None:
        pytest.skip("TERRITORY_PACKAGE does not name an unpacked npm package")
    package = rebuild.read(Path(folder))
    data = files("routing.data")
    assert data.joinpath(rebuild.TERRITORY).read_text("utf-8") == rebuild.territory(package)
    packed = data.joinpath(rebuild.COMMUNES).read_bytes()
    assert gzip.decompress(packed).decode() == rebuild.communes(package)


def test_the_wheel_carries_the_data(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"routing/data/{rebuild.TERRITORY}", f"routing/data/{rebuild.COMMUNES}"} <= set(names)


def _package(folder: Path, name: str = rebuild.SOURCE) -> Path:
    """A package of two communes that share a postal code, one of them merged from two."""
    commune = {"departement": "24", "type": "commune-actuelle", "codesPostaux": ["33220"]}
    merged = {"departement": "24", "type": "commune-deleguee", "chefLieu": "24335"}
    content: dict[str, object] = {
        "package.json": {"name": name, "version": "1.2.3", "license": "MIT"},
        "data/regions.json": [{"code": "75", "nom": "Nouvelle-Aquitaine"}],
        "data/departements.json": [
            {"code": "33", "nom": "Gironde", "region": "75"},
            {"code": "24", "nom": "Dordogne", "region": "75"},
        ],
        "data/communes.json": [
            {"code": "33324", "nom": "Pineuilh", **commune, "departement": "33"},
            {"code": "24335", "nom": "Port-Sainte-Foy-et-Ponchapt", **commune},
            {"code": "33999", "nom": "Ponchapt", **merged},
        ],
    }
    (folder / "data").mkdir()
    for path, rows in content.items():
        (folder / path).write_text(json.dumps(rows), encoding="utf-8")
    return folder


def test_rebuilding_gives_the_same_files_twice(tmp_path: Path) -> None:
    package = rebuild.read(_package(tmp_path))
    rebuild.write(package, tmp_path)
    first = [(tmp_path / name).read_bytes() for name in (rebuild.TERRITORY, rebuild.COMMUNES)]
    rebuild.write(package, tmp_path)
    again = [(tmp_path / name).read_bytes() for name in (rebuild.TERRITORY, rebuild.COMMUNES)]
    assert first == again
    assert json.loads(first[0]) == {
        "origin": {"name": rebuild.SOURCE, "version": "1.2.3", "license": "MIT"},
        "regions": {"75": "Nouvelle-Aquitaine"},
        "departments": {
            "24": {"name": "Dordogne", "region": "75"},
            "33": {"name": "Gironde", "region": "75"},
        },
        "moved_communes": {"33999": "24"},
        "postal_codes": {"24": "33220", "33": "33220"},
        "shared_codes": {
            "33220": {"24": ["Ponchapt", "Port-Sainte-Foy-et-Ponchapt"], "33": ["Pineuilh"]}
        },
    }
    assert gzip.decompress(first[1]).decode().splitlines() == [
        f"# {rebuild.SOURCE} 1.2.3 (MIT): insee, department, name, postal codes",
        "24335\t24\tPort-Sainte-Foy-et-Ponchapt\t33220",
        "33324\t33\tPineuilh\t33220",
    ]


def test_another_package_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rebuild.main([str(_package(tmp_path, name="left-pad"))]) == 2
    assert rebuild.SOURCE in capsys.readouterr().err


@pytest.mark.parametrize("broken", ["not JSON", "[1]", '[{"code": "75"}]'])
def test_a_file_of_another_shape_is_named(
    broken: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _package(tmp_path) / "data" / "communes.json"
    path.write_text(broken, encoding="utf-8")
    assert rebuild.main([str(tmp_path)]) == 2
    assert str(path) in capsys.readouterr().err


def test_a_missing_folder_or_argument_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rebuild.main([str(tmp_path)]) == 2
    assert "package.json" in capsys.readouterr().err
    assert rebuild.main([]) == 2
    assert "usage" in capsys.readouterr().err
