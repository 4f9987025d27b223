"""How text that people typed is compared."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.text import normalise

LABEL = "Département qui figure sur l'autorisation – Œuvre"


@pytest.mark.parametrize(
    "spelling",
    [
        LABEL.upper(),
        f"  {LABEL}\t",
        LABEL.replace(" ", "\u00a0"),
        LABEL.replace("'", "’"),
        LABEL.replace("–", "-"),
        unicodedata.normalize("NFD", LABEL),
        unicodedata.normalize("NFC", LABEL),
        LABEL.replace("Œ", "Oe"),
        LABEL.replace("é", "e"),
    ],
)
def test_spellings_of_the_same_words_are_equal(spelling: str) -> None:
    assert normalise(spelling) == normalise(LABEL)


def test_other_words_are_not() -> None:
    assert normalise("Département") != normalise("Départements")


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(st.characters(max_codepoint=127)))
def test_text_without_accents_is_compared_as_text_with_them(text: str) -> None:
    # The accent, which makes no difference, takes the text the long way.
    assert normalise(f"a{text}\u0301b") == normalise(f"a{text}b")
