"""The offices' SMTP server: it remembers which of its acceptances nobody heard."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from aiosmtpd.smtp import Envelope

from tests.fixtures.smtp import Received, SmtpServer
from tests.fixtures.smtp_faults import At, Fault

DIGEST = "digest"
_LISTED = re.compile(rb"(?m)^- n=C2=B0 ?([0-9]+) ")
_HEADER = re.compile(
    rb"(?im)^(Message-ID|X-WIF-Unit|X-WIF-Event|X-WIF-Dossier):[ \t\r\n]*(\S+)\r?$"
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a message tells whom, and by which id.

    A digest has no dossier of its own: its procedure and number are 0, and `carried` holds the
    numbers that it lists.
    """

    procedure: int
    number: int
    event: str
    unit: str
    recipient: str
    message_id: str
    carried: tuple[int, ...] = ()

    @property
    def subject(self) -> tuple[int, int, str, str]:
        """The part that a delivery has as well."""
        return (self.procedure, self.number, self.event, self.unit)


class OfficeServer(SmtpServer):
    """Takes what the service sends.

    Attributes:
        on_accept: called with each message that was accepted, in the server's thread and
            before the sender is told.
        unheard: for each id, how often it was accepted in a conversation that was cut
            before the sender could know, or after the sender had died.
    """

    def __init__(self) -> None:
        super().__init__(pipelining=True)
        self.on_accept: Callable[[Told], None] | None = None
        self.unheard: Counter[str] = Counter()
        self._cut = False

    @property
    def listening(self) -> bool:
        """Whether it runs."""
        return self._thread is not None

    def next_fault(self, at: At, recipients: list[str]) -> Fault | None:
        fault = super().next_fault(at, recipients)
        if at is At.CONTENT:
            # no other conversation comes between this and `keep`
            self._cut = fault is not None and fault.accept
        return fault

    def keep(self, envelope: Envelope, generation: int) -> bool:
        heard = super().keep(envelope, generation) and not self._cut
        told = _told(envelope.original_content or b"", envelope.rcpt_tos[0])
        if not heard:
            self.unheard[told.message_id] += 1
        if self.on_accept is not None:
            self.on_accept(told)
        return heard

    @property
    def told(self) -> list[Told]:
        """What was accepted so far, in order."""
        return told(self.messages)


def told(messages: Iterable[Received]) -> list[Told]:
    """What `messages` tell."""
    return [_told(message.raw, message.recipient) for message in messages]


@lru_cache(maxsize=50_000)
def _told(raw: bytes, recipient: str) -> Told:
    head = raw.partition(b"\r\n\r\n")[0]
    found = {name.decode().lower(): value.decode() for name, value in _HEADER.findall(head)}
    dossier = found["x-wif-dossier"]
    procedure, _, number = ("0", "", "0") if dossier == DIGEST else dossier.partition("/")
    text = raw.partition(b"text/html")[0] if dossier == DIGEST else b""
    return Told(
        procedure=int(procedure),
        number=int(number),
        carried=tuple(int(listed) for listed in _LISTED.findall(text)),
        event=found["x-wif-event"],
        unit=found["x-wif-unit"],
        recipient=recipient,
        message_id=found["message-id"],
    )
