"""What publishing would change, key by key: mailboxes, other channels, names and dates."""

import json
from typing import Any

import pytest

from config.differences import differences
from tests.fixtures import shipped_rules


def changed(section: str, key: str, value: Any) -> str:  # noqa: ANN401
    content = json.loads(shipped_rules.document())
    content[section][0][key] = value
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


CHANGES: list[tuple[str, str, Any, str]] = [
    ("units", "name", "Nouvelle unité", "Nouvelle unité"),
    ("units", "channels", [{"mail": "autre@unites.example"}], "autre@unites.example"),
    ("units", "channels", [{"webhook": "https://si.example/wif"}], "https://si.example/wif"),
    ("procedures", "notify_since", "2026-12-01", "2026-12-01"),
]


@pytest.mark.parametrize(("section", "key", "value", "shown"), CHANGES)
def test_a_change_is_shown_with_what_was_before(
    section: str,
    key: str,
    value: Any,  # noqa: ANN401
    shown: str,
) -> None:
    before = shipped_rules.document()
    (found,) = differences(before, changed(section, key, value))
    assert found.field == key
    assert shown in str(found.after)
    assert found.before != found.after


def test_the_same_document_has_no_differences() -> None:
    assert differences(shipped_rules.document(), shipped_rules.document()) == []
