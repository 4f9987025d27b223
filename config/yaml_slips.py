"""What was slipped where a file stops being YAML, and what to write instead.

A proposal is made only when it was tried: with it the file is read beyond that line.
"""

import re
from collections.abc import Mapping

from config import yaml_signs
from config.diagnostics import Code, shorten
from config.messages import tr
from config.yaml_text import ITEM, KEY, Place, Slip, Text, syntax

BLANKS = "\u00a0\u202f\u2007"
"""The blanks of French typography, which YAML takes for letters."""

GLUED = re.compile(f"(?P<key>[A-Za-z_]+):(?P<value>[^ \t\r\n/{BLANKS}].*|[{BLANKS}].*)", re.DOTALL)
"""A key whose colon YAML takes for a part of the text: no plain blank follows."""

_LEAD = re.compile(r"( *(?:- +)*)(.*)", re.DOTALL)


def glued(text: str) -> tuple[Code, str, str] | None:
    """What is wrong with a text that is a key, a colon and a value in one; None if it is none."""
    found = GLUED.fullmatch(text)
    if found is None:
        return None
    value = shorten(found["value"])
    proposal = tr("write `{choice}`", choice=f"{found['key']}: {value}")
    if found["value"][0] in BLANKS:
        return Code.TYPOGRAPHY, tr("has a no-break space after the colon"), proposal
    return Code.SYNTAX, tr("lacks a blank after the colon"), proposal


def slip(problem: str, lines: list[str], stopped: Place, began: Place | None) -> Slip | None:
    """What was slipped on a line or before it, for the mistakes that admins make most.

    Args:
        problem: what the parser says.
        lines: of the file.
        stopped: where the parser stopped.
        began: where what it was reading began.
    """
    line, column = stopped
    if not 1 <= line <= len(lines):
        return None
    text = Text(lines, line)
    near = [line, *([text.above[-1]] if text.above else []), *([began[0]] if began else [])]
    return (
        next(filter(None, (_blank_indent(text, each) for each in near)), None)
        or next(filter(None, (_glued(text, each) for each in near)), None)
        or yaml_signs.slip(text, problem, near, column, began)
        or _indentation(text, problem)
        or yaml_signs.behind_the_end(text, problem, column)
    )


def _blank_indent(text: Text, line: int) -> Slip | None:
    here = text.lines[line - 1]
    lead = here[: len(here) - len(here.lstrip())]
    if not set(lead) & set(BLANKS):
        return None
    message = tr("is indented with no-break spaces")
    key = here.strip().partition(":")[0]
    return Slip(Code.TYPOGRAPHY, (line, 1), key, message, tr("use spaces"))


def _glued(text: Text, line: int) -> Slip | None:
    """A key without a blank after its colon; the first of several on lines that follow."""
    run: dict[int, str] = {}
    for at in (line, *reversed(text.before(line))):
        lead, rest = _parts(text.lines[at - 1])
        if glued(rest) is None:
            break
        key, _, value = rest.partition(":")
        run[at] = f"{lead}{key}: {value.lstrip()}"
    if not run or not (line == text.line or text.mends(run)):
        return None
    first = min(run)
    lead, rest = _parts(text.lines[first - 1])
    code, message, proposal = glued(rest) or (Code.SYNTAX, "", "")
    return Slip(code, (first, len(lead) + 1), rest.strip(), message, proposal)


def _parts(line: str) -> tuple[str, str]:
    found = _LEAD.fullmatch(line)
    return (found[1], found[2]) if found else ("", line)


def _indentation(text: Text, problem: str) -> Slip | None:
    """A line that begins in no column that is open there, or the line above it that does."""
    if not any(each in problem for each in ("block", "mapping values", "entries", "did not find")):
        return None
    if not text.above:
        return None
    return _misplaced(text, text.above[-1], problem) or _misplaced(text, text.line, problem)


def _misplaced(text: Text, line: int, problem: str) -> Slip | None:
    here = text.lines[line - 1]
    own = KEY.match(here) or ITEM.match(here)
    if own is None:
        return None
    column, dashed = len(own[1]) + 1, own[2] is not None
    usual = _usual_columns(text, line)
    if line != text.line and (column in usual or not usual):
        return None
    open_ = _open_columns(text, line, usual)
    for there, (like, is_dash) in _ranked(open_, column, usual):
        if line != text.line and there not in usual:
            break
        mended = {line: " " * (there - 1) + here.lstrip()}
        if is_dash is dashed and there != column and text.mends(mended):
            item = not dashed and open_.get(column, (0, False))[1]
            further = column > there and "mapping" in problem and like == text.above[-1]
            return _moved(text, line, (there, like), further=further, item=item)
    return None


def _moved(text: Text, line: int, to: tuple[int, int], *, further: bool, item: bool) -> Slip:
    """The line belongs into another column, in which another line begins."""
    column, like = to
    said = tr("its indentation fits nothing above")
    proposal = tr(
        "begin it in column {column}, as what begins on line {line}", column=column, line=like
    )
    if item:
        said = tr("it stands where the items of a list stand, without a hyphen")
        proposal = tr("begin it in column {column}, or with a hyphen", column=column)
    elif further:
        said = tr("it is indented further than the key above")
        proposal = tr("begin it in column {column}, like the key above", column=column)
    return syntax(text, line, said, proposal)


_Columns = dict[int, tuple[int, bool]]
"""For each column, a line on which something begins there, and whether with a hyphen."""


def _open_columns(text: Text, line: int, usual: Mapping[int, int]) -> _Columns:
    """The columns in which something may go on or begin on a line."""
    found: _Columns = {}
    before = text.before(line)
    dashed = ITEM.match(text.lines[line - 1]) is not None
    for at in reversed(before):
        key = KEY.match(text.lines[at - 1]) or ITEM.match(text.lines[at - 1])
        if key is None:
            continue
        dash = len(key[1]) + 1
        columns = [(key.end(2) + 1, False), (dash, True)] if key[2] else [(dash, False)]
        if at == before[-1] and text.lines[at - 1].rstrip().endswith(":"):
            below = columns[0][0]
            found.update({each: (like, dashed) for each, like in usual.items() if each > below})
        for column, is_dash in columns:
            if column < min(
                (each for each, (like, _) in found.items() if like < line), default=999
            ):
                found[column] = at, is_dash
    return found


def _ranked(
    open_: _Columns, column: int, usual: Mapping[int, int]
) -> list[tuple[int, tuple[int, bool]]]:
    """Open columns, the likeliest first: where the same key stands elsewhere, else the nearest."""
    return sorted(
        open_.items(),
        key=lambda each: (each[0] not in usual, abs(each[0] - column), each[0] == 1, each[0]),
    )


def _usual_columns(text: Text, line: int) -> dict[int, int]:
    """Where the key of a line stands on others, with the last of these."""
    own = KEY.match(text.lines[line - 1])
    if own is None:
        return {}
    others = ((at, KEY.match(each)) for at, each in enumerate(text.lines, 1) if at != line)
    return {
        len(each[1]) + 1: at
        for at, each in others
        if each and each[3] == own[3] and (each[2] is None) is (own[2] is None)
    }
