"""A YAML file as a tree in which every scalar knows its line and column.

Only the part of YAML that means the same to every reader is accepted: no aliases, no
tags, one document, and no unquoted scalar that one reader takes for text and another
for a number, a truth value or an hour (`01`, `NO`, `12:30`).
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from config.diagnostics import Code, Diagnostic, shorten
from config.files import read_regular

LARGEST_FILE = 2_000_000
"""In bytes. The shipped files have some 10 kB; one of this size takes half a minute to read."""

DEEPEST = 40
"""Levels of nesting. Real files have seven."""

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_LONG_NUMBER = re.compile(r"[-+]?[0-9_]{19,}")
_BLANKS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2007": " "})
_QUOTED = re.compile(
    "[\u201c\u201d\u201e\u00ab\u2018\u201a\u2039]\\s*([^\n]*?)"
    "\\s*[\u201c\u201d\u00bb\u2019\u2018\u203a]"
    "|[\u201c\u201d\u201e]([^\n]*)|([^\n]*)[\u201c\u201d]"
)
"""A scalar in quotes that YAML does not know, or with one of a pair."""

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_AMBIGUOUS = re.compile(
    r"""(?ix)
    y|n|yes|no|on|off|true|false                      # truth values, to some
    |[-+]?[0-9][0-9_]*                                # 01 is 1 to some, and 1_000 is 1000
    |[-+]?(0x[0-9a-f_]+|0o?[0-7_]+|0b[01_]+)
    |[-+]?(\.[0-9_]+|[0-9][0-9_]*\.[0-9_]*)(e[-+]?[0-9]+)?
    |[-+]?[0-9][0-9_]*e[-+]?[0-9]+                    # 2e5
    |[-+]?\.(inf|nan)
    |[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?     # 12:30 is 750 to some
    |[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(t|[ \t]+)[0-9].*  # an hour after a date
    |=
    """
)


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A scalar as it is written. Lines and columns count from 1."""

    text: str
    plain: bool
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list."""

    line: int
    column: int
    items: list["Node"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MapNode:
    """A mapping: for each key where it stands, and its value."""

    line: int
    column: int
    keys: dict[str, ScalarNode] = field(default_factory=dict)
    values: dict[str, "Node"] = field(default_factory=dict)


Node = ScalarNode | ListNode | MapNode

Path_ = Sequence[str | int]
"""Keys and positions that lead from a node to one below it."""


def read_tree(path: Path, mistakes: list[Diagnostic]) -> Node | None:
    """The content of the file, None when it cannot be used at all.

    Whatever is wrong is added to `mistakes`; never raises for what the file contains.
    """
    builder = _Builder(str(path), mistakes)
    noted = len(mistakes)
    text = builder.text(path)
    if text is None:
        return None
    try:
        return builder.document(YAML(typ="safe", pure=True).parse(text))
    except MarkedYAMLError as error:
        builder.refuse_syntax(text, error)
    except ReaderError as error:
        line, column = _position(text, error.position)
        builder.refuse(
            Code.CONTROL_CHARACTER, (line, column), "", "a character YAML does not allow"
        )
    except (_Unusable, ValueError, OverflowError):
        if len(mistakes) == noted:
            builder.refuse(Code.SYNTAX, (1, 1), "", "is not YAML")
    return None


def plain(node: Node) -> Any:  # noqa: ANN401
    """The tree without its positions, as JSON's types. Dates stay text."""
    match node:
        case MapNode():
            return {key: plain(value) for key, value in node.values.items()}
        case ListNode():
            return [plain(item) for item in node.items]
        case ScalarNode(text, True) if text in _NULL:
            return None
        case ScalarNode(text, True) if _INTEGER.fullmatch(text):
            return int(text)
        case ScalarNode(text, True) if text in {"true", "false"}:
            return text == "true"
    return node.text


def find(node: Node, path: Path_) -> Node:
    """The node that `path` leads to, or the last one on its way that exists.

    Parts of the path that name no key and no position (the schema's own) are skipped.
    """
    for part in path:
        if isinstance(node, MapNode) and isinstance(part, str) and part in node.values:
            node = node.values[part]
        elif isinstance(node, ListNode) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
    return node


def scalars(node: Node) -> Iterator[ScalarNode]:
    """Every scalar below `node` that is not a key, in order."""
    match node:
        case MapNode():
            for value in node.values.values():
                yield from scalars(value)
        case ListNode():
            for item in node.items:
                yield from scalars(item)
        case ScalarNode():
            yield node


class _Unusable(Exception):
    """The rest of the file cannot be read; the mistake has been noted."""


class _Builder:
    """Makes the tree from the events of the parser, and notes what is not accepted."""

    def __init__(self, file: str, mistakes: list[Diagnostic]) -> None:
        self.file = file
        self.mistakes = mistakes

    def refuse(
        self,
        code: Code,
        place: tuple[int, int],
        text: str,
        message: str,
        proposal: str | None = None,
    ) -> None:
        self.mistakes.append(
            Diagnostic(
                file=self.file,
                line=place[0],
                column=place[1],
                code=code,
                text=shorten(text),
                message=message,
                proposal=proposal,
            )
        )

    def refuse_syntax(self, text: str, error: MarkedYAMLError) -> None:
        problem, began = error.problem or error.context or "", error.context_mark
        mark = error.problem_mark or began
        if mark is None or (began is not None and "end of stream" in problem):
            mark = began  # a quote that is never closed: where it opens, not where the file ends
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        lines = text.splitlines()
        here = lines[line - 1] if line <= len(lines) else ""
        if "\t" in here[: len(here) - len(here.lstrip())] or here[column - 1 : column] == "\t":
            at = here.index("\t") + 1
            self.refuse(Code.TAB, (line, at), here.strip(), "is indented with a tab", "use spaces")
            return
        since = f", in what begins on line {began.line + 1}" if began else ""
        message, proposal = f"is not YAML: {problem}{since}", _advice(problem, here, column, began)
        self.refuse(Code.SYNTAX, (line, column), here.strip(), message, proposal)

    def text(self, path: Path) -> str | None:
        """The file's text without a byte order mark, None when it cannot be had."""
        try:
            content = read_regular(path, most=LARGEST_FILE + 1, below=path.parent)
        except OSError as error:
            why = error.strerror or "cannot be read"
            self.refuse(Code.UNREADABLE, (1, 1), "", f"cannot be read: {why}")
            return None
        if len(content) > LARGEST_FILE:
            self.refuse(Code.TOO_LARGE, (1, 1), "", f"has more than {LARGEST_FILE} bytes")
            return None
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line, column = _position(content[: error.start].decode(errors="replace"), error.start)
            self.refuse(Code.NOT_UTF8, (line, column), "", "is not UTF-8", "save the file as UTF-8")
            return None
        return text

    def document(self, events: Iterator[Event]) -> Node:
        """The only document of the stream."""
        node: Node | None = None
        for event in events:
            if isinstance(event, DocumentStartEvent) and node is not None:
                self._refuse_at(event, Code.SEVERAL_DOCUMENTS, "begins a second document")
                raise _Unusable
            if isinstance(event, NodeEvent):
                node = self.node(event, events, 0)
        if node is None or (isinstance(node, ScalarNode) and node.plain and node.text in _NULL):
            self.mistakes.clear()
            self.refuse(Code.EMPTY_FILE, (1, 1), "", "is empty")
            raise _Unusable
        return node

    def node(self, event: Event, events: Iterator[Event], depth: int) -> Node:
        """The node that begins with `event`."""
        if depth > DEEPEST:
            self._refuse_at(event, Code.TOO_DEEP, f"is nested more than {DEEPEST} levels deep")
            raise _Unusable
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            self._refuse_at(event, Code.ALIAS, "is an anchor or an alias", "write the value out")
            raise _Unusable
        if getattr(event, "tag", None):
            self._refuse_at(event, Code.TAG, "has a YAML tag", "write the value without it")
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        match event:
            case MappingStartEvent():
                return self._map(MapNode(line, column), events, depth)
            case SequenceStartEvent():
                found = ListNode(line, column)
                for item in _until(events, SequenceEndEvent):
                    found.items.append(self.node(item, events, depth + 1))
                return found
            case ScalarEvent():
                return self._scalar(ScalarNode(event.value, not event.style, line, column))
        raise _Unusable

    def _map(self, found: MapNode, events: Iterator[Event], depth: int) -> MapNode:
        for event in _until(events, MappingEndEvent):
            key = self._key(self.node(event, events, depth + 1))
            value = self._value(key, next(events), events, depth)
            if not isinstance(key, ScalarNode):
                self.refuse(Code.WRONG_TYPE, (key.line, key.column), "", "cannot be a key")
            elif key.text in found.keys:
                first = found.keys[key.text].line
                message = f"stands here for the second time, first on line {first}"
                self.refuse(Code.DUPLICATE_KEY, (key.line, key.column), key.text, message)
            else:
                found.keys[key.text] = key
                found.values[key.text] = value
        return found

    def _key(self, key: Node) -> Node:
        """A key without the blanks of French typography, which are refused."""
        if not isinstance(key, ScalarNode) or key.text == _tidy(key.text):
            return key
        tidy = _tidy(key.text)
        message = "holds a no-break space or typographic quotes"
        place = (key.line, key.column)
        self.refuse(Code.TYPOGRAPHY, place, tidy, message, f"write `{tidy}:`, with plain blanks")
        return replace(key, text=tidy)

    def _value(self, key: Node, event: Event, events: Iterator[Event], depth: int) -> Node:
        """The value of `key`. One that is missing stands where the key does."""
        if isinstance(event, ScalarEvent) and not event.value and not event.style:
            return self._scalar(ScalarNode("", True, key.line, key.column))  # noqa: FBT003
        return self.node(event, events, depth + 1)

    def _scalar(self, node: ScalarNode) -> ScalarNode:
        if any(map(_is_unprintable, node.text)):
            self.refuse(
                Code.CONTROL_CHARACTER, (node.line, node.column), "", "holds an invisible character"
            )
        elif node.plain and _LONG_NUMBER.fullmatch(node.text):
            message = "has more digits than any number here"
            self.refuse(Code.WRONG_VALUE, (node.line, node.column), node.text, message)
        elif node.plain and (quoted := _QUOTED.fullmatch(node.text)):
            message = "has typographic quotes, which become part of the text"
            proposal = (
                f'write "{shorten(next(filter(None, quoted.groups()), ""))}", in straight quotes'
            )
            self.refuse(Code.TYPOGRAPHY, (node.line, node.column), node.text, message, proposal)
        elif node.plain and node.text in _NULL:
            message, proposal = "a value is missing here", "give one, or remove the key"
            self.refuse(Code.EMPTY_VALUE, (node.line, node.column), "", message, proposal)
        elif node.plain and node.text == "<<":
            message, proposal = "merges a mapping into this one", "write the keys out"
            self.refuse(Code.ALIAS, (node.line, node.column), node.text, message, proposal)
        elif node.plain and _is_ambiguous(node.text):
            message = "is not text to every reader of YAML"
            proposal = f'write "{shorten(node.text)}", in quotes'
            self.refuse(
                Code.AMBIGUOUS_SCALAR, (node.line, node.column), node.text, message, proposal
            )
        return node

    def _refuse_at(
        self, event: Event, code: Code, message: str, proposal: str | None = None
    ) -> None:
        mark = event.start_mark
        text = getattr(event, "anchor", None) or getattr(event, "tag", None) or ""
        self.refuse(code, (mark.line + 1, mark.column + 1), str(text), message, proposal)


def _advice(problem: str, here: str, column: int, began: StringMark | None) -> str | None:
    """What to write instead, for the two slips that admins make most."""
    key, colon, value = here.strip().removeprefix("- ").partition(":")
    if "mapping values" in problem and colon and ": " in value:
        plain_value = value.strip().replace('"', "'")
        return f'put the whole value in quotes: {key}: "{shorten(plain_value)}"'
    if "mapping values" in problem and colon:
        return "begin it in the same column as the other keys, or put the value before it in quotes"
    if "block" in problem and began is not None and began.column + 1 != column:
        return f"begin it in column {began.column + 1}, as what begins on line {began.line + 1}"
    return None


def _tidy(key: str) -> str:
    return key.translate(_BLANKS).strip(" \u201c\u201d\u201e\u00ab\u00bb\u2018\u2019")


def _until(events: Iterator[Event], end: type[Event]) -> Iterator[Event]:
    for event in events:
        if isinstance(event, end):
            return
        yield event


def _is_ambiguous(text: str) -> bool:
    if _INTEGER.fullmatch(text) or text in {"true", "false"}:
        return False
    return _AMBIGUOUS.fullmatch(text) is not None


def _is_unprintable(char: str) -> bool:
    """Control, bidirectional and unassigned characters; a line break of a folded text is none."""
    return char != "\n" and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn"}


def _position(text: str, at: int) -> tuple[int, int]:
    before = text[:at].splitlines(keepends=True) or [""]
    if before[-1].endswith(("\n", "\r")):
        return len(before) + 1, 1
    return len(before), len(before[-1]) + 1
