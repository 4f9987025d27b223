"""Who is to blame for a mail that was not handed over: the server, or one mailbox."""

import pytest

from connectors.channel import Blame
from connectors.mail.blame import blame
from connectors.mail.failure import MailFailure, Stage
from routing.failures import Cause, Failure


def failed(cause: Cause, stage: Stage, status: int | None = None) -> MailFailure:
    return MailFailure(cause, stage=stage, status=status)


@pytest.mark.parametrize(
    ("failure", "whose"),
    [
        (failed(Cause.MAIL_RECIPIENT_REFUSED, Stage.RCPT, 550), Blame.MESSAGE),
        (failed(Cause.MAIL_REJECTED, Stage.DATA, 554), Blame.MESSAGE),
        (failed(Cause.MAIL_REJECTED, Stage.MAIL), Blame.NOBODY),
        (Failure(Cause.CHANNEL_MISSING), Blame.NOBODY),
        (Failure(Cause.INTERNAL), Blame.NOBODY),
        (Failure(Cause.MAIL_UNWRITABLE), Blame.WAY),
        (failed(Cause.MAIL_UNREACHABLE, Stage.CONNECT), Blame.WAY),
        (failed(Cause.MAIL_TEMPORARY, Stage.GREETING, 451), Blame.WAY),
        (failed(Cause.MAIL_SENDER_REFUSED, Stage.MAIL, 550), Blame.WAY),
        (failed(Cause.MAIL_AUTH_REFUSED, Stage.RCPT, 530), Blame.WAY),
        (failed(Cause.MAIL_TLS, Stage.RCPT, 538), Blame.WAY),
        (failed(Cause.MAIL_THROTTLED, Stage.RCPT, 421), Blame.WAY),
        (failed(Cause.MAIL_TEMPORARY, Stage.RCPT, 451), Blame.ADDRESS),
        (failed(Cause.MAIL_THROTTLED, Stage.RCPT, 450), Blame.ADDRESS),
        (failed(Cause.MAIL_TIMEOUT, Stage.RCPT), Blame.UNCLEAR),
        (failed(Cause.MAIL_DROPPED, Stage.ACCEPTANCE), Blame.UNCLEAR),
    ],
)
def test_each_failure_has_its_culprit(failure: Failure, whose: Blame) -> None:
    assert blame(failure) is whose
