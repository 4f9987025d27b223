"""The cursor as text: what was written is read, and what cannot be read starts over."""

import pytest

from connectors.tps.v1.cursor import Cursor, Scan, Search, decode, encode

UNDER_WAY = Cursor(pages=9, scan=Scan(page=3, jumps=1, end=5, search=Search(empty=7)), newest=2)


@pytest.mark.parametrize("cursor", [Cursor(), Cursor(pages=4), UNDER_WAY])
def test_what_was_written_is_read(cursor: Cursor) -> None:
    assert decode(encode(cursor)) == cursor


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "null",
        "MjAyNi0xMS0yMw==",
        '{"api":"v2","after":"MjAyNi0xMS0yMw=="}',
        '{"api":"v1","format":2,"pages":4}',
        '{"api":"v1","format":1,"pages":0}',
        '{"api":"v1","format":1,"pages":4,"scan":{"page":-1}}',
    ],
)
def test_what_cannot_be_read_starts_over(text: str | None) -> None:
    assert decode(text) == Cursor()
