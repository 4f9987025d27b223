"""A mailbox: the name that is shown and the address that is written on the envelope.

One grammar for what admins configure and for what is sent to: that of `email-validator`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

_WHOLE = re.compile(r"(?:(?P<name>[^<>]*)<(?P<angled>[^<>\s]+)>|(?P<bare>[^<>\s]+))")

_ORDINARY = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9]+([._-][A-Za-z0-9]+)*")
"""What stands before most @, and is right by any grammar."""

LONGEST_ADDRESS = 200
"""Characters of an ordinary address; what is longer is checked as a whole."""


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
        whole = _WHOLE.fullmatch(text.strip())
        found = _parts(whole["angled"] or whole["bare"]) if whole else None
        name = (whole["name"] or "").strip().strip('"').strip() if whole else ""
        if found is None or not name.isprintable():
            raise ValueError("not one mail address: write service@office.example")
        return cls(name=name, local=found[0], domain=found[1])


def _parts(address: str) -> tuple[str, str] | None:
    """What stands before and after the @, None when it is no address."""
    local, _, domain = address.rpartition("@")
    if _ORDINARY.fullmatch(local) and len(address) <= LONGEST_ADDRESS:
        # Addresses by the thousand have few domains, and each takes long to check.
        found_domain = _domain(domain)
        return None if found_domain is None else (local, found_domain)
    found = _validated(address)
    if found is None or found.ascii_domain is None:
        return None
    return found.local_part, found.ascii_domain


@lru_cache(maxsize=256)
def _domain(domain: str) -> str | None:
    """A domain as it is used, None when it is none."""
    found = _validated(f"service@{domain}")
    return found.ascii_domain if found else None


def _validated(address: str) -> ValidatedEmail | None:
    try:
        return validate_email(
            address, check_deliverability=False, strict=True, test_environment=True
        )
    except (EmailNotValidError, UnicodeError):
        return None  # the error repeats the address
