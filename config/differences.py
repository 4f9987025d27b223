"""What differs between two documents, field by field: mailboxes, names, dates, rules."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

KEYS = {
    "units": "code",
    "kinds": "code",
    "procedures": "id",
    "permit_types": "code",
    "rules": "id",
    "reasons": "code",
}
"""What names the entries of each section."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference.

    Attributes:
        section: of the document.
        entry: code or id of the entry, empty for the section itself.
        field: that differs, empty when the whole entry came or went.
        before: its value as text, None when there was none.
        after: its value as text, None when there is none any more.
    """

    section: str
    entry: str
    field: str
    before: str | None
    after: str | None


def differences(before: str, after: str) -> list[Difference]:
    """Every difference between two documents, in the order of their sections."""
    old, new = json.loads(before), json.loads(after)
    return list(_sections(old, new))


def _sections(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Difference]:
    if old.get("fallback") != new.get("fallback"):
        yield Difference("fallback", "", "", old.get("fallback"), new.get("fallback"))
    for section, key in KEYS.items():
        ours = {str(entry[key]): entry for entry in old.get(section, [])}
        theirs = {str(entry[key]): entry for entry in new.get(section, [])}
        for code in sorted(ours.keys() | theirs.keys()):
            yield from _entries(section, code, ours.get(code), theirs.get(code))
        kept = [code for code in ours if code in theirs]
        order = [code for code in theirs if code in ours]
        if section in {"rules", "permit_types"} and kept != order:
            yield Difference(section, "", "order", ", ".join(kept), ", ".join(order))


def _entries(
    section: str, code: str, old: dict[str, Any] | None, new: dict[str, Any] | None
) -> Iterator[Difference]:
    if old is None or new is None:
        yield Difference(section, code, "", _whole(old), _whole(new))
        return
    for field in sorted(old.keys() | new.keys()):
        if old.get(field) != new.get(field):
            yield Difference(section, code, field, _said(old.get(field)), _said(new.get(field)))


def _whole(entry: dict[str, Any] | None) -> str | None:
    """An entry that came or went, a line for each of its keys that says something."""
    if entry is None:
        return None
    return "\n".join(f"{name}: {_text(each)}" for name, each in _saying(entry))


def _saying(mapping: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, each) for name, each in mapping.items() if each not in (False, [], {}, None)]


def _said(value: Any) -> str | None:  # noqa: ANN401
    return None if value in (None, [], {}) else _text(value)


def _text(value: Any) -> str:  # noqa: ANN401
    """A value as a person reads it: lists by commas, a mapping as `key: value`, braces inside."""
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_inner(item)}" for name, item in _saying(value))
    return str(value)


def _inner(value: Any) -> str:  # noqa: ANN401
    return f"{{{_text(value)}}}" if isinstance(value, dict) else _text(value)
