"""What the value of a setting may be. Each check says what is wrong, and never the value."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from string import hexdigits
from typing import Annotated, Any, NamedTuple
from urllib.parse import SplitResult, parse_qs, urlsplit

from pydantic import AfterValidator, SecretStr

from config.broker_url import through_sentinel
from config.foreign_messages import translated
from config.messages import mark, said_by, tr

TRANSACTION = "transaction"
"""`?pooling=` of a database address: PgBouncer gives a connection for a transaction only."""

KEY_DIGITS = 64
"""Of a public key in hex."""

_HOSTLESS = frozenset({"sqlite", "syslog", "redis+socket", "postgresql", "postgresql+psycopg"})
"""Schemes whose address may name a file or a socket instead of a host."""

_ROLE_CODE = re.compile(r"[a-z][a-z0-9-]{1,31}")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?(:[0-9]{1,5})?|\[?[0-9A-Fa-f:]+\]?")


def words(value: str) -> tuple[str, ...]:
    """The items of a list that is written with commas or blanks between them."""
    return tuple(value.replace(",", " ").split())


def _split(value: str) -> SplitResult:
    """The parts of an address.

    Raises:
        ValueError: host or port cannot be read.
    """
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError(tr("is not an address: host or port cannot be read")) from None
    return parts


def _http_url(value: str) -> str:
    parts = _split(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError(tr("is not an http(s) address"))
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(tr("must not carry a user, a query or a fragment"))
    return value.rstrip("/")


def with_scheme(*schemes: str) -> AfterValidator:
    """An address that begins with one of these schemes."""

    return AfterValidator(lambda value: _with_scheme(value, *schemes))


def _with_scheme(value: SecretStr, *schemes: str) -> SecretStr:
    parts = _split(value.get_secret_value())
    if parts.scheme not in schemes:
        raise ValueError(
            tr("must start with one of {names}", names=", ".join(f"{s}://" for s in schemes))
        )
    if not parts.hostname and parts.scheme not in _HOSTLESS:
        raise ValueError(tr("names no host"))
    return value


def _broker_url(value: SecretStr) -> SecretStr:
    try:
        if through_sentinel(value.get_secret_value()):
            return value
    except ValueError:
        raise ValueError(tr("is not sentinel://HOST:PORT,HOST:PORT/MASTER")) from None
    return _with_scheme(value, "redis", "rediss", "redis+socket", "sentinel")


def _database_url(value: SecretStr) -> SecretStr:
    _with_scheme(value, "sqlite", "postgresql", "postgresql+psycopg")
    asked = parse_qs(urlsplit(value.get_secret_value()).query)
    if asked.get("pooling", [TRANSACTION]) != [TRANSACTION]:
        raise ValueError(tr("has a `pooling` that is not `transaction`"))
    return value


def _mailbox(value: str) -> str:
    # Only where one is given: the grammar takes long to import.
    from routing.mailbox import Mailbox  # noqa: PLC0415

    try:
        Mailbox.parse(value)
    except ValueError:
        raise ValueError(tr("is not one mail address")) from None
    return value


def _mailbox_but(placeholder: str) -> Callable[[str], str]:
    return lambda value: value if value == placeholder else _mailbox(value)


def _folder(value: Path) -> Path:
    """A folder, or a path at which one can be made."""
    there = next((path for path in (value, *value.parents) if path.exists()), None)
    if there is not None and not there.is_dir():
        raise ValueError(tr("is no folder"))
    return value


def _existing_folder(value: Path) -> Path:
    if not value.is_dir():
        raise ValueError(tr("is no folder that is there"))
    return value


def _numbers(value: str) -> str:
    if any(not (word.isascii() and word.isdigit()) or len(word) > 10 for word in words(value)):  # noqa: PLR2004
        raise ValueError(tr("is not a list of numbers"))
    return value


def _hosts(value: str) -> str:
    if not all(_HOST.fullmatch(word) for word in words(value)):
        raise ValueError(tr("is not a list of hosts"))
    return value


def _role_codes(value: str) -> str:
    if not all(_ROLE_CODE.fullmatch(word) for word in words(value)):
        raise ValueError(tr("is not a list of codes"))
    if "service" in words(value):
        raise ValueError(tr("lists `service`, which is the service itself"))
    return value


def _public_keys(value: str) -> str:
    for key in words(value.lower()):
        if len(key) != KEY_DIGITS or set(key) - set(hexdigits.lower()):
            raise ValueError(
                tr("is not a list of public keys of {digits} hex digits each", digits=KEY_DIGITS)
            )
    return value


def _dossier_url(value: str) -> str:
    try:
        value.format(tps_url="", procedure=1, number=1)
    except (KeyError, IndexError, ValueError, AttributeError):
        raise ValueError(tr("may hold {tps_url}, {procedure} and {number}, nothing else")) from None
    return value


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """`HOST:PORT` with an IP address or a name; an IPv6 address stands in brackets.

        Raises:
            ValueError: it is not of that form.
        """
        parts = urlsplit(f"//{text}")
        wrong = (parts.path, parts.query, parts.fragment, parts.username, parts.password)
        if not parts.hostname or parts.port is None or any(wrong):
            raise ValueError
        return cls(parts.hostname, parts.port)


def _listening_address(value: str) -> str:
    try:
        Address.parse(value)
    except ValueError:
        raise ValueError(tr("is not HOST:PORT")) from None
    return value


def _secret_path(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[A-Za-z0-9_-]{24,128}", value.get_secret_value()):
        raise ValueError(tr("is not 24 to 128 letters, digits, - and _"))
    return value


PLACEHOLDER_SENDER = "Work In France <ne-pas-repondre@workinfrance.example>"
"""The sender while none is given; refused in production."""

BrokerUrl = Annotated[SecretStr, AfterValidator(_broker_url)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
OneMailbox = Annotated[str, AfterValidator(_mailbox)]
Sender = Annotated[str, AfterValidator(_mailbox_but(PLACEHOLDER_SENDER))]
Folder = Annotated[Path, AfterValidator(_folder)]
ExistingFolder = Annotated[Path, AfterValidator(_existing_folder)]
Numbers = Annotated[str, AfterValidator(_numbers)]
Hosts = Annotated[str, AfterValidator(_hosts)]
RoleCodes = Annotated[str, AfterValidator(_role_codes)]
PublicKeys = Annotated[str, AfterValidator(_public_keys)]
ListeningAddress = Annotated[str, AfterValidator(_listening_address)]
SecretPath = Annotated[SecretStr, AfterValidator(_secret_path)]
DossierUrl = Annotated[str, AfterValidator(_dossier_url)]


_SAID: Mapping[str, str] = {
    "int_parsing": mark("is not a whole number"),
    "int_parsing_size": mark("is not a whole number of ordinary size"),
    "int_from_float": mark("is not a whole number"),
    "int_type": mark("is not a whole number"),
    "float_parsing": mark("is not a number"),
    "float_type": mark("is not a number"),
    "finite_number": mark("is not a number"),
    "bool_parsing": mark("is neither true nor false"),
    "bool_type": mark("is neither true nor false"),
    "greater_than": mark("must be more than {gt:g}"),
    "greater_than_equal": mark("must be at least {ge:g}"),
    "less_than_equal": mark("must be at most {le:g}"),
    "less_than": mark("must be less than {lt:g}"),
    "string_too_long": mark("has more than {max_length} characters"),
    "enum": mark("is none of {expected}"),
    "literal_error": mark("is none of {expected}"),
    "string_pattern_mismatch": mark("holds a character, or begins with one, that it may not"),
}
"""What is said for pydantic's kinds of error, which speak of inputs and parsing."""


def said(error: Mapping[str, Any]) -> str:
    """An error of pydantic's in our words, without the value."""
    text, context = _SAID.get(error["type"]), dict(error.get("ctx", {}))
    if text is None:
        return translated(said_by(context["error"]) if "error" in context else str(error["msg"]))
    if ":[0-5][0-9]" in context.get("pattern", ""):
        return tr("is no time of the day, written HH:MM")
    if "expected" in context:
        context["expected"] = ", ".join(re.findall(r"'([^']*)'", context["expected"]))
    return tr(text).format(**context)
