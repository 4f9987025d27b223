"""A command imports what it uses: help, completion and status start at a person's pace."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.main import COMMANDS, build
from tests.fixtures.processes import ROOT, clean_environment, wif

HEAVY = {"celery", "kombu", "requests", "redis", "ruamel.yaml", "alembic", "limits", "jinja2"}
LIBRARIES = {"sqlalchemy", "pydantic", "structlog"}

RUN = """
import json, os, sys
from cli.main import main
for line in sys.argv[1:]:
    if os.fork():
        os.wait()
        continue
    sys.argv = ["wif", *line.split()]
    try:
        main()
    except SystemExit:
        pass
    lazy = {name for name, module in sys.modules.items() if type(module).__name__ == "_LazyModule"}
    print("MODULES", json.dumps(sorted({*sys.modules} - lazy)), flush=True)
    os._exit(0)
"""


def loaded(folder: Path, *commands: str) -> list[set[str]]:
    """The modules that each of several commands loads by itself."""
    environment = clean_environment({"WIF_VAR_DIR": str(folder)})
    ran = subprocess.run(
        [sys.executable, "-c", RUN, *commands],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    shown = [line for line in ran.stdout.splitlines() if line.startswith("MODULES ")]
    return [set(json.loads(line.removeprefix("MODULES "))) for line in shown]


def test_help_and_version_load_no_library_of_the_service(tmp_path: Path) -> None:
    for modules in loaded(tmp_path, "--help", "--version"):
        assert modules & (HEAVY | LIBRARIES) == set()


def test_help_of_a_command_loads_nothing_that_only_the_command_needs(tmp_path: Path) -> None:
    after = loaded(tmp_path, *(f"{name} --help" for name in COMMANDS))
    # The parser itself needs pydantic for the types of options.
    heavy = [modules & (HEAVY | LIBRARIES - {"pydantic"}) for modules in after]
    assert {name: found for name, found in zip(COMMANDS, heavy, strict=True) if found} == {}


def test_a_command_loads_what_it_uses(tmp_path: Path) -> None:
    (checked,) = loaded(tmp_path, "rules check")
    assert "ruamel.yaml" in checked
    assert not checked & {"celery", "sqlalchemy", "requests", "redis", "alembic", "jinja2"}
    (listed,) = loaded(tmp_path, "dossiers list")
    assert "sqlalchemy" in listed
    assert not listed & {"celery", "requests", "limits", "jinja2"}


def test_status_loads_what_it_asks_and_no_client(tmp_path: Path) -> None:
    loaded(tmp_path, "status")  # makes the database, checks the rules
    assert loaded(tmp_path, "status")[0] & HEAVY == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_leads_to_them(name: str) -> None:
    assert set(build(name).commands) == set(COMMANDS)
    assert wif(name, "--help").returncode == 0


def test_the_version() -> None:
    assert wif("--version").stdout.startswith("wif ")


def test_completion_of_a_command(tmp_path: Path) -> None:
    environment = {
        **clean_environment({"WIF_VAR_DIR": str(tmp_path)}),
        "_WIF_COMPLETE": "complete_bash",
        "COMP_WORDS": "wif dossiers re",
        "COMP_CWORD": "2",
        "PATH": os.environ["PATH"],
    }
    ran = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv=['wif']; from cli.main import main; main()"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "reassign" in ran.stdout
