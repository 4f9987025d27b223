"""Who is to blame when a message cannot be handed over: the server, or one mailbox behind it."""

from connectors.channel import Blame
from connectors.mail.failure import SHUTTING_DOWN, MailFailure, Stage
from routing.failures import Action, Cause, Failure

_ABOUT_US = frozenset({Cause.MAIL_AUTH_REFUSED, Cause.MAIL_TLS})
"""Some servers say so no sooner than at the recipient."""

_BEFORE_THE_MAILBOX = frozenset(
    {
        *(Stage.CONNECT, Stage.TLS, Stage.GREETING, Stage.EHLO, Stage.STARTTLS, Stage.AUTH),
        Stage.MAIL,
    }
)
"""Stages at which the server does not know yet whom a message is for."""


def blame(failure: Failure) -> Blame:
    """Who or what `failure` is to blame on."""
    if failure.action is Action.PERMANENT:
        return Blame.NOBODY if failure.status is None else Blame.MESSAGE
    if failure.cause is Cause.INTERNAL:
        return Blame.NOBODY
    if _is_the_servers(failure):
        return Blame.WAY
    # Silence behind RCPT: a filter that chokes on one mailbox, or a server that is going.
    return Blame.UNCLEAR if failure.status is None else Blame.ADDRESS


def _is_the_servers(failure: Failure) -> bool:
    if not isinstance(failure, MailFailure):
        return True
    early = failure.stage in _BEFORE_THE_MAILBOX
    return early or failure.status == SHUTTING_DOWN or failure.cause in _ABOUT_US
