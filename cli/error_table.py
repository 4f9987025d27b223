"""`docs/errors.md`, made from the tables that the code itself goes by.

`python -m cli.error_table > docs/errors.md` writes it anew; a test keeps both in step.
"""

import sys
import textwrap
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby

from config.settings import PREFIX, Settings
from connectors.alarm.meanings import MEANINGS
from connectors.mail.failure import Stage, of_reply
from connectors.retry_after import LONGEST_RETRY_AFTER
from connectors.tps.http_status import cause_of
from routing import drift, retries
from routing.failures import TABLE, Action, Cause
from routing.forms import TpsApi
from routing.incidents import IncidentKind
from routing.quarantine import ABSENCES_BEFORE_ASKING
from service import incidents
from service.guards import throttle
from service.guards.breakers import POLICIES, Kind
from service.guards.limits import NEW_ACCESS_INTERVAL, STOPPED_PROBE_INTERVAL
from store.heartbeats import GAP

ACTIONS = {
    Action.DONE: "nothing: it went well",
    Action.RETRY: "tried again later, by itself",
    Action.THROTTLED: "tried again when the peer asks to; costs no attempt",
    Action.PERMANENT: "a dossier is quarantined and asked for again; a delivery is dead",
    Action.STOP_PROCEDURE: (
        "the procedure is stopped and tried again every "
        f"{STOPPED_PROBE_INTERVAL.total_seconds() / 3600:.0f} h, within "
        f"{NEW_ACCESS_INTERVAL.total_seconds() / 60:.0f} min with a new token; the others go on"
    ),
    Action.PAUSE_PROCEDURE: (
        "the procedure is paused until a person resumes it: its dossiers are held"
    ),
}

TARGETS = {
    Kind.TPS: "TPS as a whole: polls that failed, procedures that stopped answering",
    Kind.PROCEDURE: "reading the dossiers of one procedure",
    Kind.CHANNEL: "the way to all addresses of a channel: the mail server",
    Kind.ADDRESS: "the address of one unit on a channel: its mailbox",
}

THRESHOLDS = {
    IncidentKind.UNREAD: "alarm_unread_after",
    IncidentKind.UNSENT: "alarm_unsent_after",
    IncidentKind.POLL_LAG: "alarm_poll_lag_after",
    IncidentKind.QUARANTINED: "alarm_quarantined_after",
    IncidentKind.UNROUTED: "alarm_unrouted_after",
}
"""The setting with the age from which on it is an incident; the others are ones at once."""


def page() -> str:
    """The whole page."""
    parts = (_head, _causes, _http, _smtp, _retries, _breakers, _limit, _drift, _incidents)
    return "".join(f"{line}\n" for part in parts for line in part())


def _head() -> Iterator[str]:
    yield "# Errors, and what is done about them"
    yield ""
    yield "<!-- Made by `python -m cli.error_table`: change the code, not this page. -->"
    yield ""
    yield "Codes only: no log line, no audit line and no mail holds what a peer said."
    yield ""
    yield "| action | what happens |"
    yield "|---|---|"
    yield from (f"| `{action}` | {meaning} |" for action, meaning in ACTIONS.items())


def _causes() -> Iterator[str]:
    yield from ("", "## Causes", "")
    yield "| cause | action | when |"
    yield "|---|---|---|"
    for cause, verdict in TABLE.items():
        yield f"| `{cause}` | `{verdict.action}` | {verdict.meaning} |"


def _http() -> Iterator[str]:
    yield from ("", "## HTTP statuses of TPS", "")
    yield "| status | cause | action |"
    yield "|---|---|---|"
    for cause, statuses in groupby(range(100, 600), cause_of):
        yield f"| {_span(list(statuses))} | {_cause(cause)} |"
    yield ""
    longest = _hours(LONGEST_RETRY_AFTER)
    yield f"`Retry-After` is honoured in seconds and as a date, up to {longest}."
    yield "A list that is refused for good (404, for instance) stops its procedure."


def _smtp() -> Iterator[str]:
    yield from ("", "## Answers of the mail server", "")
    stages = [stage for stage in Stage if stage not in {Stage.CONNECT, Stage.TLS, Stage.CONTENT}]
    yield "| at | 4xx | 421 | 450 4.7.x | 5xx | 5xx 5.7.x | 530 | 538 |"
    yield "|---|---|---|---|---|---|---|---|"
    answers = (
        (451, b"4.3.0"),
        (421, b"4.3.2"),
        (450, b"4.7.1"),
        (550, b"5.1.1"),
        (550, b"5.7.1"),
        (530, b"5.7.0"),
        (538, b"5.7.11"),
    )
    for stage in stages:
        causes = [of_reply(stage, status, text).cause for status, text in answers]
        yield f"| {stage} | {' | '.join(f'`{cause}`' for cause in causes)} |"
    yield ""
    yield from _prose(
        "Silence is `mail-timeout`, a lost connection `mail-dropped`, at any stage; after the "
        "whole message was sent the outcome is then unknown, and it is sent again under the same "
        "`Message-ID`. Anything that is no SMTP answer is `mail-dropped` too."
    )


