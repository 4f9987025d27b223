"""Makes a tree from the events of a YAML parser, and notes what is not accepted."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from config.diagnostics import Code, Diagnostic, shorten
from config.french_words import TRUTHS
from config.messages import tr
from config.yaml_nodes import INTEGER, NULL, ListNode, MapNode, Node, ScalarNode
from config.yaml_slips import BLANKS, glued

DEEPEST = 40
"""Levels of nesting. Real files have seven."""

Event = Any
"""An event of libyaml's parser or of ruamel's: they have the same names."""

_LONG_NUMBER = re.compile(r"[-+]?[0-9_]{19,}")
_BLANKS = str.maketrans(dict.fromkeys(BLANKS, " "))
_OPENING = "\u201c\u201d\u201e\u00ab\u2018\u2019\u201a\u2039"
_CLOSING = "\u201c\u201d\u00bb\u2018\u2019\u203a"
_QUOTED = re.compile(
    f"[{_OPENING}]\\s*([^\n]*?)\\s*[{_CLOSING}]|[\u201c\u201d\u201e]([^\n]*)|([^\n]*)[\u201c\u201d]"
)
"""A scalar in quotes that YAML does not know, or with one of a pair."""

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
_LOST = re.compile(r"[^\W\d_]\?[^\W\d_]")
"""A question mark in place of an accented letter."""

_ADDRESS = re.compile(r"://|\.[a-z]{2,}/\S{0,200}\?|\?[\w.-]+=")
"""What holds a question mark by right, with or without `https://`."""

_READ_AS_LATIN = re.compile("[\u00c2\u00c3].|\u00e2\u20ac.")
"""UTF-8 that was read as Windows-1252, as in `dÃ©partement`."""

_MEANT_NUMBER = re.compile(r"0*([1-9][0-9]{3,}|[1-9][0-9]*(?:_[0-9]+)+)(?:\.0*)?")
"""A number of a procedure as a spreadsheet writes it."""

_WORD = re.compile(r"[A-Za-z]{6}")
"""How most scalars begin, and none that is refused."""


class UnreadableYaml(Exception):
    """The rest of the file cannot be read; the mistake has been noted."""


class Builder:
    """Builds the tree of one file.

    Args:
        file: path as it is shown.
        mistakes: takes what is not accepted.
    """

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
        """Note a mistake at a line and column."""
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

    def forget(self, line: int) -> None:
        """Leave out what was noted on a line, and a value that is missing before it."""
        self.mistakes[:] = [
            each
            for each in self.mistakes
            if each.file != self.file
            or not (each.line == line or (each.code, each.line) == (Code.EMPTY_VALUE, line - 1))
        ]

    def document(self, events: Iterator[Event]) -> Node:
        """The only document of the stream.

        Raises:
            UnreadableYaml: there is none, or it cannot be read to its end.
        """
        node: Node | None = None
        for event in events:
            if _kind(event) == "DocumentStartEvent" and node is not None:
                message = tr("begins a second document")
                self.refuse(Code.SEVERAL_DOCUMENTS, _place(event), "", message)
                raise UnreadableYaml
            if hasattr(event, "anchor"):
                node = self._node(event, events, 0)
        if node is None or (isinstance(node, ScalarNode) and node.plain and node.text in NULL):
            self.mistakes.clear()
            self.refuse(Code.EMPTY_FILE, (1, 1), "", tr("is empty"))
            raise UnreadableYaml
        return node

    def _node(self, event: Event, events: Iterator[Event], depth: int) -> Node:
        """The node that begins with `event`."""
        kind = _kind(event)
        self._check(event, kind, depth)
        mark = event.start_mark
        line, column = mark.line + 1, mark.column + 1
        if kind == "ScalarEvent":
            return self._scalar(ScalarNode(event.value, not event.style, line, column))
        if kind == "MappingStartEvent":
            return self._map(MapNode(line, column), events, depth)
        found = ListNode(line, column)
        for item in events:
            if _kind(item) == "SequenceEndEvent":
                break
            found.items.append(self._node(item, events, depth + 1))
        for item in _repeated(found):
            message, proposal = tr("stands in this list twice"), tr("remove one")
            self.refuse(Code.TWICE, (item.line, item.column), item.text, message, proposal)
        return found

    def _check(self, event: Event, kind: str, depth: int) -> None:
        if refused := _end_of_reading(event, kind, depth):
            self.refuse(refused[0], _place(event), *refused[1:])
            raise UnreadableYaml
        if event.tag:
            message, tag = tr("has a YAML tag"), str(event.tag)
            self.refuse(Code.TAG, _place(event), tag, message, _in_place_of(tag))

    def _map(self, found: MapNode, events: Iterator[Event], depth: int) -> MapNode:
        for event in events:
            if _kind(event) == "MappingEndEvent":
                break
            key = self._node(event, events, depth + 1)
            value = self._value(key, next(events), events, depth)
            if not isinstance(key, ScalarNode):
                self.refuse(Code.WRONG_TYPE, (key.line, key.column), "", tr("cannot be a key"))
                continue
            key = self._key(key)
            if key.text in found.keys:
                line = found.keys[key.text].line
                message = tr("stands here for the second time, first on line {line}", line=line)
                self.refuse(Code.DUPLICATE_KEY, (key.line, key.column), key.text, message)
            else:
                found.keys[key.text] = key
                found.values[key.text] = value
        return found

    def _key(self, key: ScalarNode) -> ScalarNode:
        """A key without the blanks of French typography, which are refused."""
        if refused := glued(key.text):
            self.refuse(refused[0], (key.line, key.column), key.text, *refused[1:])
            return key
        tidy = key.text if key.text.isascii() else _tidy(key.text)
        if key.text == tidy:
            return key
        self.forget(key.line)
        message = tr("holds a no-break space or typographic quotes")
        proposal = tr("write `{key}:`, with plain blanks", key=shorten(tidy))
        self.refuse(Code.TYPOGRAPHY, (key.line, key.column), tidy, message, proposal)
        return replace(key, text=tidy)

    def _value(self, key: Node, event: Event, events: Iterator[Event], depth: int) -> Node:
        """The value of `key`. One that is missing stands where the key does."""
        if _kind(event) == "ScalarEvent" and not event.value and not event.style:
            missing = ScalarNode("", True, key.line, key.column)  # noqa: FBT003
            if event.tag:
                self._check(event, "ScalarEvent", depth)
            elif isinstance(key, ScalarNode) and len(key.text.split()) > 1:
                self.refuse(Code.SYNTAX, (key.line, key.column), key.text, *_without_colon(key))
            elif not (isinstance(key, ScalarNode) and glued(key.text)):
                return self._scalar(missing)
            return missing
        return self._node(event, events, depth + 1)

    def _scalar(self, node: ScalarNode) -> ScalarNode:
        text = node.text
        if not text.isprintable() and any(map(_is_unprintable, text)):
            message = tr("holds an invisible character")
            self.refuse(Code.CONTROL_CHARACTER, (node.line, node.column), "", message)
        elif (garbled := _garbled(text)) is not None:
            self.refuse(Code.TYPOGRAPHY, (node.line, node.column), text, *garbled)
        elif node.plain and not (text.isascii() and _WORD.match(text)):
            refused = _refusal_of_plain(text)
            if refused is not None:
                code, message, proposal = refused
                shown = "" if code is Code.EMPTY_VALUE else text
                self.refuse(code, (node.line, node.column), shown, message, proposal)
        return node


def _refusal_of_plain(text: str) -> tuple[Code, str, str | None] | None:
    """Why a scalar without quotes is not accepted, None when it is."""
    if text in NULL:
        missing = tr("a value is missing here"), tr("give one, or remove the key")
        return (Code.EMPTY_VALUE, *missing)
    if _LONG_NUMBER.fullmatch(text):
        return Code.WRONG_VALUE, tr("has more digits than any number here"), None
    if text == "<<":
        return Code.ALIAS, tr("merges a mapping into this one"), tr("write the keys out")
    if _is_ambiguous(text):
        return Code.AMBIGUOUS_SCALAR, tr("is not text to every reader of YAML"), _unambiguous(text)
    return _typography_of(text)


def _garbled(text: str) -> tuple[str, str] | None:
    """What is wrong with a text whose accents were lost between two encodings."""
    if "\ufffd" in text or (_LOST.search(text) and not _ADDRESS.search(text)):
        return tr("holds characters that were lost"), tr("type them again, and save as UTF-8")
    meant = text if text.isascii() else _READ_AS_LATIN.sub(_as_utf8, text)
    if meant == text:
        return None
    return tr("has garbled accents"), tr("write `{choice}`", choice=shorten(meant))


def _as_utf8(found: re.Match[str]) -> str:
    try:
        return found[0].encode("cp1252").decode()
    except UnicodeError:
        return found[0]


def _unambiguous(text: str) -> str:
    """How text is written that some readers of YAML take for something else."""
    quoted = tr('write "{text}", in quotes', text=shorten(text))
    meant = TRUTHS.get(text.casefold())
    number = _MEANT_NUMBER.fullmatch(text)
    if number is not None:
        meant = number[1].replace("_", "")
    if meant is None:
        return quoted
    return tr("{proposal}, or `{meant}`", proposal=quoted, meant=meant)


def _typography_of(text: str) -> tuple[Code, str, str | None] | None:
    """Quotes and blanks of a word processor that would become part of the text."""
    if text != (tidy := text.strip(BLANKS)):
        message = tr("begins or ends with a no-break space")
        return Code.TYPOGRAPHY, message, tr("write `{choice}`", choice=shorten(tidy))
    if quoted := _QUOTED.fullmatch(text):
        inner = shorten(next(filter(None, quoted.groups()), ""))
        proposal = tr('write "{text}", in straight quotes', text=inner)
        return Code.TYPOGRAPHY, tr("has quotes that become part of the text"), proposal
    return None


def _without_colon(key: ScalarNode) -> tuple[str, str]:
    """What is wrong with a text between braces or above others that is no key with a value."""
    first, rest = key.text.split(maxsplit=1)
    if re.fullmatch(r"[a-z_]+", first):
        proposal = tr("write `{choice}`", choice=shorten(f"{first}: {rest}"))
    else:
        proposal = tr("put a text that holds a comma in quotes, or write a list")
    return tr("has no colon: `key: value` belongs here"), proposal


def _repeated(found: ListNode) -> Iterator[ScalarNode]:
    """The items of a list that stand before them already."""
    seen: set[str] = set()
    for item in found.items:
        if isinstance(item, ScalarNode) and item.text:
            if item.text in seen:
                yield item
            seen.add(item.text)


def _end_of_reading(
    event: Event, kind: str, depth: int
) -> tuple[Code, str, str, str | None] | None:
    """Why nothing is read from `event` on: code, text, message and proposal; None when it is."""
    if depth > DEEPEST:
        message = tr("is nested more than {deepest} levels deep", deepest=DEEPEST)
        return Code.TOO_DEEP, "", message, None
    if kind == "AliasEvent" or event.anchor:
        message, proposal = tr("is an anchor or an alias"), tr("write the value out")
        return Code.ALIAS, str(event.anchor or ""), message, proposal
    return None


def _in_place_of(tag: str) -> str:
    """What to write in place of a tag."""
    if re.fullmatch(r"![^!].*", tag):
        return tr("write {choice} for what is not meant", choice="`{ not: … }`")
    return tr("write the value without it")


def _kind(event: Event) -> str:
    return type(event).__name__


def _place(event: Event) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _tidy(key: str) -> str:
    return key.translate(_BLANKS).strip(f" {_OPENING}{_CLOSING}")


def _is_ambiguous(text: str) -> bool:
    if INTEGER.fullmatch(text) or text in {"true", "false"}:
        return False
    return _AMBIGUOUS.fullmatch(text) is not None


def _is_unprintable(char: str) -> bool:
    """Control, bidirectional and unassigned characters, and the line breaks of Unicode; the plain
    line break of a folded text is none."""
    return char != "\n" and unicodedata.category(char) in _UNPRINTABLE


_UNPRINTABLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
