"""A mailbox: the name that is shown and the address that is written on the envelope."""

import re
from dataclasses import dataclass
from typing import Self

from connectors.mail.line import one_line

_LONGEST_LOCAL = 64
_LONGEST_ADDRESS = 254
_WHOLE = re.compile(r"(?:(?P<name>[^<>]*)<(?P<angled>[^<>\s]+)>|(?P<bare>[^<>\s]+))")
_LOCAL = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*")
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """One address, as given in the configuration.

    Attributes:
        name: what a mail reader shows; empty when there is none.
        local: what stands before the @; may hold non-ASCII letters.
        domain: what stands after it, lower-case, in its ASCII (IDNA) form.
    """

    name: str
    local: str
    domain: str

    @property
    def address(self) -> str:
        """The address of the envelope."""
        return f"{self.local}@{self.domain}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """`text` as one mailbox: `moe@ud75.example` or `Name <moe@ud75.example>`.

        Raises:
            ValueError: it is not exactly one address. The text is not repeated.
        """
        whole = _WHOLE.fullmatch(one_line(text, longest=_LONGEST_ADDRESS * 2))
        if whole is None:
            raise ValueError("not one mail address: write service@office.example")
        local, _, domain = (whole["angled"] or whole["bare"]).rpartition("@")
        ascii_domain = _ascii_domain(domain)
        valid = _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(ascii_domain)
        if not valid or len(local.encode()) > _LONGEST_LOCAL:
            raise ValueError("not a mail address: write service@office.example")
        name = (whole["name"] or "").strip().strip('"').strip()
        return cls(name=one_line(name, longest=80), local=local, domain=ascii_domain)


def _ascii_domain(domain: str) -> str:
    """`domain` in lower case and ASCII; empty when it cannot be a domain."""
    try:
        encoded = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
    return encoded if len(encoded) <= _LONGEST_ADDRESS - _LONGEST_LOCAL else ""
