"""Messages for people, in the language that the program speaks: English until another is chosen.

The English text is the key of its translation, so it is written where it is said:

    tr("{name}: no such unit", name=name)
    trn("{n} dossier", "{n} dossiers", count)

`mark` only marks a text of a table, which `tr` translates where it is shown. Codes, keys and JSON
are never translated: what goes to standard error beside JSON passes through `for_people`.
`cli.language` chooses the language.
"""

from collections.abc import Iterable
from gettext import NullTranslations

_ENGLISH = NullTranslations()
_catalogue = _people = _ENGLISH


class _Said(str):
    """An English text for scripts that knows what it is in the language of people."""

    __slots__ = ("for_people",)
    for_people: str


def speak(catalogue: NullTranslations) -> None:
    """Take messages from `catalogue` from now on."""
    global _catalogue, _people  # noqa: PLW0603 - one language for the whole process
    _catalogue = _people = catalogue


def speak_to_scripts() -> None:
    """Say everything in English from now on but what goes through `for_people`."""
    global _catalogue  # noqa: PLW0603 - one language for the whole process
    _catalogue = _ENGLISH


def tr(text: str, /, **values: object) -> str:
    """`text` in the language of the program, with `values` in the places of their names."""
    said = _catalogue.gettext(text) if text else text
    said = said.format(**values) if values else said
    if _people is _catalogue or not text:
        return said
    known = {name: _for_people(value) for name, value in values.items()}
    theirs = _people.gettext(text)
    return _both(said, theirs.format(**known) if known else theirs)


def trn(one: str, many: str, n: int, /, **values: object) -> str:
    """The form of a text that goes with the number `n`, which stands in it as {n}."""
    said = _catalogue.ngettext(one, many, n).format(n=n, **values)
    if _people is _catalogue:
        return said
    known = {name: _for_people(value) for name, value in values.items()}
    return _both(said, _people.ngettext(one, many, n).format(n=n, **known))


def for_people(text: str) -> str:
    """What `tr` or `joined` gave, in the language of people even where scripts read English."""
    return text.for_people if isinstance(text, _Said) else text


def joined(texts: Iterable[str], between: str = "\n") -> str:
    """The texts one after the other, for scripts and for people."""
    parts = list(texts)
    return _both(between.join(parts), for_people(between).join(map(for_people, parts)))


def said_by(error: Exception) -> str:
    """The text of an error, for scripts and for people."""
    return error.args[0] if error.args and isinstance(error.args[0], str) else str(error)


def mark(text: str) -> str:
    """`text` as it is: marked for translation where it is shown."""
    return text


def _both(said: str, theirs: str) -> str:
    both = _Said(said)
    both.for_people = theirs
    return both


def _for_people(value: object) -> object:
    if isinstance(value, Exception):
        value = said_by(value)
    return for_people(value) if isinstance(value, str) else value
