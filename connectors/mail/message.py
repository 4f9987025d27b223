"""A notice made into a mail: the same bytes at every attempt, but for its date."""

import hashlib
from binascii import b2a_qp
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

from connectors.mail import header
from connectors.mail.address import Mailbox
from connectors.mail.letter import PARIS, write
from connectors.mail.line import one_line
from connectors.mail.mail import Mail
from connectors.mail.notice import Notice
from connectors.mail.page import page, text
from routing.failures import Cause, Failure

_BOUNDARY = "=_wif-alternative"
"""Cannot occur in a quoted-printable part."""

_FIXED = (
    ("Auto-Submitted", "auto-generated"),
    # all but NDR: that a mailbox is gone has to come back to us
    ("X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply"),
    ("Content-Language", "fr"),
    ("MIME-Version", "1.0"),
    ("Content-Type", f'multipart/alternative; boundary="{_BOUNDARY}"'),
)


def compose(notice: Notice, *, sender: str, recipient: str, at: datetime | None = None) -> Mail:
    """The mail that tells `recipient` of `notice`.

    There is no `Precedence` header: `bulk` would make filters hold back what an office
    waits for, and `Auto-Submitted` already keeps automatic answers away. The bytes are
    put together here, because `email.message.EmailMessage` takes ten times as long.

    Args:
        notice: what is told.
        sender: mailbox it comes from (`Work In France <ne-pas-repondre@wif.example>`).
        recipient: the unit's mailbox.
        at: instant of the `Date` header, now when None.

    Raises:
        Failure: sender or recipient is not one mail address (`MAIL_SENDER_REFUSED`,
            `MAIL_RECIPIENT_REFUSED`).
    """
    origin = _mailbox(sender, Cause.MAIL_SENDER_REFUSED)
    target = _mailbox(recipient, Cause.MAIL_RECIPIENT_REFUSED)
    letter = write(notice)
    message_id = _message_id(notice.key, origin.domain)
    codes = _codes(notice)
    headers = (
        ("From", header.mailbox(origin.name, origin.address)),
        ("To", header.mailbox(target.name, target.address)),
        ("Subject", header.encoded(letter.subject)),
        ("Date", format_datetime((at or datetime.now(UTC)).astimezone(PARIS))),
        ("Message-ID", message_id),
        *((name, header.encoded(code)) for name, code in codes),
        *_FIXED,
    )
    return Mail(
        recipient=target.address,
        message_id=message_id,
        label=" ".join(code for _, code in codes[:3]),
        content=_block(headers) + _alternatives(text(letter), page(letter)),
    )


def _message_id(key: str, domain: str) -> str:
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return f"<wif.{digest[:40]}@{domain}>"


def _mailbox(written: str, refused: Cause) -> Mailbox:
    mailbox = _parsed(written)
    if mailbox is None:
        raise Failure(refused)
    return mailbox


@lru_cache(maxsize=1024)
def _parsed(written: str) -> Mailbox | None:
    try:
        return Mailbox.parse(written)
    except ValueError:
        return None


def _codes(notice: Notice) -> tuple[tuple[str, str], ...]:
    """Headers by which an office can sort its mailbox with rules."""
    return (
        ("X-WIF-Unit", _code(notice.unit)),
        ("X-WIF-Event", notice.event.value),
        ("X-WIF-Dossier", f"{notice.procedure}/{notice.number}"),
        ("X-WIF-Permit-Type", _code(notice.permit_type)),
        ("X-WIF-Department", _code(notice.department)),
    )


def _code(code: str | None) -> str:
    return one_line(code or "", longest=32) or "unknown"


def _alternatives(plain: str, html: str) -> bytes:
    """The two parts of the message, the plain one first as RFC 2046 asks."""
    parts = (_part("plain", plain), _part("html", html))
    delimiter = f"--{_BOUNDARY}"
    opened = b"".join(delimiter.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return opened + delimiter.encode() + b"--\r\n"


def _part(subtype: str, content: str) -> bytes:
    """Quoted-printable, which every server passes on unchanged and a person can still read."""
    headers = (
        ("Content-Type", f'text/{subtype}; charset="utf-8"'),
        ("Content-Transfer-Encoding", "quoted-printable"),
    )
    return _block(headers) + b"\r\n".join(map(_quoted_printable, content.split("\n")))


@lru_cache(maxsize=1024)
def _quoted_printable(line: str) -> bytes:
    """One line, encoded. Most lines come again in every message."""
    # The encoder takes its line ends, those of a line that it breaks too, from the text.
    return b2a_qp(line.encode() + b"\r\n", istext=True)[:-2]


def _block(headers: tuple[tuple[str, str], ...]) -> bytes:
    """The header lines and the empty line that ends them; UTF-8 for addresses that need it."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode() + b"\r\n"
