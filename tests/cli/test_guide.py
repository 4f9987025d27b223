"""The admin's guide, followed to the letter: each edit is made, each command run, in its order."""

import fnmatch
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.main import build
from config.diagnostics import Code
from simulator import Server, SimulatedForm
from simulator.form import STUDENT
from tests.fixtures.compose_file import services
from tests.fixtures.harness import PARIS_FORM, Harness
from tests.fixtures.processes import ROOT, wif_shows

GUIDE = ROOT / "docs" / "guide-admin.md"
DOSSIER = 1204
TODAY = 120001
"""The procedure that the guide takes into service."""
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of the guide: its language, its lines, and the line on which it begins."""

    language: str
    lines: list[str]
    line: int


def blocks() -> Iterator[Block]:
    text = GUIDE.read_text()
    for match in _BLOCK.finditer(text):
        yield Block(match[1], match[2].splitlines(), text[: match.start()].count("\n") + 1)


def commands(block: Block) -> Iterator[tuple[str, list[str]]]:
    """Each command of a block with the lines that the guide shows below it."""
    for at, line in enumerate(block.lines):
        if line.startswith("$ "):
            shown = []
            for other in block.lines[at + 1 :]:
                if other.startswith("$ "):
                    break
                shown.append(other)
            yield line.removeprefix("$ "), shown


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@dataclass(frozen=True)
class Desk:
    """An admin's desk: the shipped files, and settings of a service with two dossiers."""

    folder: Path
    environment: dict[str, str]

    def type(self, command: str) -> list[str]:
        """What a command prints on both streams."""
        words = shlex.split(command)
        at = words.index("wif")
        given = dict(word.split("=", 1) for word in words[:at])
        shown = wif_shows(self.folder, *words[at + 1 :], **self.environment, **given)
        return [line.rstrip() for line in shown.splitlines()]


@pytest.fixture
def desk(harness: Harness, tps: Server, tmp_path: Path) -> Desk:
    form = harness.form(PARIS_FORM)
    harness.tps.add(
        form, number=DOSSIER, filed_at=harness.now, permit_type="doctorat", department="93"
    )
    harness.file(permit_type="apprentissage", department="67")
    harness.tps.open(SimulatedForm(TODAY, None, STUDENT))
    harness.run()
    shutil.copytree(ROOT / "config", tmp_path / "desk" / "config")
    environment = {
        "WIF_TPS_URL": tps.url,
        "WIF_TPS_TOKEN": tps.simulator.token,
        "WIF_DATABASE_URL": harness.runtime.settings.database,
        "WIF_VAR_DIR": str(harness.runtime.settings.var_dir),
        "WIF_OUTBOX_DIR": str(harness.outbox),
        "WIF_CONFIG_DIR": "config",
        "WIF_LANG": "fr",
    }
    return Desk(tmp_path / "desk", environment)


def apply(folder: Path, block: Block) -> None:
    """Make the edit that a diff shows, at the only place where it can be made."""
    name = next(line for line in block.lines if line.startswith("+++ ")).removeprefix("+++ ")
    body = [line for line in block.lines if not line.startswith(("+++", "---"))]
    old = "".join(f"{line[1:]}\n" for line in body if not line.startswith("+"))
    new = "".join(f"{line[1:]}\n" for line in body if not line.startswith("-"))
    path = folder / name
    text = path.read_text()
    assert text.count(old) == 1, f"the edit on line {block.line} of the guide has no one place"
    path.write_text(text.replace(old, new))


def test_the_guide_can_be_followed_to_the_letter(desk: Desk) -> None:
    ran = []
    for block in blocks():
        if block.language == "diff":
            apply(desk.folder, block)
        for command, shown in commands(block):
            printed = desk.type(command)
            ran.append(command)
            assert not any("Traceback" in line for line in printed), printed
            _assert_shown(command, shown, printed)

    assert set(re.findall(r"wif rules (\w+)", "\n".join(ran))) == {
        *("check", "coverage", "diff", "explain", "simulate", "publish", "history", "rollback")
    }
    assert (desk.folder / "couverture.html").read_text().startswith("<!DOCTYPE html>")


def _assert_shown(command: str, shown: list[str], printed: list[str]) -> None:
    """Each line that the guide shows is printed, in that order; `…` stands for anything."""
    rest = iter(printed)
    for line in shown:
        pattern = re.sub(r"([\[\]?*])", r"[\1]", line).replace("…", "*")
        assert any(fnmatch.fnmatchcase(found, pattern) for found in rest), (
            f"{command!r} does not print {line!r} but {printed}"
        )


def test_what_the_guide_types_needs_no_knowledge_of_a_shell() -> None:
    typed = [command for block in blocks() for command, _ in commands(block)]
    assert [each for each in typed if re.search(r"[|;<>$&]|\b(grep|sed|echo|head)\b", each)] == []


def test_the_guide_types_docker_commands_where_there_is_such_a_service() -> None:
    named = re.findall(r"docker compose (?:run --rm|exec) (\S+) (?:wif )?", GUIDE.read_text())
    assert set(named) == {"wif", "worker"}
    assert (
        set(named)
        <= services({"WIF_TPS_URL": "https://tps.example", "WIF_MAIL_FROM": "a@b"}).keys()
    )


def test_the_guide_explains_every_filter_of_the_list_of_dossiers() -> None:
    listing: Any = build("dossiers").commands["dossiers"]
    options = {each.opts[0] for each in listing.commands["list"].params}
    assert {each for each in options if f"`{each}" not in GUIDE.read_text()} == set()


def test_the_guide_explains_every_code() -> None:
    explained = re.findall(r"^\| `([a-z][a-z0-9-]+)` \|", GUIDE.read_text(), re.MULTILINE)

    assert explained == [code.value for code in Code]


def test_the_dossier_of_the_guide_is_the_one_of_this_test() -> None:
    assert f"wif rules explain {PARIS_FORM}/{DOSSIER}" in GUIDE.read_text()
