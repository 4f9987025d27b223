"""Where a webhook is posted, read from one URL."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

_EXAMPLE = "https://host.example/path"
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class WebhookUrl:
    """One endpoint.

    Attributes:
        secure: whether it is reached over TLS.
        host: its name in ASCII, or its address, in lower case.
        port: 443 or 80 where the URL has none.
    """

    secure: bool
    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> Self:
        """The endpoint that `url` names.

        Raises:
            ValueError: what is wrong and an example; never the URL, which may hold a secret.
        """
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").rstrip("."), parts.port
            host.encode("idna")
        except (ValueError, UnicodeError):
            host, port = "", None
        if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
            raise ValueError(f"is no web address: for example {_EXAMPLE}")
        if not host or parts.scheme not in _PORTS or port == 0:
            raise ValueError(f"is no web address: for example {_EXAMPLE}")
        if parts.username is not None or parts.password is not None:
            raise ValueError("holds a user or password: messages are signed, leave it out")
        if parts.fragment:
            raise ValueError("has a part after #, which is never sent: leave it out")
        return cls(parts.scheme == "https", host, port or _PORTS[parts.scheme])
