"""The lines of a file that is not YAML, what may be slipped on them, and trying a proposal."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from config.diagnostics import Code
from config.messages import tr

Place = tuple[int, int]

KEY = re.compile(r"( *)(- +)?([A-Za-z_]+):(?: |$)")
ITEM = re.compile(r"( *)(- +)")


@dataclass(frozen=True, slots=True)
class Slip:
    """A mistake in the text of a file, and what to write instead.

    Attributes:
        place: line and column, from 1.
        text: what stands there.
    """

    code: Code
    place: Place
    text: str
    message: str
    proposal: str | None


class Text:
    """The lines of a file, and the one on which its parser stopped."""

    def __init__(self, lines: list[str], line: int) -> None:
        self.lines = lines
        self.line = line
        self.here = lines[line - 1]
        self.above = self.before(line)

    def before(self, line: int) -> list[int]:
        """The lines with something on them before `line`."""
        return [at for at, each in enumerate(self.lines[: line - 1], 1) if each.strip(" \t")]

    def is_key(self, word: str) -> bool:
        """Whether a word is a key somewhere in the file."""
        found = (KEY.match(each) for each in self.lines)
        return any(each is not None and each[3] == word for each in found)

    def stands_elsewhere(self, key: str) -> bool:
        """Whether a key stands on another line, between braces too."""
        others = (each for at, each in enumerate(self.lines, 1) if at != self.line)
        return any(re.search(rf"(?:^|[\s{{]){key}: ", each) for each in others)

    def mends(self, by: Mapping[int, str]) -> bool:
        """Whether the file is read beyond where the parser stopped, with other lines in it."""
        lines = [by.get(at, each) for at, each in enumerate(self.lines, 1)]
        try:
            for _event in yaml.parse("\n".join(lines), yaml.CSafeLoader):
                pass
        except yaml.MarkedYAMLError as error:
            return error.problem_mark is not None and error.problem_mark.line + 1 > self.line
        except yaml.YAMLError:
            return False
        return True


def syntax(text: Text, line: int, problem: str, proposal: str, column: int | None = None) -> Slip:
    """A slip by which a line is no YAML."""
    here = text.lines[line - 1]
    place = line, column or len(here) - len(here.lstrip()) + 1
    message = tr("is not YAML: {problem}", problem=problem)
    return Slip(Code.SYNTAX, place, here.strip(), message, proposal)
