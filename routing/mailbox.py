"""A mailbox: the name that is shown and the address that is written on the envelope.

One grammar for what admins configure and for what is sent to: that of `email-validator`.
"""

import re
from dataclasses import dataclass
from typing import Self

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

_WHOLE = re.compile(r"(?:(?P<name>[^<>]*)<(?P<angled>[^<>\s]+)>|(?P<bare>[^<>\s]+))")


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
        found = _validated(whole["angled"] or whole["bare"]) if whole else None
        name = (whole["name"] or "").strip().strip('"').strip() if whole else ""
        if found is None or found.ascii_domain is None or not name.isprintable():
            raise ValueError("not one mail address: write service@office.example")
        return cls(name=name, local=found.local_part, domain=found.ascii_domain)


def _validated(address: str) -> ValidatedEmail | None:
    try:
        return validate_email(
            address, check_deliverability=False, strict=True, test_environment=True
        )
    except (EmailNotValidError, UnicodeError):
        return None  # the error repeats the address
