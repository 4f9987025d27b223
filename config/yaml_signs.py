"""Signs that are missing or too many: colons, hyphens, commas, brackets and quotes."""

import re
from collections.abc import Callable, Sequence

from config.diagnostics import shorten
from config.messages import tr
from config.yaml_text import KEY, Place, Slip, Text, syntax

_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")
_QUOTES = re.compile(r'( *(?:- +)?(?:[A-Za-z_]+: +)?)"(.*)"\s*')
_OPEN_QUOTE = re.compile(r"""( *(?:- +)*(?:[A-Za-z_]+: +)?\[?)(["'])(.*)""")
_NO_COLON = re.compile(r"( *(?:- +)?)([A-Za-z_]+)(?: *=+ *| +:|  *)?(.*)")
_HYPHEN = re.compile(r"( *)(-)([^\s-].*)")
_BULLET = re.compile(r"( *)([*+\u2022\u2013\u2014\u00b7])\s+(\S.*)")
_NO_COMMA = re.compile(r"[\s;|]+([A-Za-z_]+)$")
_FURTHER = re.compile(r", *([a-z_]+): ")
_CANNOT_START = re.compile(r"(.*?: +|.*?- +)([%@`*&!].*)")
_BLOCK_TEXT = re.compile(r" *(?:- +)?([A-Za-z_]+): *[>|][-+]?\s*")
_CLOSING = {"[": "]", "{": "}"}


def slip(
    text: Text, problem: str, near: Sequence[int], column: int, began: Place | None
) -> Slip | None:
    """A sign that was slipped on one of the lines `near`, or where the parser began."""
    on_a_line: tuple[Callable[[Text, int], Slip | None], ...] = (
        _quote_in_quotes,
        _hyphen,
        _no_colon,
    )
    for find in on_a_line:
        for line in near:
            if (found := find(text, line)) is not None:
                return found
    return (
        _colon_in_text(text, problem, column)
        or _not_closed(text, problem, began)
        or _no_comma(text, problem, column)
        or _quote_not_closed(text)
        or _block_text(text, problem, began)
        or _cannot_start(text, problem, column)
    )


def _quote_in_quotes(text: Text, line: int) -> Slip | None:
    """An apostrophe in a text in single quotes, or quotes in a text in quotes."""
    here = text.lines[line - 1]
    doubled = _APOSTROPHE.sub("''", here)
    if "'" in _APOSTROPHE.sub("", here) and doubled != here and text.mends({line: doubled}):
        at = _APOSTROPHE.search(here)
        problem = tr("an apostrophe ends a text in single quotes")
        proposal = tr("put the text in double quotes, or write the apostrophe twice")
        return syntax(text, line, problem, proposal, (at.start() if at else 0) + 1)
    if (found := _QUOTES.fullmatch(here)) and '"' in found[2]:
        inner = found[2].replace('"', '\\"')
        if text.mends({line: f'{found[1]}"{inner}"'}):
            problem = tr("quotes inside a text in quotes end it")
            proposal = tr('write the inner ones as \\"')
            return syntax(text, line, problem, proposal, len(found[1]) + 2 + found[2].index('"'))
    return None


def _hyphen(text: Text, line: int) -> Slip | None:
    """An item of a list that begins with another sign, or without a blank after its hyphen."""
    here = text.lines[line - 1]
    found = _HYPHEN.fullmatch(here) or _BULLET.fullmatch(here)
    if found is None or not text.mends({line: f"{found[1]}- {found[3]}"}):
        return None
    return syntax(text, line, *hyphen_mended(found[2] == "-", found[3]))


def hyphen_mended(is_hyphen: bool, rest: str) -> tuple[str, str]:  # noqa: FBT001
    """What is wrong with the sign before an item of a list, and how it is written."""
    proposal = tr("write `{choice}`", choice=f"- {shorten(rest)}")
    if is_hyphen:
        return tr("a blank is missing after the hyphen"), proposal
    return tr("an item of a list begins with a plain hyphen"), proposal


def _no_colon(text: Text, line: int) -> Slip | None:
    """A key without the colon after it, or with another sign."""
    here = text.lines[line - 1]
    found = _NO_COLON.fullmatch(here)
    if found is None or KEY.match(here):
        return None
    lead, key, rest = found.groups()
    mended = f"{key}: {rest.lstrip()}".rstrip()
    is_key = text.is_key(key) or not rest
    if not is_key or not text.mends({line: lead + mended}):
        return None
    problem = tr("a colon and a blank are missing after `{key}`", key=shorten(key))
    return syntax(
        text, line, problem, tr("write `{choice}`", choice=shorten(mended)), len(lead) + 1
    )


