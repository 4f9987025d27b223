"""Timestamps of a third party over seals: what the owner of database and key cannot make later.

A timestamp over a seal covers all before it, which it is chained to. So one who rewrites the past
needs timestamps of the past, which the authority does not give.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select

from store.audit.check import Violation, ViolationKind
from store.audit.seals import Seal
from store.models import AuditTimestamp

LATE = timedelta(days=2)
"""How long after its sealing a seal may be covered: an authority can be away for a day."""

TimeOf = Callable[[bytes, bytes], datetime]
"""When the authority saw a message, by its token; raises ValueError for one that is not valid."""


@dataclass(frozen=True, slots=True)
class Timestamp:
    """One timestamp over one seal; `token` is the authority's whole answer (DER)."""

    number: int
    at: datetime
    token: bytes


@dataclass(frozen=True, slots=True)
class Coverage:
    """What timestamps vouch for.

    Attributes:
        timestamps: how many are valid.
        first: number of the first seal that one covers; None without any.
        since: when the authority saw that one.
        findings: what contradicts them.
    """

    timestamps: int
    first: int | None
    since: datetime | None
    findings: tuple[Violation, ...]


def stamped_message(seal: Seal) -> bytes:
    """What is stamped of a seal: its hash in hex, as ASCII."""
    return seal.hash.encode("ascii")


def newest_timestamp(connection: Connection) -> Timestamp | None:
    """The last one; None before the first."""
    row = connection.execute(_SELECT.order_by(AuditTimestamp.number.desc()).limit(1)).first()
    return Timestamp(*row) if row else None


def all_timestamps(connection: Connection) -> list[Timestamp]:
    """Every one, in the order of the seals."""
    return [Timestamp(*row) for row in connection.execute(_SELECT.order_by(AuditTimestamp.number))]


def keep_timestamp(connection: Connection, made: Timestamp) -> None:
    """Store one, for good."""
    values = {"number": made.number, "at": made.at, "token": made.token}
    connection.execute(insert(AuditTimestamp).values(values))


_SELECT = select(AuditTimestamp.number, AuditTimestamp.at, AuditTimestamp.token)


def check_timestamps(
    seals: Iterator[Seal], stamps: Sequence[Timestamp], time_of: TimeOf, *, now: datetime
) -> Coverage:
    """Whether each seal was seen by the authority soon after it was made.

    Args:
        seals: every seal, in order.
        stamps: every timestamp, in order.
        time_of: checks one and gives its time.
        now: seals that are younger than `LATE` are not late yet.
    """
    by_number = {stamp.number: stamp for stamp in stamps}
    seen: list[tuple[int, datetime]] = []
    findings: list[Violation] = []
    waiting: list[Seal] = []
    for seal in seals:
        stamp = by_number.pop(seal.number, None)
        if seen or stamp:
            waiting.append(seal)
        if stamp is None:
            continue
        try:
            at = time_of(stamp.token, stamped_message(seal))
        except ValueError:
            findings.append(Violation(ViolationKind.TIMESTAMP_INVALID, seal.number))
            continue
        seen.append((seal.number, at))
        findings += [_late(each) for each in waiting if at > _made(each) + LATE]
        waiting = []
    findings += [_late(each) for each in waiting if now > _made(each) + LATE]
    findings += [Violation(ViolationKind.SEAL_MISSING, number) for number in sorted(by_number)]
    first = seen[0] if seen else (None, None)
    return Coverage(len(seen), first[0], first[1], tuple(findings))


def _made(seal: Seal) -> datetime:
    return datetime.fromisoformat(f"{seal.sealed_at}+00:00")


def _late(seal: Seal) -> Violation:
    return Violation(ViolationKind.TIMESTAMP_LATE, seal.number)
