"""What an office is told about a dossier: an allow-list, as `Facts` is one.

Every field is a code, a number, an instant, or a text that an admin wrote in the
configuration. There is no field in which anything typed into TPS could travel.
"""

from dataclasses import dataclass
from datetime import datetime

from routing.assignment import Event
from routing.facts import Reason


@dataclass(frozen=True, slots=True)
class Office:
    """A unit as it is named to another one: its code and its name."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Placement:
    """What is known of the group in which TPS has a dossier.

    Attributes:
        current: whether the unit that is meant still has the dossier.
        known: number of the group in which it was first seen, or into which this service moved
            it last; None when neither is known.
        begun: labels of the groups to which moves were begun since, of which the end is not known.
    """

    current: bool
    known: int | None
    begun: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message to one unit about one event of one dossier.

    Attributes:
        event: what happened.
        procedure: id of the TPS procedure.
        number: number of the dossier.
        unit: code of the unit that is told.
        unit_name: its name.
        permit_type: code of the permit type, None when it was not recognised.
        permit_label: its French label, None likewise.
        department: code of the département of competence, None when unknown.
        department_name: its name, None likewise.
        filed_at: instant of deposit, timezone-aware.
        rule_why: the sentence of the rule that matched, as the admin wrote it; None without a rule.
        reasons: what classification and decision found on their way.
        routed: False when the unit is the fallback unit, for want of a competent one.
        counterpart: the other unit of a reassignment, or the one that has the dossier of which
            this one is informed; None when there is none.
        dossier_url: address of the dossier in TPS.
        key: what tells this delivery from any other; the same at every attempt.
        form_name: name of the form, None when it is not known.
        moved_why: why a person moved it, in the words of the configuration; None when none did.
        contact: whom to ask, as an admin wrote it; None when nobody is named.
        prefix: how every subject begins, whatever it is about.
        decided_at: instant of the decision that is told, None when it is not known.
        carried: of a digest or of reminders: what it tells of, oldest first. Its own number is
            then 0, and its deposit that of the first.
        placement: where TPS has the dossier, for the channel that moves it; None for others.
    """

    event: Event
    procedure: int
    number: int
    unit: str
    unit_name: str
    permit_type: str | None
    permit_label: str | None
    department: str | None
    department_name: str | None
    filed_at: datetime
    rule_why: str | None
    reasons: tuple[Reason, ...]
    routed: bool
    counterpart: Office | None
    dossier_url: str
    key: str
    form_name: str | None = None
    moved_why: str | None = None
    contact: str | None = None
    prefix: str = "[WIF]"
    decided_at: datetime | None = None
    carried: "tuple[Notice, ...]" = ()
    placement: Placement | None = None

    def __post_init__(self) -> None:
        if self.filed_at.tzinfo is None:
            raise ValueError("filed_at is naive: give an instant with its timezone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A harmless message that shows whether a channel of a unit works; it is about no dossier.

    Attributes:
        unit: code of the unit.
        unit_name: its name.
        sent_at: instant of the trial, timezone-aware.
        key: what tells this trial from any other.
        contact: whom to ask, as an admin wrote it; None when nobody is named.
        prefix: how every subject begins.
    """

    unit: str
    unit_name: str
    sent_at: datetime
    key: str
    contact: str | None = None
    prefix: str = "[WIF]"


Message = Notice | Trial
"""What a channel can be given to send."""
