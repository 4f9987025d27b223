"""Where mail is handed over, read from one URL."""

import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

_EXAMPLE = "write smtp+starttls://user:password@smtp.example:587"
_OPTIONS = frozenset({"ca", "helo", "plaintext-login"})


class Security(StrEnum):
    """How the connection is protected; the value is the scheme of the URL."""

    NONE = "smtp"
    TLS = "smtps"
    STARTTLS = "smtp+starttls"


_PORTS = {Security.NONE: 25, Security.TLS: 465, Security.STARTTLS: 587}


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpTarget:
    """One SMTP server and how to speak to it.

    Attributes:
        security: clear, TLS from the first byte, or STARTTLS. Never opportunistic.
        host: name or address of the server.
        port: 25, 465 or 587 when the URL has none.
        user: login name, None to send without a login.
        password: its password.
        ca: file of the authority that signed the server's certificate, None for the system's.
        helo: name given in EHLO, None for the literal of our own address.
    """

    security: Security
    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: Path | None = None
    helo: str | None = None

    @classmethod
    def parse(cls, url: str) -> Self:
        """The target that `url` names: `scheme://[user:password@]host[:port][?option=value&…]`.

        User and password are percent-decoded. Options: `ca=/path/of/authority.pem`,
        `helo=our.name.example`, and `plaintext-login=allow` to give the password to a
        server on another machine over an unprotected `smtp://` connection.

        Raises:
            ValueError: what is wrong and an example; never the URL, which may hold a password.
        """
        parts, port = _split(url)
        options = _options(parts.query)
        target = cls(
            security=_security(parts.scheme),
            host=_host(parts.hostname),
            port=port or _PORTS[_security(parts.scheme)],
            user=_secret(parts.username),
            password=_secret(parts.password),
            ca=Path(options["ca"]) if options.get("ca") else None,
            helo=_host(options["helo"]) if options.get("helo") else None,
        )
        target._check(plaintext_login=options.get("plaintext-login") == "allow")
        return target

    def _check(self, *, plaintext_login: bool) -> None:
        if (self.user is None) != (self.password is None):
            raise ValueError(f"user and password go together: {_EXAMPLE}")
        exposed = self.security is Security.NONE and self.user is not None
        if exposed and not plaintext_login and not _is_loopback(self.host):
            raise ValueError(
                "smtp:// would send the password in clear: use smtps:// or smtp+starttls://, "
                "or add ?plaintext-login=allow"
            )


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = None, None
    if parts is None or parts.path not in {"", "/"} or parts.fragment:
        raise ValueError(f"not the address of an SMTP server: {_EXAMPLE}")
    return parts, port


def _security(scheme: str) -> Security:
    if scheme not in set(Security):
        raise ValueError(f"the scheme is none of {', '.join(Security)}: {_EXAMPLE}")
    return Security(scheme)


def _host(host: str | None) -> str:
    try:
        encoded = (host or "").encode("idna").decode("ascii")
    except UnicodeError:
        encoded = ""
    if not encoded or not encoded.isprintable() or " " in encoded:
        raise ValueError(f"the name of the server is missing or malformed: {_EXAMPLE}")
    return encoded


def _secret(text: str | None) -> str | None:
    """`text` percent-decoded; only what the login commands can carry."""
    if not text:
        return None
    decoded = unquote(text)
    if not decoded.isascii() or not decoded.isprintable():
        raise ValueError("user and password can only hold visible ASCII characters")
    return decoded


def _options(query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    if options.keys() - _OPTIONS:
        raise ValueError(
            f"unknown option after the ?: the options are {', '.join(sorted(_OPTIONS))}"
        )
    return options


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
