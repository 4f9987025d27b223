"""Units: the offices that instruct dossiers, and the days on which they do."""

from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum

MAIL_CHANNEL = "mail"
"""The kind of channel that every office can have, and by which reports and alarms go."""

GROUP_CHANNEL = "tps_group"
"""The kind of channel that tells nobody: it moves the dossier, in TPS, to the unit's group."""


@dataclass(frozen=True, slots=True)
class UnitChannel:
    """A way to tell a unit something.

    Attributes:
        kind: protocol (`mail`).
        address: where, in the words of the protocol: a functional mailbox for `mail`, the label
            of a *groupe d'instructeurs* for `tps_group`.
        carries_many: whether one message may tell of many dossiers, as digests and reminders do.
    """

    kind: str
    address: str
    carries_many: bool = False


class DigestDays(StrEnum):
    """On which days a unit gets its digest."""

    WORKING = "working"
    ALL = "all"


class Notify(StrEnum):
    """How a rule wants its units to be told by mail."""

    INSTANT = "instant"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Digest:
    """When a unit gets one mail with all that is new, in place of one for each dossier.

    Attributes:
        times: of the day, by the clock of the office.
        every_day: also on week-ends and public holidays.
        on_request: only with what a rule wants to be told that way.
    """

    times: tuple[time, ...]
    every_day: bool = False
    on_request: bool = False

    def takes(self, wish: Notify | None) -> bool:
        """Whether it carries what is told by a rule with that wish, None for a rule without."""
        if wish is None:
            return not self.on_request
        return wish is Notify.DIGEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """An office.

    Attributes:
        code: `UD075`.
        name: as it is shown to people.
        departments: codes of the départements that it serves while it is open.
        channels: how it is told.
        opens: first day (Europe/Paris) on which it takes dossiers, None for always.
        closes: first day on which it takes none any more, None for never.
        successor: code of the unit that takes over on `closes`.
        contact: whom its agents may ask, None when that is the same for all.
        digest: when it is told of all that is new in one message; None: of each dossier at once.
        escalate_to: code of the unit, such as that of its region, that is reminded too of what
            waits here too long; None: the same as for all.
    """

    code: str
    name: str
    departments: tuple[str, ...]
    channels: tuple[UnitChannel, ...]
    opens: date | None = None
    closes: date | None = None
    successor: str | None = None
    contact: str | None = None
    digest: Digest | None = None
    escalate_to: str | None = None

    @property
    def has_group(self) -> bool:
        """Whether dossiers are moved, in TPS, to a group of this unit."""
        return any(channel.kind == GROUP_CHANNEL for channel in self.channels)

    @property
    def told_by(self) -> tuple[str, ...]:
        """The kinds of channel by which it is told."""
        kinds = dict.fromkeys(channel.kind for channel in self.channels)
        return tuple(kind for kind in kinds if kind != GROUP_CHANNEL)

    @property
    def carriers(self) -> tuple[str, ...]:
        """The kinds of channel by which it is told of many dossiers at once."""
        return tuple(channel.kind for channel in self.channels if channel.carries_many)

    @property
    def place(self) -> str | None:
        """The département whose clock and holidays the office has; None for those of Paris."""
        return self.departments[0] if self.departments else None

    def open_on(self, day: date) -> bool:
        """Whether the unit takes dossiers on `day`."""
        return (self.opens is None or self.opens <= day) and not self.closed_on(day)

    def closed_on(self, day: date) -> bool:
        """Whether the unit has stopped taking dossiers by `day`."""
        return self.closes is not None and self.closes <= day
