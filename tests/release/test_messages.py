"""The catalogue is whole: every text has its translation, with the same values in it."""

import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.mofile import write_mo

from config.messages import tr, trn
from release.messages import FRENCH, ROOT, SOURCES, keys, read
from tests.fixtures.french import french_catalogue

PLACE = re.compile(r"(?<!\{)\{([^{}]*)\}")
CALLS = {"tr", "trn", "mark", "say"}
RENEW = "run `make messages`, and translate what it names in cli/locale/fr/LC_MESSAGES/wif.po"


def messages() -> list[Message]:
    return [message for message in read() if message.id]


def texts(message: Message) -> list[tuple[str, str]]:
    """Each form of a text with its translation."""
    if isinstance(message.id, str):
        return [(message.id, str(message.string))]
    return list(zip(message.id, message.string or ("", ""), strict=True))


def test_the_catalogue_has_the_texts_of_the_program_and_no_other() -> None:
    known = {key if isinstance(key := each.id, str) else tuple(key or ()) for each in messages()}
    assert keys() - known == set(), RENEW
    assert known - keys() == set(), RENEW
    assert not read().obsolete, RENEW


def test_every_text_is_translated_and_none_is_doubtful() -> None:
    empty = [message.id for message in messages() for _, form in texts(message) if not form]
    assert empty == [], RENEW
    assert [message.id for message in messages() if message.fuzzy] == []


def test_a_translation_has_the_same_values_in_it() -> None:
    differ = [
        (text, form)
        for message in messages()
        for text, form in texts(message)
        if sorted(set(PLACE.findall(text))) != sorted(set(PLACE.findall(form)))
    ]
    assert differ == []


NO_COUNTS = {
    *("least", "most", "longest", "limit", "max_length", "bits", "deepest", "digits", "size"),
    *("allowed", "used", "port", "place", "people", "procedures", "dossiers"),
}
"""Values that count nothing, or are never 1: limits of the program, and what `wif demo` shows."""

NAMED = re.compile(r"\{([a-z_]+)(?::g)?\}")
PLURAL_OF_ONE = re.compile(r"\b1 (?!(?:mois|ms|dans|pas)\b)[^\W\d_]+[sx]\b")


def of_one(message: Message) -> str:
    """What is said in French where every number is 1."""
    one, many = (message.id, "") if isinstance(message.id, str) else message.id
    names = set(NAMED.findall(one + many)) - {"n"}
    values = {name: "…" if name in NO_COUNTS else 1 for name in names}
    return trn(one, many, 1, **values) if many else tr(one, **values)


def test_one_thing_is_never_told_in_the_plural() -> None:
    with french_catalogue():
        said = [of_one(message) for message in messages()]
    assert [text for text in said if PLURAL_OF_ONE.search(text)] == []
    assert "1 ligne scellée sous 1" in said


def test_commands_options_and_settings_stay_as_they_are_typed() -> None:
    typed = re.compile(r"`wif [^`]*`|WIF_[A-Z_]+|--[a-z][a-z-]+")
    lost = [
        (text, each)
        for message in messages()
        for text, form in texts(message)
        for each in typed.findall(text)
        if each not in form
    ]
    assert lost == []


def test_a_translation_is_no_copy_of_the_english() -> None:
    english = re.compile(r"\b(the|is|of|not|and|with|are|was|which|that|from|by)\b")
    copied = [
        form
        for message in messages()
        for _, form in texts(message)
        if english.search(re.sub(r"`[^`]*`|\{[^}]*\}", "", form))
    ]
    assert copied == []


def test_one_thing_has_one_word_in_french_too() -> None:
    """As the glossary at the top of wif.po says it."""
    other = re.compile(r"\b(broker|bureau|pooler|procédures?|unité de repli)\b", re.IGNORECASE)
    forms = [form for message in messages() for _, form in texts(message)]
    pages = [path.read_text() for path in (ROOT / "web").rglob("*.j2")]
    assert [form for form in forms if other.search(re.sub(r"`[^`]*`", "", form))] == []
    assert [found[0] for page in pages for found in other.finditer(page)] == []


def test_the_compiled_catalogue_is_that_of_the_source() -> None:
    compiled = io.BytesIO()
    write_mo(compiled, read())
    assert FRENCH.with_suffix(".mo").read_bytes() == compiled.getvalue(), RENEW


def calls(path: Path) -> Iterator[tuple[ast.Call, bool]]:
    """Each call that marks a text, and whether it stands within another text."""
    tree = ast.parse(path.read_text())
    inside = {
        id(call)
        for text in ast.walk(tree)
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CALLS:
            yield node, id(node) in inside


@pytest.mark.parametrize("folder", SOURCES)
def test_every_text_can_be_found_in_the_sources(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        for call, within in calls(path):
            constant = isinstance(call.args[0], ast.Constant)
            place = f"{path.relative_to(ROOT)}:{call.lineno}"
            assert not (within and constant), f"{place}: is not extracted from within a text"
            assert constant or getattr(call.func, "id", "") in {"tr", "say"}, place
            assert not isinstance(call.args[0], ast.JoinedStr), f"{place}: has no one key"
