"""The exported schemas: in step with the code, and of the same mind about whole files."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from config.json_schemas import DIRECTORY, schema_name, schemas, write_schemas
from config.schema import FILES
from config.yaml_tree import plain, read_tree
from tests.config.wrong_configurations import CASES, VALID, WrongConfiguration

SHAPE = {
    "missing-key",
    "unknown-key",
    "wrong-type",
    "unquoted-code",
    "unknown-department",
    "department-label-disagrees",
    "lower-case-department",
    "unknown-region",
}


def _content(path: Path) -> Any:  # noqa: ANN401
    tree = read_tree(path, [])
    assert tree is not None
    return plain(tree)


def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schemas()[schema_name(name)]))


def test_the_shipped_schemas_are_those_of_the_code() -> None:
    shipped = {path.name: path.read_text() for path in DIRECTORY.iterdir()}

    assert shipped == schemas()


@pytest.mark.parametrize("name", FILES)
def test_a_schema_is_one_and_accepts_what_the_check_accepts(name: str) -> None:
    validator = _validator(name)
    Draft202012Validator.check_schema(validator.schema)

    for directory in (VALID, DIRECTORY.parent):
        assert list(validator.iter_errors(_content(directory / name))) == []


@pytest.mark.parametrize("name", FILES)
def test_each_shipped_file_points_its_editor_to_its_schema(name: str) -> None:
    first = (DIRECTORY.parent / name).read_text().splitlines()[0]
    prefix, _, target = first.partition("$schema=")

    assert prefix == "# yaml-language-server: "
    assert (DIRECTORY.parent / target).resolve() == DIRECTORY / schema_name(name)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(wrong, id=name)
        for name, wrong in CASES.items()
        if wrong.codes <= SHAPE and name != "complex-key"  # no JSON value has one
    ],
)
def test_an_editor_underlines_what_is_wrong_in_one_file_alone(
    wrong: WrongConfiguration, tmp_path: Path
) -> None:
    (name,) = wrong.files

    assert list(_validator(name).iter_errors(_content(wrong.write(tmp_path) / name)))


def test_schemas_can_be_written_elsewhere(tmp_path: Path) -> None:
    written = write_schemas(tmp_path / "made" / "here")

    assert {path.name: path.read_text() for path in written} == schemas()


def test_descriptions_are_for_admins() -> None:
    unit = json.loads(schemas()["units.json"])["$defs"]["UnitEntry"]

    assert unit["properties"]["closes"]["description"] == "Premier jour de fermeture."
    assert "description" not in unit
