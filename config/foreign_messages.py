"""Sentences of libraries and of the system, in the language of the program.

They come in English; each is known by its form, and what stands in it is put into the translation.
One that is not known stays as it is.
"""

import re
from functools import cache

from config.messages import mark, tr

_YAML = (
    mark("expected <block end>, but found {found}"),
    mark("expected the node content, but found {found}"),
    mark("expected ',' or ']', but got {found}"),
    mark("expected ',' or '}}', but got {found}"),
    mark("expected a comment or a line break, but found {found}"),
    mark("expected alphabetic or numeric character, but found {found}"),
    mark("expected '<document start>', but found {found}"),
    mark("found character {found} that cannot start any token"),
    mark("found unknown escape character {found}"),
    mark("found undefined tag handle {found}"),
    mark("found unexpected end of stream"),
    mark("found unexpected document separator"),
    mark("found unexpected ':'"),
    mark("could not find expected ':'"),
    mark("mapping keys are not allowed here"),
    mark("mapping values are not allowed here"),
    mark("mapping values are not allowed in this context"),
    mark("sequence entries are not allowed here"),
    mark("did not find expected key"),
    mark("did not find expected node content"),
    mark("did not find expected ',' or ']'"),
    mark("did not find expected ',' or '}'"),
    mark("did not find expected '-' indicator"),
    mark("found character that cannot start any token"),
)

_PYDANTIC = (
    mark("should be a valid list"),
    mark("should be a mapping"),
    mark("should be a valid string"),
    mark("should be a valid integer"),
    mark("should be a valid integer, unable to parse string as an integer"),
    mark("should be a valid integer, got a number with a fractional part"),
    mark("should be a valid boolean"),
    mark("should be a valid boolean, unable to interpret input"),
    mark("should be greater than or equal to {limit}"),
    mark("should be greater than {limit}"),
    mark("should be less than or equal to {limit}"),
    mark("should be less than {limit}"),
    mark("String should have at most {limit} characters"),
    mark("List should have at most {limit} items after validation, not {found}"),
    mark("Keys should be strings"),
)

_SYSTEM = (
    mark("No such file or directory"),
    mark("Permission denied"),
    mark("Is a directory"),
    mark("Not a directory"),
    mark("No space left on device"),
    mark("Read-only file system"),
    mark("File name too long"),
    mark("is a link to a file elsewhere; put the file itself here"),
    mark("is no regular file"),
    mark("has more than {most} bytes"),
    mark("has a line of more than {longest} bytes"),
)


def _pattern(text: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", text.replace("}}", "}"))
    named = (f"(?P<{part}>.*)" if at % 2 else re.escape(part) for at, part in enumerate(parts))
    return re.compile("".join(named), re.DOTALL)


@cache
def _known() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Only where something went wrong: it takes some milliseconds."""
    return tuple((text, _pattern(text)) for text in (*_YAML, *_PYDANTIC, *_SYSTEM))


def translated(sentence: str) -> str:
    """A sentence of somebody else's in our language; as it is when it is not known."""
    for text, pattern in _known():
        if found := pattern.fullmatch(sentence):
            return tr(text, **found.groupdict())
    return sentence
