"""Who is to blame when a message cannot be handed over: the server, or one unit's mailbox.

A failing mailbox is left alone while the others get their messages; a failing server is
left alone altogether. Neither costs what waits an attempt.
"""

from collections.abc import Collection

from connectors.mail.failure import SHUTTING_DOWN, MailFailure, Stage
from routing.failures import Action, Cause, Failure
from service.guards import breakers, outages
from service.guards.breakers import MAIL_SERVER, BreakerState
from service.runtime import Runtime

_ABOUT_US = frozenset({Cause.MAIL_AUTH_REFUSED, Cause.MAIL_TLS})
"""Some servers say so no sooner than at the recipient."""

_BEFORE_THE_MAILBOX = frozenset(
    {
        *(Stage.CONNECT, Stage.TLS, Stage.GREETING, Stage.EHLO, Stage.STARTTLS, Stage.AUTH),
        Stage.MAIL,
    }
)
"""Stages at which the server does not know yet whom a message is for."""


class Mailboxes:
    """The mail server and the mailboxes behind it, as far as they fail."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._breakers = runtime.breakers
        self._breakers.refresh()

    def state(self) -> BreakerState:
        """Whether the server may be used now, or only for one message."""
        return self._breakers.state(MAIL_SERVER)

    def resting(self, units: Collection[str]) -> frozenset[str]:
        """Those of `units` whose mailbox is to be left alone now."""
        targets = [breakers.mailbox(unit) for unit in units]
        return frozenset(target.name for target in self._breakers.resting(targets))

    def rests(self, unit: str) -> bool:
        """Whether the mailbox of `unit` is to be left alone now."""
        return self._breakers.state(breakers.mailbox(unit)) is BreakerState.OPEN

    def tell(self, unit: str, failure: Failure | None) -> bool:
        """Tell how a message went; True when the server is to be left alone from now on."""
        if failure is None or _answered(failure):
            self._well(unit)
            return False
        if _says_nothing(failure):
            return False
        if _is_the_servers(failure):
            self._breakers.failed(MAIL_SERVER)
            return True
        self._breakers.failed(breakers.mailbox(unit))
        if failure.status is not None:
            self._breakers.succeeded(MAIL_SERVER)
            return False
        # Silence behind RCPT: a filter that chokes on one mailbox, or a server that is going.
        return self._breakers.failed(MAIL_SERVER)

    def _well(self, unit: str) -> None:
        server = self._breakers.succeeded(MAIL_SERVER)
        box = self._breakers.succeeded(breakers.mailbox(unit))
        if server or box:
            with self._runtime.database.begin() as connection:
                if server:
                    outages.mail_is_back(self._runtime, connection)
                if box:
                    outages.mailbox_is_back(self._runtime, connection, unit)


def _answered(failure: Failure) -> bool:
    """Whether the server did its work: it refused this message for good."""
    return failure.action is Action.PERMANENT and failure.status is not None


def _says_nothing(failure: Failure) -> bool:
    """Whether nobody was asked: the fault is in our own configuration or code."""
    return failure.action is Action.PERMANENT or failure.cause is Cause.INTERNAL


def _is_the_servers(failure: Failure) -> bool:
    if not isinstance(failure, MailFailure):
        return True
    early = failure.stage in _BEFORE_THE_MAILBOX
    return early or failure.status == SHUTTING_DOWN or failure.cause in _ABOUT_US
