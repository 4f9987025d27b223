"""Ids of v2: the base64 of a type and a number, such as `Champ-12`."""

from base64 import b64decode, b64encode
from binascii import Error


def typed_id(kind: str, number: int | str) -> str:
    """The id of a thing."""
    return b64encode(f"{kind}-{number}".encode()).decode()


def number_of(given: object, kind: str) -> int | None:
    """The number in an id of `kind`, None when it is no such id."""
    try:
        name, _, number = b64decode(str(given), validate=True).decode().rpartition("-")
    except (Error, UnicodeDecodeError):
        return None
    return int(number) if name == kind and number.isascii() and number.isdigit() else None
