"""One marker in every encoding in which it might come out: the controls of the search."""

import base64
import html
import json
import quopri
import unicodedata
from collections.abc import Callable
from email.header import Header
from urllib.parse import quote, quote_plus

NAME = "Zqkânarï"

TEXTUAL: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "without accents": lambda text: text.replace("â", "a").replace("ï", "i"),
    "capitals": str.upper,
    "small letters": str.lower,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64, second alignment": lambda text: base64.b64encode(b"x" + text.encode()).decode(),
    "base64, third alignment": lambda text: base64.b64encode(b"xy" + text.encode()).decode(),
    "base64 of the decomposed": lambda text: base64.b64encode(
        unicodedata.normalize("NFD", text).encode()
    ).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(
        b"\xff\xfe\xfd" + text.encode()
    ).decode(),
    "base64 in lines": lambda text: base64.encodebytes(b"-" * 50 + text.encode()).decode(),
    "base64 of JSON": lambda text: base64.b64encode(json.dumps([text]).encode()).decode(),
    "URL": quote,
    "URL of a form": lambda text: quote_plus(f"nom {text}"),
    "URL, twice": lambda text: quote(quote(text)),
    "quoted-printable": lambda text: quopri.encodestring(text.encode()).decode(),
    "quoted-printable, broken": lambda text: quopri.encodestring(
        b"-" * 70 + text.encode()
    ).decode(),
    "mail header": lambda text: Header(text, "utf-8").encode(),
    "JSON": json.dumps,
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "Python": ascii,
    "Python bytes": lambda text: repr(text.encode()),
    "octal": lambda text: "".join(f"\\{byte:03o}" for byte in text.encode()),
    "HTML": lambda text: text.encode("ascii", "xmlcharrefreplace").decode(),
    "HTML names": lambda text: html.escape(text).replace("â", "&acirc;").replace("ï", "&iuml;"),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, odd": lambda text: "a" + text.encode().hex(),
    "hexadecimal, capitals": lambda text: text.encode().hex().upper(),
    "full width": lambda text: "".join(
        chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text
    ),
}
"""Encodings that are text and can stand wherever text can."""

BINARY: dict[str, Callable[[str], bytes]] = {
    "UTF-16LE": lambda text: text.encode("utf-16-le"),
    "UTF-16BE": lambda text: text.encode("utf-16-be"),
    "UTF-16LE, decomposed": lambda text: unicodedata.normalize("NFD", text).encode("utf-16-le"),
    "UTF-16BE, decomposed": lambda text: unicodedata.normalize("NFD", text).encode("utf-16-be"),
    "UTF-32": lambda text: text.encode("utf-32-le"),
    "Latin-1": lambda text: text.encode("latin-1"),
    "base64 of UTF-16": lambda text: base64.b64encode(text.encode("utf-16-le")),
    "hexadecimal of UTF-16": lambda text: text.encode("utf-16-le").hex().encode(),
}
"""Encodings that only bytes can hold, or that stand in bytes."""

FIRST = 900
"""Number of the first planted marker."""


def planted_texts() -> dict[str, str]:
    """For each number, a marker with it in one of the textual encodings."""
    return {
        str(FIRST + index): encode(f"{NAME}{FIRST + index}")
        for index, encode in enumerate(TEXTUAL.values())
    }


def planted_bytes() -> dict[str, bytes]:
    """The same for all encodings."""
    first = FIRST + len(TEXTUAL)
    binary = {
        str(first + index): encode(f"{NAME}{first + index}")
        for index, encode in enumerate(BINARY.values())
    }
    return {number: text.encode() for number, text in planted_texts().items()} | binary
