"""A YAML file as a tree in which every scalar knows its line and column.

Only the part of YAML that means the same to every reader is accepted: no aliases, no
tags, one document, and no unquoted scalar that one reader takes for text and another
for a number, a truth value or an hour (`01`, `NO`, `12:30`).
"""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

from config.diagnostics import Code, Diagnostic
from config.files import read_regular
from config.foreign_messages import translated
from config.messages import tr
from config.yaml_builder import Builder, Event, UnreadableYaml
from config.yaml_nodes import ListNode, MapNode, Node, Path_, ScalarNode, find, plain, scalars
from config.yaml_slips import slip
from config.yaml_text import Place

__all__ = [
    "LARGEST_FILE",
    "ListNode",
    "MapNode",
    "Node",
    "Path_",
    "ScalarNode",
    "find",
    "plain",
    "read_tree",
    "scalars",
]

_CUT_OFF = re.compile(r"(?<![ \t])[ \t]+#[^\s#!]")
"""A comment that begins like the end of a text; blanks are looked at once, however many."""

LARGEST_FILE = 10_000_000
"""In bytes. The shipped files have some 10 kB; 20,000 units have some 3 MB."""

LARGEST_EXPLAINED = 1_000_000
"""Bytes up to which a file that is no YAML is read again by the parser that explains it well."""


def read_tree(path: Path, mistakes: list[Diagnostic]) -> Node | None:
    """The content of the file, None when it cannot be used at all.

    What is wrong is added to `mistakes`; never raises for what the file contains.
    """
    builder = Builder(str(path), mistakes)
    text = _text(builder, path)
    if text is None:
        return None
    noted = len(mistakes)
    try:
        # libyaml is ten times as fast; ruamel's parser says better what is wrong.
        tree = _tree(builder, yaml.parse(text, yaml.CSafeLoader))
    except yaml.YAMLError as error:
        if len(text) > LARGEST_EXPLAINED:
            _refuse_syntax(builder, text, error)
            return None
    else:
        if tree is not None and _CUT_OFF.search(text):
            _refuse_cut_off(builder, tree, text.splitlines())
        return tree
    del mistakes[noted:]
    try:
        return _tree(builder, YAML(typ="safe", pure=True).parse(text))
    except (MarkedYAMLError, ReaderError) as error:
        _refuse_syntax(builder, text, error)
    return None


def _refuse_cut_off(builder: Builder, tree: Node, lines: list[str]) -> None:
    """Note texts without quotes of which a # makes the rest a comment, as in `dossier #3`."""
    for scalar in scalars(tree):
        here = lines[scalar.line - 1][scalar.column - 1 :] if scalar.plain else ""
        rest = here.removeprefix(scalar.text)
        if scalar.text and rest != here and _CUT_OFF.match(rest):
            message = tr("is cut off: what follows a blank and a # is a comment")
            proposal = tr("put the whole text in quotes, or write a blank after the #")
            place = scalar.line, scalar.column
            builder.refuse(Code.SYNTAX, place, here.rstrip(), message, proposal)


def _tree(builder: Builder, events: Iterator[Event]) -> Node | None:
    noted = len(builder.mistakes)
    try:
        return builder.document(events)
    except (UnreadableYaml, ValueError, OverflowError):
        if len(builder.mistakes) == noted:
            builder.refuse(Code.SYNTAX, (1, 1), "", tr("is not YAML"))
    return None


def _text(builder: Builder, path: Path) -> str | None:
    """The file's text without a byte order mark, None when it cannot be had."""
    try:
        content = read_regular(path, most=LARGEST_FILE + 1, below=path.parent)
    except OSError as error:
        why = tr("cannot be read: {why}", why=translated(error.strerror or type(error).__name__))
        builder.refuse(Code.UNREADABLE, (1, 1), "", why)
        return None
    if len(content) > LARGEST_FILE:
        message = tr("has more than {most} bytes", most=LARGEST_FILE)
        builder.refuse(Code.TOO_LARGE, (1, 1), "", message)
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = _position(content[: error.start].decode(errors="replace"), error.start)
        proposal = tr("save the file as UTF-8")
        builder.refuse(Code.NOT_UTF8, place, "", tr("is not UTF-8"), proposal)
    return None


def _refuse_syntax(builder: Builder, text: str, error: Exception) -> None:
    """Note where the file stops being YAML, and what to write instead for the usual slips."""
    if isinstance(error, ReaderError | yaml.reader.ReaderError):
        message = tr("a character YAML does not allow")
        builder.refuse(Code.CONTROL_CHARACTER, _position(text, error.position), "", message)
        return
    problem, began, mark = _marked(error)
    line, column = mark or (1, 1)
    lines = text.splitlines()
    here = lines[line - 1] if line <= len(lines) else ""
    if "\t" in here[: len(here) - len(here.lstrip())] or here[column - 1 : column] == "\t":
        place = line, here.index("\t") + 1
        message, proposal = tr("is indented with a tab"), tr("use spaces")
        builder.refuse(Code.TAB, place, here.strip(), message, proposal)
        return
    if (found := slip(problem, lines, (line, column), began)) is not None:
        builder.forget(found.place[0])
        builder.refuse(found.code, found.place, found.text, found.message, found.proposal)
        return
    message = tr("is not YAML: {problem}", problem=translated(problem))
    if began is not None:
        message += tr(", in what begins on line {line}", line=began[0])
    builder.refuse(Code.SYNTAX, (line, column), here.strip(), message)


def _marked(error: Exception) -> tuple[str, Place | None, Place | None]:
    """What is wrong, where that began, and where it shows."""
    found: MarkedYAMLError | yaml.MarkedYAMLError | None = (
        error if isinstance(error, MarkedYAMLError | yaml.MarkedYAMLError) else None
    )
    if found is None:
        return "", None, None
    problem = found.problem or found.context or ""
    began, mark = _place(found.context_mark), _place(found.problem_mark)
    if mark is None or (began is not None and "end of stream" in problem):
        mark = began  # a quote that is never closed: where it opens, not where the file ends
    return problem, began, mark


def _place(mark: object) -> Place | None:
    line, column = getattr(mark, "line", None), getattr(mark, "column", None)
    return None if line is None or column is None else (line + 1, column + 1)


def _position(text: str, at: int) -> Place:
    before = text[:at].splitlines(keepends=True) or [""]
    if before[-1].endswith(("\n", "\r")):
        return len(before) + 1, 1
    return len(before), len(before[-1]) + 1
