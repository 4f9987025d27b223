"""Messages for people, in the language that the program speaks: English until another is chosen.

The English text is the key of its translation, so it is written where it is said:

    tr("{name}: no such unit", name=name)
    trn("{n} dossier", "{n} dossiers", count)

`mark` only marks a text of a table, which `tr` translates where it is shown. Codes, keys and JSON
are never translated. `cli.language` chooses the language.
"""

from gettext import NullTranslations

_catalogue = NullTranslations()


def speak(catalogue: NullTranslations) -> None:
    """Take messages from `catalogue` from now on."""
    global _catalogue  # noqa: PLW0603 - one language for the whole process
    _catalogue = catalogue


def tr(text: str, /, **values: object) -> str:
    """`text` in the language of the program, with `values` in the places of their names."""
    said = _catalogue.gettext(text) if text else text
    return said.format(**values) if values else said


def trn(one: str, many: str, n: int, /, **values: object) -> str:
    """The form of a text that goes with the number `n`, which stands in it as {n}."""
    return _catalogue.ngettext(one, many, n).format(n=n, **values)


def mark(text: str) -> str:
    """`text` as it is: marked for translation where it is shown."""
    return text
