"""How the ops page writes ages and kinds, in French; everything else is a code."""

from collections.abc import Mapping
from datetime import datetime

from routing.calendar import PARIS
from routing.incidents import IncidentKind

MINUTE, HOUR, DAY = 60, 3_600, 86_400

INCIDENTS: Mapping[IncidentKind, str] = {
    IncidentKind.UNREAD: "des dossiers attendent d'être lus",
    IncidentKind.UNSENT: "des envois attendent",
    IncidentKind.POLL_LAG: "des démarches ne sont pas relevées",
    IncidentKind.DEAD_LETTERS: "des envois sont abandonnés",
    IncidentKind.DRIFT: "un formulaire semble avoir changé",
    IncidentKind.STOPPED: "TPS refuse des démarches",
    IncidentKind.UNROUTED: "des dossiers restent sans unité compétente",
    IncidentKind.QUARANTINED: "des dossiers ne peuvent pas être lus",
    IncidentKind.CHANNEL_DISABLED: "une unité ne veut plus rien recevoir à son adresse",
    IncidentKind.WEBHOOK_OFF: "TPS a coupé son webhook",
    IncidentKind.CERTIFICATE: "le certificat des courriels finit bientôt, ou est fini",
    IncidentKind.UNSERVED: "du travail attend dans une file que personne ne prend",
    IncidentKind.RULES_REFUSED: "les règles du dossier sont fausses",
}


def incident(kind: IncidentKind) -> str:
    """What an incident is called; its code where it has no name here."""
    return INCIDENTS.get(kind, kind.value)


def age(since: datetime | None, now: datetime) -> str:
    """`3 min`, `5 h`, `2 j`; a dash where there is nothing."""
    if since is None:
        return "–"
    seconds = max(0, int((now - since).total_seconds()))
    for limit, unit, name in ((2 * DAY, DAY, "j"), (2 * HOUR, HOUR, "h"), (MINUTE, MINUTE, "min")):
        if seconds >= limit:
            return f"{seconds // unit}\u00a0{name}"
    return f"{seconds}\u00a0s"


def instant(at: datetime | None) -> str:
    """`28/11/2026 14:03` in Paris."""
    return "–" if at is None else f"{at.astimezone(PARIS):%d/%m/%Y %H:%M}"
