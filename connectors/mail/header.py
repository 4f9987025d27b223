"""Header values: encoded by RFC 2047 where they must be, and folded.

The mail library does this too, but folds a long value with accents in a way that loses
blanks between encoded words.
"""

import re
from base64 import b64encode
from collections.abc import Iterator

_LONGEST_PLAIN = 56
_WORD = 30
"""Octets in one encoded word: with the longest header name the line stays below 76."""
_ATOMS = re.compile(r"[\w!#$%&'*+/=?^`{|}~ -]+", re.ASCII)


def encoded(text: str) -> str:
    """`text`, one clean line, as the value of a header; every blank survives."""
    if text.isascii() and len(text) <= _LONGEST_PLAIN:
        return text
    words = (b64encode(octets).decode("ascii") for octets in _words(text.encode()))
    return "\r\n ".join(f"=?utf-8?b?{word}?=" for word in words)


def mailbox(display: str, address: str) -> str:
    """One mailbox as the value of a header; `display`, one clean line, may be empty."""
    return f"{_phrase(display)}\r\n <{address}>" if display else address


def _phrase(display: str) -> str:
    """A display name: bare or quoted, or encoded where neither can hold it."""
    value = encoded(display)
    if value != display or _ATOMS.fullmatch(display):
        return value
    escaped = display.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _words(octets: bytes) -> Iterator[bytes]:
    """`octets` of UTF-8 in pieces that end where a character ends."""
    start = 0
    while start < len(octets):
        end = start + _WORD
        while end < len(octets) and octets[end] & 0xC0 == 0x80:  # noqa: PLR2004
            end -= 1
        yield octets[start:end]
        start = end
