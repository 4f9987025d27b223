"""Whatever an admin typed stands on one line and shows what it says."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mail.sanitise import one_line
from tests.connectors.mail.samples import any_text


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Unité départementale de Paris", "Unité départementale de Paris"),
        ("  deux\r\nlignes\t et\u2028plus  ", "deux lignes et plus"),
        ("e\u0301cole", "école"),
        ("\u202eenversé\u202c", "enversé"),
        ("zéro\u200blargeur", "zérolargeur"),
        ("=?utf-8?q?=0A?=", "= ?utf-8?q?=0A?="),
        ("\ud800seul", "seul"),
        ("", ""),
    ],
)
def test_only_what_can_be_seen_is_kept(typed: str, shown: str) -> None:
    assert one_line(typed, longest=80) == shown


def test_a_long_text_is_cut_and_says_so() -> None:
    assert one_line("abcdef", longest=4) == "abc…"


@given(any_text, st.integers(1, 100))
def test_any_text_becomes_one_visible_line_and_stays_it(text: str, longest: int) -> None:
    line = one_line(text, longest=longest)

    assert len(line) <= longest
    assert line == line.strip()
    assert not {unicodedata.category(char) for char in line} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert "=?" not in line
    line.encode()
    assert one_line(line, longest=longest) == line
