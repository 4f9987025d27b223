"""What each kind of incident is called, and which commands help."""

from collections.abc import Mapping
from dataclasses import dataclass

from routing.incidents import IncidentKind


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an incident is called, and what to do."""

    title: str
    advice: str


MEANINGS: Mapping[IncidentKind, Meaning] = {
    IncidentKind.UNREAD: Meaning(
        "dossiers wait to be read",
        "See `wif status`: are there enough workers on the queue `route`, and does TPS answer?",
    ),
    IncidentKind.UNSENT: Meaning(
        "deliveries wait to be sent",
        "See `wif deliveries list --state pending`: its reasons tell whether the mail server or "
        "one mailbox fails.",
    ),
    IncidentKind.POLL_LAG: Meaning(
        "procedures are not polled",
        "See `wif procedures list` and `wif doctor`: does TPS answer, and does a worker take the "
        "queue `poll`?",
    ),
    IncidentKind.DEAD_LETTERS: Meaning(
        "deliveries are dead",
        "See `wif deliveries list --state dead`; mend the cause, then `wif deliveries replay`.",
    ),
    IncidentKind.DRIFT: Meaning(
        "a form seems to have changed; its dossiers are held",
        "Compare its fields in TPS with config/procedures.yaml, correct and publish the rules, "
        "then `wif procedures resume` with its number.",
    ),
    IncidentKind.STOPPED: Meaning(
        "TPS refuses procedures",
        "See `wif procedures list`: is the token still valid and allowed to read them? A new token "
        "in its file is tried within five minutes; else they are tried again every hour, or by "
        "`wif procedures resume`.",
    ),
    IncidentKind.UNROUTED: Meaning(
        "dossiers went to the fallback unit and still wait there",
        "See `wif dossiers list --unrouted` for the reasons; `wif dossiers reassign` them, or mend "
        "routing.yaml, or units.yaml where no unit serves a département.",
    ),
    IncidentKind.QUARANTINED: Meaning(
        "dossiers cannot be read",
        "See `wif dossiers list --status quarantined` for the reasons.",
    ),
    IncidentKind.CHANNEL_DISABLED: Meaning(
        "a unit's endpoint said that it wants nothing more (410)",
        "Ask the unit for its new address, or `wif channels enable` it when it is in use again; "
        "then `wif deliveries replay --reason webhook-gone`.",
    ),
    IncidentKind.WEBHOOK_OFF: Meaning(
        "TPS has switched a webhook off",
        "Nothing is lost: polls find what is new. Is `wif serve` reached from outside? Then "
        "`wif webhooks list`, and `wif webhooks enable` with procedure and id.",
    ),
    IncidentKind.CERTIFICATE: Meaning(
        "the certificate that mails are signed with expires soon, or has expired",
        "Ask for a new one, and replace the files of WIF_SMIME_CERTIFICATE_FILE and "
        "WIF_SMIME_KEY_FILE; `wif doctor` says until when the one in use is good.",
    ),
    IncidentKind.UNSERVED: Meaning(
        "work waits in a queue that no worker takes",
        "Start a worker for it: `wif worker --queues` with its name, or without that option for "
        "all queues; `wif doctor` says which queues are needed.",
    ),
    IncidentKind.RULES_REFUSED: Meaning(
        "edited rules are refused; the last good ones stay in force",
        "Run `wif rules check`: it names file, line and what to write.",
    ),
}
