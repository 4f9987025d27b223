"""Messages handed to an SMTP server, one connection for as many as there are."""

import os
import time

from connectors.closing import Closing
from connectors.mail.envelope import Envelope
from connectors.mail.failure import SHUTTING_DOWN, MailFailure, Stage, of_error
from connectors.mail.smtp_session import SmtpSession, Timeouts
from connectors.mail.target import SmtpTarget
from routing.failures import Cause
from routing.mailbox import Mailbox

_CLOSED_BETWEEN_MESSAGES = frozenset({Cause.MAIL_DROPPED, Cause.MAIL_THROTTLED})


class SmtpSender(Closing):
    """Hands messages to one SMTP server, one recipient each.

    The connection is opened by the first message, kept for the next ones, and opened
    anew after it was lost. It belongs to the process that opened it: after a fork the
    child opens its own. Not for use by several threads at once.
    """

    def __init__(self, url: str, *, sender: str, timeouts: Timeouts | None = None) -> None:
        """Prepare; nothing is opened yet.

        Args:
            url: see `SmtpTarget.parse`.
            sender: mailbox that messages come from; its address goes on the envelope.
            timeouts: how long each stage may take; `Timeouts()` when None.

        Raises:
            ValueError: `url` or `sender` is wrong; neither is repeated in the error.
        """
        self._target = SmtpTarget.parse(url)
        self._sender = Mailbox.parse(sender).address
        self._timeouts = timeouts or Timeouts()
        self._open: SmtpSession | None = None
        self._owner = 0
        self._used_at = 0.0

    def close(self) -> None:
        """Send QUIT and close; the next message opens a new connection."""
        session, self._open = self._current(), None
        if session is not None:
            session.quit()

    def check(self) -> None:
        """Connect and log in, or find the open connection alive; send nothing.

        Raises:
            MailFailure: as `send` would.
        """
        failure = None if self._reusable() else self._try(None)
        if failure is not None:
            raise failure.with_traceback(None)

    def send(self, envelope: Envelope) -> None:
        """Hand `envelope` over; the server has accepted it when this returns.

        Raises:
            MailFailure: it has not, or, when `uncertain`, we do not know. It carries no
                word of the server, no address, and no chained error that would.
        """
        reused = self._reusable()
        failure = self._try(envelope)
        if failure is not None and reused and _closed_before_it_began(failure):
            failure = self._try(envelope)
        if failure is not None:
            # The frames below hold what the server said.
            raise failure.with_traceback(None)

    def _try(self, envelope: Envelope | None) -> MailFailure | None:
        """One attempt, to connect only when there is no message.

        The failure is returned, because raised here it would chain its cause.
        """
        session = self._open or self._begin()
        # Written before the clock starts: that it takes time is not the server's doing.
        content = envelope.content if envelope else b""
        session.start_clock()
        try:
            if not session.ready:
                session.open()
            if envelope is not None:
                session.deliver(envelope, content, self._sender)
        except MailFailure as refused:
            failure = refused
        except OSError as error:
            failure = of_error(session.stage, error)
        except BaseException:
            self._drop()
            raise
        else:
            self._used_at = time.monotonic()
            return None
        self._recover(session, failure)
        return failure

    def _begin(self) -> SmtpSession:
        self._open = SmtpSession(self._target, self._timeouts)
        self._owner = os.getpid()
        return self._open

    def _recover(self, session: SmtpSession, failure: MailFailure) -> None:
        """Keep the connection only if the server refused one message and is ready for another."""
        refused = failure.status not in {None, SHUTTING_DOWN} and failure.stage in _IN_TRANSACTION
        if refused and session.reset():
            self._used_at = time.monotonic()
        else:
            self._drop()

    def _reusable(self) -> bool:
        """Whether an open connection is at hand that still answers."""
        session = self._current()
        if session is None:
            return False
        idle = time.monotonic() - self._used_at
        if idle < self._timeouts.idle or session.alive():
            return True
        self._drop()
        return False

    def _current(self) -> SmtpSession | None:
        """The open connection, if this process opened it; a parent's is let go in silence."""
        if self._open is not None and self._owner != os.getpid():
            self._drop()
        return self._open

    def _drop(self) -> None:
        session, self._open = self._open, None
        if session is not None:
            session.abandon()


_IN_TRANSACTION = frozenset({Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.ACCEPTANCE})


def _closed_before_it_began(failure: MailFailure) -> bool:
    """Whether the server had merely closed a connection that we had kept."""
    return failure.stage is Stage.MAIL and failure.cause in _CLOSED_BETWEEN_MESSAGES
