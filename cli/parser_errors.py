"""What the parser of the command line does not understand, in one line and in our words."""

import re
from collections.abc import Mapping

from config.messages import mark, tr

_WHOLE = (
    (r"No such option: (?P<name>\S+)( Did you mean (?P<near>\S+)\?)?", mark("no option {name}")),
    (
        r"No such option: (?P<name>\S+) \(Possible options: (?P<near>.*)\)",
        mark("no option {name}; did you mean {near}?"),
    ),
    (
        r"No such command '(?P<name>.*)'\. Did you mean (?P<near>.*)\?",
        mark("no command `{name}`; did you mean {near}?"),
    ),
    (r"No such command '(?P<name>.*)'\.", mark("no command `{name}`")),
    (r"Missing (argument|option|parameter) '(?P<name>.*)'\..*", mark("{name} is missing")),
    (r"Missing command\.", mark("a command is missing")),
    (r"Got unexpected extra arguments?(\(s\))? \((?P<name>.*)\)", mark("too many words: {name}")),
    (r"Option '(?P<name>.*)' requires an argument\.", mark("{name} needs a value")),
    (r"Option '(?P<name>.*)' does not take a value\.", mark("{name} takes no value")),
)
"""Sentences of the parser, and what is said instead."""

_VALUE = re.compile(r"Invalid value for '(?P<name>.*?)': (?P<why>.*)", re.DOTALL)

_WHYS = (
    (r".*'(?P<value>.*)' is not readable\.", mark("{value} cannot be read")),
    (r".*valid integer.*", mark("is not a whole number")),
    (r".*valid number.*", mark("is not a number")),
    (r".*'(?P<value>.*)' is not one of (?P<known>.*)\.", mark("{value} is none of {known}")),
    (r".*isoformat string: '(?P<value>.*)'", mark("{value} is no day; for example 2026-01-31")),
    (r".*(day|month|hour|year) (is out of range|must be in).*", mark("there is no such day")),
    (r".*greater than or equal to (?P<value>\S+)", mark("must be {value} or more")),
    (r".*less than or equal to (?P<value>\S+)", mark("must be {value} or less")),
)
"""Why a value is refused, and what is said instead."""


def explained(message: str, given: str) -> str:
    """A sentence of the parser in our words; one that is not known stays as it is.

    Args:
        message: the whole sentence.
        given: what of it came from us, if anything did: it is said for people already.
    """
    if value := _VALUE.fullmatch(message):
        why = _first(_WHYS, value["why"]) or given
        return tr("{name}: {why}", name=value["name"], why=why)
    return _first(_WHOLE, message) or message


def _first(known: tuple[tuple[str, str], ...], message: str) -> str | None:
    for pattern, text in known:
        if found := re.fullmatch(pattern, message, re.DOTALL):
            return tr(text, **_plain(found.groupdict()))
    return None


def _plain(groups: Mapping[str, str | None]) -> dict[str, object]:
    return {name: (value or "").replace("'", "") for name, value in groups.items()}