def _colon_in_text(text: Text, problem: str, column: int) -> Slip | None:
    key, colon, value = text.here.strip().removeprefix("- ").partition(":")
    if "mapping values" not in problem or not colon or ": " not in value:
        return None
    second = value.partition(":")[0].strip()
    if text.is_key(second):
        said = tr("two keys stand on one line")
        proposal = tr("write `{key}` on the next line, indented further", key=second)
        return syntax(text, text.line, said, proposal, column)
    further = _FURTHER.search(value)
    if further is not None and text.stands_elsewhere(further[1]):
        said = tr("several keys stand on one line")
        proposal = tr("put them in braces, or each on a line of its own: {choice}", choice="{ … }")
        return syntax(text, text.line, said, proposal, column)
    whole = shorten(value.strip().replace('"', "'"))
    proposal = tr('put the whole value in quotes: {key}: "{value}"', key=shorten(key), value=whole)
    return syntax(text, text.line, tr("a colon and a blank inside a text"), proposal, column)


def _not_closed(text: Text, problem: str, began: Place | None) -> Slip | None:
    """A bracket or a brace without its other half on the same line."""
    if began is None or "','" not in problem:
        return None
    line, column = began
    here = text.lines[line - 1]
    closing = _CLOSING.get(here[column - 1 : column])
    if line == text.line or closing is None or not text.mends({line: f"{here}{closing}"}):
        return None
    said = tr("`{sign}` is not closed", sign=here[column - 1])
    proposal = tr("add `{sign}` at the end", sign=closing)
    return syntax(text, line, said, proposal, column)


def _no_comma(text: Text, problem: str, column: int) -> Slip | None:
    """Two pairs between braces with another sign than a comma between them."""
    before, after = text.here[: column - 1].rstrip(), text.here[column - 1 :]
    found = _NO_COMMA.search(before)
    if "','" not in problem or found is None or not after.startswith(":"):
        return None
    if not text.mends({text.line: f"{before[: found.start()]}, {found[1]}{after}"}):
        return None
    said = tr("a comma is missing before `{key}`", key=shorten(found[1]))
    proposal = tr("write `{choice}`", choice=f", {shorten(found[1])}: …")
    return syntax(text, text.line, said, proposal, found.start(1) + 1)


def _quote_not_closed(text: Text) -> Slip | None:
    """A text in quotes that goes on over the lines that follow."""
    for line in (text.line, *reversed(text.above)):
        found = _OPEN_QUOTE.fullmatch(text.lines[line - 1])
        if found is None or found[2] in found[3]:
            continue
        rest = found[3].rstrip("]} ")
        behind = found[3][len(rest) :]
        if text.mends({line: f"{found[1]}{found[2]}{rest}{found[2]}{behind}"}):
            said = tr("the quotes that begin here are not closed")
            proposal = tr("close them: {choice}", choice=shorten(f"{found[2]}{rest}{found[2]}"))
            return syntax(text, line, said, proposal, len(found[1]) + 1)
    return None


def _block_text(text: Text, problem: str, began: Place | None) -> Slip | None:
    """A text below `>` or `|` that is not indented further than its key."""
    if began is None or "':'" not in problem:
        return None
    above = text.before(began[0])
    found = _BLOCK_TEXT.fullmatch(text.lines[above[-1] - 1]) if above else None
    if found is None:
        return None
    said = tr("the text below `{key}` is not indented further than it", key=shorten(found[1]))
    return syntax(text, began[0], said, tr("indent it by two more spaces"))


def _cannot_start(text: Text, problem: str, column: int) -> Slip | None:
    """A text that begins with a sign that means something to YAML."""
    found = _CANNOT_START.fullmatch(text.here)
    if "start any token" not in problem or found is None:
        return None
    quoted = '"{}"'.format(found[2].replace('"', "'"))
    if not text.mends({text.line: f"{found[1]}{quoted}"}):
        return None
    said = tr("a text cannot begin with {sign}", sign=found[2][0])
    return syntax(
        text, text.line, said, tr("put it in quotes: {choice}", choice=shorten(quoted)), column
    )


def behind_the_end(text: Text, problem: str, column: int) -> Slip | None:
    """Something behind a list or a text in quotes, or below a key that has a value already."""
    before = text.here[: column - 1].rstrip()
    if "sequence entries" in problem and before.endswith(":"):
        said = tr("an item of a list stands behind its key")
        proposal = tr("begin it on the next line, indented further")
        return syntax(text, text.line, said, proposal, column)
    if not any(each in problem for each in ("block", "document start", "mapping values")):
        return None
    if before.endswith(("]", "}", '"', "'")):
        said = tr("something stands behind the end of the value")
        proposal = tr("remove it, or write a blank and a # before a comment")
        return syntax(text, text.line, said, proposal, column)
    above = KEY.match(text.lines[text.above[-1] - 1]) if text.above else None
    if above is None or not text.here.lstrip().startswith("- "):
        return None
    value = text.lines[text.above[-1] - 1][above.end() :].strip()
    if not value or len(above[1]) + len(above[2] or "") == len(text.here) - len(text.here.lstrip()):
        return None
    said = tr("a list begins below `{key}`, which has a value already", key=shorten(above[3]))
    proposal = tr("remove `{value}`, or the list", value=shorten(value))
    return syntax(text, text.line, said, proposal)
