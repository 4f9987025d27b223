"""Manual, JSON Schemas and exit codes: made from the commands, up to date, and complete."""

import ast
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli import exit_codes
from cli.json_documents.schemas import DOCUMENTS
from cli.main import COMMANDS, build
from release.reference import DOCS, pages

PAGES = dict(pages())
WITHOUT_JSON = {
    **dict.fromkeys(
        ("demo", "up", "worker", "beat", "ping", "serve", "tps-simulator"),
        "runs until it is stopped, or shows how it goes",
    ),
    **dict.fromkeys(("audit export", "audit seals export"), "writes JSON Lines of its own"),
    "audit prove": "prints JSON without being asked",
    **dict.fromkeys(
        ("audit seals public-key", "audit seals new-key", "audit seals endorse"),
        "keys are PEM files",
    ),
    "audit seals timestamps": "writes files for openssl",
}
"""Commands that take no --json, and why."""


def commands() -> Iterator[tuple[str, Any]]:
    """Every command with its path below `wif`."""
    for name in COMMANDS:
        command: Any = build(name).commands[name]
        yield from _below(name, command)


def _below(path: str, command: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    if not hasattr(command, "commands"):
        yield path, command
    for name, each in getattr(command, "commands", {}).items():
        yield from _below(f"{path} {name}", each)


def takes_json(command: Any) -> bool:  # noqa: ANN401
    return any("--json" in parameter.opts for parameter in command.params)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_is_what_the_commands_say(name: Path) -> None:
    there = (DOCS / name).read_text(encoding="utf-8")
    assert there == PAGES[name], "run `make reference`"


def test_no_schema_is_left_of_a_command_that_is_gone() -> None:
    assert {path.name for path in (DOCS / "schemas").glob("wif-*.json")} == {
        name.name for name in PAGES if name.parent == Path("schemas")
    }


def test_every_command_with_json_has_a_schema_and_every_other_a_reason() -> None:
    found = {path: takes_json(command) for path, command in commands()}
    assert {path for path, takes in found.items() if takes} == {*DOCUMENTS} - {"audit prove"}
    assert {path for path, takes in found.items() if not takes} == {*WITHOUT_JSON}


def test_every_command_and_option_is_in_the_manual() -> None:
    manual = PAGES[Path("wif.1")].replace("\\-", "-")
    for path, command in commands():
        assert f".SS wif {path}" in manual
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.opts != ["--help"]:
                assert parameter.opts[0] in manual, path


@pytest.mark.skipif(shutil.which("groff") is None, reason="apt-get install groff")
def test_the_manual_is_sound(tmp_path: Path) -> None:
    page = tmp_path / "wif.1"
    page.write_text(PAGES[Path("wif.1")], encoding="utf-8")
    command = ["groff", "-man", "-ww", "-Kutf8", "-Tutf8", str(page)]
    made = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]}
    )
    assert made.stderr == ""
    assert "EXIT STATUS" in made.stdout or "E\bEX" in made.stdout or "\x1b[1mEXIT" in made.stdout


def codes_in(source: str) -> Iterator[int]:
    """The exit codes that a module of commands may end with."""
    tree = ast.parse(source)
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            given = [each.value for each in node.keywords if each.arg == "code"]
            if ast.unparse(node.func) in {"typer.Exit", "sys.exit", "_end"}:
                given += node.args[-1:]
            for value in given:
                found = constants.get(value.id) if isinstance(value, ast.Name) else None
                found = value.value if isinstance(value, ast.Constant) else found
                if isinstance(found, int):
                    yield found


def test_every_code_that_a_command_ends_with_is_in_the_table() -> None:
    used = {
        code
        for path in (DOCS.parent / "cli").rglob("*.py")
        for code in codes_in(path.read_text(encoding="utf-8"))
    }
    assert used == {*exit_codes.EXIT_CODES} - {0} | ({0} & used)


def test_what_single_commands_say_is_of_known_commands_and_codes() -> None:
    known = dict(commands())
    for command, meanings in exit_codes.OF_COMMANDS.items():
        assert command in known
        assert {*meanings} <= {*exit_codes.EXIT_CODES}