def _retries() -> Iterator[str]:
    total = sum(
        (retries.delay(attempt, lambda: 0.0) for attempt in range(1, retries.MAX_ATTEMPTS)),
        timedelta(),
    )
    yield from ("", "## Retries", "")
    longest = _hours(retries.QUARANTINE_LONGEST_DELAY.total_seconds())
    yield from _prose(
        f"The first comes after {_seconds(retries.FIRST_DELAY)}, then the wait doubles up to "
        f"{_hours(retries.LONGEST_DELAY.total_seconds())}, each up to a third longer by chance. "
        f"A delivery is dead after {retries.MAX_ATTEMPTS} attempts, "
        f"{_hours(total.total_seconds())} or more after the first. A dossier in quarantine is "
        f"asked for again for ever, at last every {longest}. What an outage put off is due as "
        f"soon as it is over. A dossier is `gone` when {ABSENCES_BEFORE_ASKING} full scans in a "
        "row missed it and TPS answers 404 for it."
    )


def _breakers() -> Iterator[str]:
    yield from ("", "## What is left alone while it fails", "")
    yield "What waits for it costs no attempt meanwhile. After its rest it is tried with one probe."
    yield ""
    yield "| target | failures in a row | rest |"
    yield "|---|---|---|"
    for kind, policy in POLICIES.items():
        yield f"| {TARGETS[kind]} | {policy.failures} | {_seconds(policy.rest)} |"


def _limit() -> Iterator[str]:
    default = ", ".join(f"{api.requests_per_minute} by {api}" for api in TpsApi)
    yield from ("", "## The limit towards TPS", "")
    yield from _prose(
        f"`{PREFIX}TPS_REQUESTS_PER_MINUTE` (by default {default}) holds for all workers "
        f"together. Reading dossiers leaves {throttle.KEPT_FOR_POLLS:.0%} of it to the polls. "
        "After a 429 all workers pause for as long as TPS asks."
    )


def _drift() -> Iterator[str]:
    yield from ("", "## A form that changed", "")
    yield from _prose(
        "A procedure is paused with the reason `schema-drift`, and the batch in which it shows is "
        "held, when its département (by its proper field) or its permit type is suddenly blank: "
        f"at least {drift.LEAST_BLANK} blanks, a share of blanks that rose by "
        f"{drift.LEAST_RISE:.0%} or more, and a chance of less than one in {1 / drift.CHANCE:,.0f} "
        f"that this happens by itself, given what at least {drift.LEARNED} readings showed "
        "before. `wif procedures resume` reads what was held again and accepts it as it is."
    )


def _incidents() -> Iterator[str]:
    yield from ("", "## Incidents", "")
    yield from _prose(
        f"Looked for every minute; `{PREFIX}OPS_MAILBOX` gets one mail when one begins and one "
        "when it is over, `wif status` shows those that last. One of age is over when the age is "
        f"below {incidents.CLOSES_BELOW:.0%} of what opened it."
    )
    yield ""
    yield "| incident | means | from | what to do |"
    yield "|---|---|---|---|"
    for kind, meaning in MEANINGS.items():
        yield f"| `{kind}` | {meaning.title} | {_threshold(kind)} | {meaning.advice} |"


def _prose(text: str) -> list[str]:
    return textwrap.wrap(text, 100, break_long_words=False, break_on_hyphens=False)


def _threshold(kind: IncidentKind) -> str:
    if kind is IncidentKind.UNSERVED:
        return _seconds(GAP)
    name = THRESHOLDS.get(kind)
    if name is None:
        return "at once"
    default = Settings.model_fields[name].default
    return f"{_seconds(timedelta(seconds=default))} (`{PREFIX}{name.upper()}`)"


def _cause(cause: Cause | None) -> str:
    if cause is None:
        return f"– | `{Action.DONE}`"
    return f"`{cause}` | `{TABLE[cause].action}`"


def _span(statuses: Sequence[int]) -> str:
    return str(statuses[0]) if len(statuses) == 1 else f"{statuses[0]}–{statuses[-1]}"


def _seconds(duration: timedelta) -> str:
    seconds = int(duration.total_seconds())
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0 and seconds > size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.0f} h"


if __name__ == "__main__":
    sys.stdout.write(page())
