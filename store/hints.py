"""Hints of TPS: dossiers and lists made due at once, each at most once in an interval.

A hint is never believed: it only moves a due time forward. One that comes too soon after
another, or while its row is claimed, is kept and followed by the next sweep.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from store.models import Dossier, Hint, HintSource, Procedure, table_of
from store.number_filter import number_in
from store.procedures import ProcedureStatus

DOSSIER_INTERVAL = timedelta(minutes=1)
"""A dossier is read for hints at most once in it, however many come."""

LIST_INTERVAL = timedelta(seconds=15)
"""A procedure is polled for hints at most once in it."""

THE_LIST = 0
"""Stands for the procedure's list where a dossier's number would."""

FORM = "form"
"""The source of hints of the old kind, which do not say where they come from."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a signed batch.

    Attributes:
        sequence: of its webhook.
        number: the dossier to look at, `THE_LIST` where only the list can tell more, None
            where there is nothing to look at.
    """

    sequence: int
    number: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tip:
    """What one request of TPS hints at.

    Attributes:
        procedure: id of the procedure.
        source: the webhook it came from.
        numbers: dossiers to look at, of an unnumbered request.
        events: of a signed batch, in ascending sequence; what was heard before is left out.
    """

    procedure: int
    source: str
    numbers: frozenset[int] = frozenset()
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """What became due: procedures to poll, and procedures with dossiers to read."""

    polls: frozenset[int] = frozenset()
    routes: frozenset[int] = frozenset()


@dataclass(slots=True)
class _Wanted:
    """What is to be looked at in one procedure."""

    numbers: set[int] = field(default_factory=set)
    the_list: bool = False


_HINTS = table_of(Hint)
_ITS = _HINTS.c
_DOSSIER = table_of(Dossier).c
_PROCEDURE = table_of(Procedure).c
_SOURCE = table_of(HintSource).c


def note(connection: Connection, tips: Sequence[Tip], now: datetime) -> Due:
    """Store what `tips` hint at; those of procedures that are not known are left out.

    Args:
        connection: a transaction that has locked nothing yet.
        tips: in the order in which they came.
        now: the present instant.
    """
    ours = _known_procedures(connection, {tip.procedure for tip in tips})
    wanted: dict[int, _Wanted] = {}
    for tip in sorted((tip for tip in tips if tip.procedure in ours), key=_key):
        _add(connection, wanted.setdefault(tip.procedure, _Wanted()), tip, now)
    return _look(connection, wanted, now)


def follow(connection: Connection, now: datetime) -> Due:
    """Make due what earlier hints asked for and could not have; forget those that are done."""
    wanted: dict[int, _Wanted] = {}
    query = select(_ITS.procedure, _ITS.number).where(_ITS.again_at <= now)
    for procedure, number in connection.execute(query):
        place = wanted.setdefault(procedure, _Wanted())
        if number == THE_LIST:
            place.the_list = True
        else:
            place.numbers.add(number)
    due = _look(connection, wanted, now)
    done = and_(_ITS.again_at.is_(None), _ITS.asked_at <= now - DOSSIER_INTERVAL)
    # What is still to be looked at now is known no more: it was purged.
    connection.execute(delete(_HINTS).where(or_(done, _ITS.again_at <= now)))
    return due


@dataclass(frozen=True, slots=True)
class HeardSource:
    """A webhook: the last event that it told of, and when."""

    procedure: int
    source: str
    sequence: int | None
    heard_at: datetime


def sources(connection: Connection) -> list[HeardSource]:
    """Every webhook that was ever heard, by procedure."""
    columns = (_SOURCE.procedure, _SOURCE.source, _SOURCE.sequence, _SOURCE.heard_at)
    query = select(*columns).order_by(_SOURCE.procedure, _SOURCE.source)
    return [HeardSource(*row) for row in connection.execute(query)]


def _key(tip: Tip) -> tuple[int, str]:
    return tip.procedure, tip.source


def _known_procedures(connection: Connection, numbers: Collection[int]) -> frozenset[int]:
    query = select(_PROCEDURE.number).where(number_in(_PROCEDURE.number, "numbers"))
    return frozenset(connection.execute(query, {"numbers": numbers}).scalars())


def _add(connection: Connection, wanted: _Wanted, tip: Tip, now: datetime) -> None:
    """Add to `wanted` what is news in `tip`, and remember how far its webhook was heard."""
    if not tip.events:
        wanted.numbers |= tip.numbers
        _hear(connection, tip, None, now)
        return
    heard = _heard(connection, tip)
    news = [event for event in tip.events if heard is None or event.sequence > heard]
    wanted.numbers |= {event.number for event in news if event.number}
    missed = heard is None or (bool(news) and news[0].sequence > heard + 1)
    wanted.the_list |= missed or any(event.number == THE_LIST for event in news)
    _hear(connection, tip, max(tip.events[-1].sequence, heard or 0), now)


def _heard(connection: Connection, tip: Tip) -> int | None:
    of = and_(_SOURCE.procedure == tip.procedure, _SOURCE.source == tip.source)
    query = select(_SOURCE.sequence).where(of).with_for_update()
    found: int | None = connection.execute(query).scalar()
    return found


def _hear(connection: Connection, tip: Tip, sequence: int | None, now: datetime) -> None:
    values = {"procedure": tip.procedure, "source": tip.source}
    heard = {"sequence": sequence, "heard_at": now}
    insert = _insert(connection)(table_of(HintSource)).values(**values, **heard)
    connection.execute(
        insert.on_conflict_do_update(index_elements=["procedure", "source"], set_=heard)
    )


def _look(connection: Connection, wanted: Mapping[int, _Wanted], now: datetime) -> Due:
    polls, routes = set(), set()
    for procedure, what in sorted(wanted.items()):
        known = _known_dossiers(connection, procedure, what.numbers)
        if known and _read(connection, procedure, known, now):
            routes.add(procedure)
        # A dossier that is not known yet is found by listing: a row made for a hint
        # would be a row for whatever somebody sends.
        unknown = what.the_list or known != what.numbers
        if unknown and _poll(connection, procedure, now):
            polls.add(procedure)
    return Due(frozenset(polls), frozenset(routes))


def _known_dossiers(
    connection: Connection, procedure: int, numbers: Collection[int]
) -> frozenset[int]:
    if not numbers:
        return frozenset()
    of = and_(_DOSSIER.procedure == procedure, number_in(_DOSSIER.number, "numbers"))
    found = connection.execute(select(_DOSSIER.number).where(of), {"numbers": numbers})
    return frozenset(found.scalars())


def _read(connection: Connection, procedure: int, numbers: Iterable[int], now: datetime) -> bool:
    """Make dossiers due, those that may be; whether any is."""
    ready = _ask(connection, procedure, sorted(numbers), DOSSIER_INTERVAL, now)
    if not ready:
        return False
    of = and_(_DOSSIER.procedure == procedure, number_in(_DOSSIER.number, "numbers"))
    # Rows that somebody has locked are not waited for: two that wait for each other fail.
    free = select(_DOSSIER.number).where(of, _DOSSIER.lease_token.is_(None))
    locking = free.with_for_update(skip_locked=True)
    mine = set(connection.execute(locking, {"numbers": ready}).scalars())
    later = or_(_DOSSIER.next_attempt_at.is_(None), _DOSSIER.next_attempt_at > now)
    making_due = update(Dossier).where(of, later).values(next_attempt_at=now)
    connection.execute(making_due, {"numbers": mine})
    _ask_again(connection, procedure, set(ready) - mine, now + DOSSIER_INTERVAL)
    return bool(mine)


def _poll(connection: Connection, procedure: int, now: datetime) -> bool:
    """Make a procedure due for polling, if it may be; whether it is."""
    if not _ask(connection, procedure, [THE_LIST], LIST_INTERVAL, now):
        return False
    # TPS refuses a stopped procedure, which is tried again on a clock of its own.
    active = _PROCEDURE.status != ProcedureStatus.STOPPED.value
    made = connection.execute(
        update(Procedure)
        .where(_PROCEDURE.number == procedure, active)
        .values(next_poll_at=_earlier(_PROCEDURE.next_poll_at, now))
        .returning(_PROCEDURE.lease_until)
    ).first()
    if made is None:
        return False
    polled_now = made.lease_until is not None and made.lease_until > now
    if polled_now:
        # Its page may be older than the hint, and its end sets the clock anew.
        _ask_again(connection, procedure, [THE_LIST], now + LIST_INTERVAL)
    return not polled_now


def _earlier(column: ColumnElement[datetime], now: datetime) -> ColumnElement[datetime]:
    return case((column > now, now), else_=column)


def _ask(
    connection: Connection,
    procedure: int,
    numbers: Sequence[int],
    interval: timedelta,
    now: datetime,
) -> list[int]:
    """Those of `numbers` that were not looked at within `interval`; the others wait for it."""
    insert = _insert(connection)(_HINTS)
    rested = _ITS.asked_at <= now - interval
    again = func.coalesce(_ITS.again_at, bindparam("again", type_=_ITS.again_at.type))
    statement = insert.on_conflict_do_update(
        index_elements=["procedure", "number"],
        set_={
            "asked_at": case((rested, insert.excluded.asked_at), else_=_ITS.asked_at),
            "again_at": case((rested, None), else_=again),
        },
    ).returning(_ITS.asked_at)
    given = {"procedure": procedure, "asked_at": now, "again_at": None, "again": now + interval}
    asked = {
        number: connection.execute(statement, {**given, "number": number}).scalar_one()
        for number in numbers
    }
    return [number for number, asked_at in asked.items() if asked_at == now]


def _ask_again(
    connection: Connection, procedure: int, numbers: Collection[int], at: datetime
) -> None:
    if numbers:
        of = and_(_ITS.procedure == procedure, number_in(_ITS.number, "numbers"))
        connection.execute(update(Hint).where(of).values(again_at=at), {"numbers": numbers})


def _insert(connection: Connection) -> Any:  # noqa: ANN401
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert
