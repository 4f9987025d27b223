"""A broker behind Redis Sentinel, in one address that Celery and our own client both go by.

    sentinel://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]…]/MASTER[?db=N][&sentinel_password=…]

USER and PASSWORD are those of the servers; Sentinels may have a password of their own.
"""

from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

SCHEME = "sentinel"
PORT = 26379


class SentinelAddress(NamedTuple):
    """Where Sentinels are, and which master is asked for.

    Attributes:
        hosts: host and port of each Sentinel.
        master: its name.
        database: number of the database.
        user: of the servers, None for the default one.
        password: of the servers, None where none is asked for.
        sentinel_password: of the Sentinels.
    """

    hosts: tuple[tuple[str, int], ...]
    master: str
    database: int
    user: str | None
    password: str | None
    sentinel_password: str | None

    @classmethod
    def parse(cls, url: str) -> Self:
        """An address.

        Raises:
            ValueError: it is not of that form.
        """
        parts = urlsplit(url)
        login, _, places = parts.netloc.rpartition("@")
        user, _, password = login.partition(":")
        asked = parse_qs(parts.query, strict_parsing=bool(parts.query))
        master = parts.path.removeprefix("/")
        if not master or "/" in master or set(asked) - {"db", "sentinel_password"}:
            raise ValueError("is not sentinel://HOST:PORT,HOST:PORT/MASTER")
        return cls(
            hosts=tuple(_host(place) for place in places.split(",")),
            master=unquote(master),
            database=int(asked.get("db", ["0"])[0]),
            user=unquote(user) or None,
            password=unquote(password) or None,
            sentinel_password=asked.get("sentinel_password", [None])[0],
        )

    @property
    def celery_url(self) -> str:
        """The same in Celery's words, which take the rest as options."""
        login = f"{quote(self.user or '', safe='')}:{quote(self.password or '', safe='')}@"
        before = login if self.password else ""
        return ";".join(f"{SCHEME}://{before}{h}:{p}/{self.database}" for h, p in self.hosts)

    def celery_options(self, *, seconds: float) -> dict[str, Any]:
        """What Celery's transport needs besides; a Sentinel may take `seconds` to answer."""
        timeouts = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
        own = {"password": self.sentinel_password} if self.sentinel_password else {}
        return {"master_name": self.master, "sentinel_kwargs": {**timeouts, **own}}


def through_sentinel(url: str) -> SentinelAddress | None:
    """The Sentinels that an address names, None when it names a server."""
    return SentinelAddress.parse(url) if url.startswith(f"{SCHEME}://") else None


def _host(place: str) -> tuple[str, int]:
    parts = urlsplit(f"//{place}")
    if not parts.hostname:
        raise ValueError("names no host")
    return parts.hostname, parts.port or PORT
