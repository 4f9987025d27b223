"""What is told of an incident, whichever way it goes: codes, counts and instants, in English."""

import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.alarm.meanings import MEANINGS
from routing.calendar import PARIS
from routing.incidents import IncidentKind

_WIDTH = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What is told of an incident.

    Attributes:
        key: the same at every attempt to tell of this, and for nothing else.
        kind: of the incident.
        subject: a procedure or the code of a cause, empty when there is nothing to tell apart.
        count: how many dossiers, deliveries or procedures it concerned when it was last looked at.
        since: when the oldest of them began to wait, None when that is not known.
        opened_at: when it was noticed.
        closed_at: when it was over, None while it lasts.
    """

    key: str
    kind: IncidentKind
    subject: str
    count: int
    since: datetime | None
    opened_at: datetime
    closed_at: datetime | None = None

    @property
    def incident(self) -> str:
        """The same for the beginning and the end of one incident, and for no other."""
        return f"{self.kind.value}.{self.subject}.{_utc(self.opened_at)}"

    @property
    def title(self) -> str:
        """One line that says what began, or what is over."""
        begun = "Over" if self.closed_at else "Alarm"
        about = f" ({self.subject})" if self.subject else ""
        return f"[Work In France] {begun}: {MEANINGS[self.kind].title}{about}"

    @property
    def text(self) -> str:
        """What, how many, since when and what to do, as plain text."""
        facts = [("Incident", self.kind.value)]
        if self.subject:
            facts.append(("Concerns", self.subject))
        facts += [("Count", str(self.count))]
        if self.since:
            facts.append(("Oldest", _paris(self.since)))
        facts.append(("Noticed", _paris(self.opened_at)))
        if self.closed_at:
            facts.append(("Over", _paris(self.closed_at)))
        meaning = MEANINGS[self.kind]
        said = f"It is over: {meaning.title}" if self.closed_at else _capital(meaning.title)
        lines = [f"{said}.", ""]
        lines += [f"{name + ':':<10} {value}" for name, value in facts]
        if self.closed_at is None:
            lines += ["", *_wrapped(meaning.advice), "", "One more word comes when it is over."]
        return "\n".join(lines) + "\n"

    def record(self) -> dict[str, Any]:
        """The same for programs; instants are UTC."""
        return {
            "incident": self.incident,
            "kind": self.kind.value,
            "subject": self.subject or None,
            "state": "over" if self.closed_at else "open",
            "count": self.count,
            "since": _utc(self.since),
            "opened_at": _utc(self.opened_at),
            "closed_at": _utc(self.closed_at),
            "advice": MEANINGS[self.kind].advice,
        }


def _capital(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _utc(instant: datetime | None) -> str | None:
    return instant.astimezone(UTC).isoformat(timespec="seconds") if instant else None


def _paris(instant: datetime) -> str:
    return f"{instant.astimezone(PARIS):%Y-%m-%d %H:%M} (Paris)"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
