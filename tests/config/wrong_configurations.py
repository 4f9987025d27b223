"""The wrong configurations: each is a patch on `valid/`, and what the check prints for it.

A file of `wrong/` is a list of cases. A case is one edit, or `edits`, a list of them:

- `at: FILE:LINE` with `replace` and `by`, `insert` (before that line) or `remove`;
- `at: FILE` with `text` (the whole file) or `encoding` (the valid text in that encoding).

`found` are the lines of the check.
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

VALID = Path(__file__).resolve().parent / "valid"
WRONG = VALID.parent / "wrong"


@dataclass(frozen=True)
class WrongConfiguration:
    name: str
    edits: tuple[Mapping[str, str], ...]
    found: tuple[str, ...]

    @property
    def files(self) -> set[str]:
        """The names of the files that are edited."""
        return {edit["at"].partition(":")[0] for edit in self.edits}

    @property
    def codes(self) -> set[str]:
        """The codes of what is found."""
        return {line.split(" ")[1].rstrip(":") for line in self.found}

    def write(self, directory: Path) -> Path:
        """The valid configuration with this mistake, in `directory`."""
        shutil.copytree(VALID, directory, dirs_exist_ok=True)
        # From the last edit of a file to its first: the lines are those of the valid one.
        for edit in reversed(self.edits):
            _apply(directory, edit)
        return directory


def _apply(directory: Path, edit: Mapping[str, str]) -> None:
    name, _, line = edit["at"].partition(":")
    path = directory / name
    text = edit.get("text", path.read_text())
    if line:
        old = edit.get("replace", edit.get("remove", ""))
        start = sum(len(each) for each in text.splitlines(keepends=True)[: int(line) - 1])
        place = text.index(old, start)
        assert text.count("\n", start, place) == 0, f"{edit['at']} does not hold {old!r}"
        new = edit.get("by", edit.get("insert", ""))
        text = text[:place] + new + text[place + len(old) :]
    path.write_bytes(text.encode(edit.get("encoding", "utf-8")))


def _cases() -> Iterator[WrongConfiguration]:
    for path in sorted(WRONG.glob("*.yaml")):
        case: dict[str, Any]
        for case in yaml.safe_load(path.read_text()):
            name, found = case.pop("case"), case.pop("found")
            edits = case.get("edits", [case])
            yield WrongConfiguration(name, tuple(edits), tuple(found.splitlines()))


CASES = {case.name: case for case in _cases()}
each_wrong_configuration = pytest.mark.parametrize("wrong", CASES.values(), ids=CASES.keys())
