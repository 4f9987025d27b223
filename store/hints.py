"""Hints of TPS: dossiers and lists made due at once, each at most once in an interval.

A hint is never believed: it only moves a due time forward. One that comes too soon after
another, or while its row is claimed, is kept and followed by the next sweep.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from store.base import table_of
from store.models import Dossier, Hint, HintSource, Procedure
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
class ReceivedHint:
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


Key = tuple[int, int]
"""A procedure, and the number of a dossier or `THE_LIST`."""


_HINTS = table_of(Hint)
_ITS = _HINTS.c
_DOSSIER = table_of(Dossier).c
_ID = tuple_(_DOSSIER.procedure, _DOSSIER.number)
_PROCEDURE = table_of(Procedure).c
_SOURCE = table_of(HintSource).c


def note(connection: Connection, received: Sequence[ReceivedHint], now: datetime) -> Due:
    """Store what `received` hint at; those of procedures that are not known are left out.

    Args:
        connection: a transaction that has locked nothing yet.
        received: in the order in which they came.
        now: the present instant.
    """
    named = {(hint.procedure, number) for hint in received for number in (*hint.numbers, THE_LIST)}
    named |= {
        (hint.procedure, each.number) for hint in received for each in hint.events if each.number
    }
    known = _known(connection, named)
    mine = [hint for hint in received if (hint.procedure, THE_LIST) in known]
    wanted = {(hint.procedure, number) for hint in mine for number in hint.numbers}
    wanted |= _news(connection, mine, now)
    return _look(connection, wanted, known, now)


def follow(connection: Connection, now: datetime) -> Due:
    """Make due what earlier hints asked for and could not have; forget those that are done."""
    query = select(_ITS.procedure, _ITS.number).where(_ITS.again_at <= now)
    wanted = {(row[0], row[1]) for row in connection.execute(query)}
    due = _look(connection, wanted, _known(connection, wanted), now)
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


def _known(connection: Connection, keys: Collection[Key]) -> set[Key]:
    """Those of `keys` that are stored: dossiers, and procedures with their lists."""
    if not keys:
        return set()
    procedures = select(_PROCEDURE.number, literal(THE_LIST)).where(
        number_in(_PROCEDURE.number, "lists")
    )
    dossiers = select(_DOSSIER.procedure, _DOSSIER.number).where(_are(_DOSSIER, sorted(keys)))
    given = {"lists": [procedure for procedure, number in keys if number == THE_LIST]}
    found = connection.execute(union_all(procedures, dossiers), given)
    return {(row[0], row[1]) for row in found}


def _news(connection: Connection, received: Sequence[ReceivedHint], now: datetime) -> set[Key]:
    """What the events of `received` tell that was not heard; remember how far each webhook was."""
    wanted: set[Key] = set()
    heard = _heard(connection, {(hint.procedure, hint.source) for hint in received if hint.events})
    sources = {(hint.procedure, hint.source) for hint in received}
    for hint in received:
        if not hint.events:
            continue
        source = (hint.procedure, hint.source)
        before = heard.get(source)
        news = [each for each in hint.events if before is None or each.sequence > before]
        wanted |= {(hint.procedure, each.number) for each in news if each.number is not None}
        if before is None or (news and news[0].sequence > before + 1):
            wanted.add((hint.procedure, THE_LIST))
        heard[source] = max(hint.events[-1].sequence, before or 0)
    rows = [
        {"procedure": procedure, "source": name, "sequence": heard.get((procedure, name))}
        for procedure, name in sorted(sources)
    ]
    _hear(connection, rows, now)
    return wanted


def _heard(connection: Connection, sources: Collection[tuple[int, str]]) -> dict[Any, int | None]:
    if not sources:
        return {}
    of = tuple_(_SOURCE.procedure, _SOURCE.source).in_(sorted(sources))
    columns = (_SOURCE.procedure, _SOURCE.source, _SOURCE.sequence)
    ordered = select(*columns).where(of).order_by(_SOURCE.procedure, _SOURCE.source)
    rows = connection.execute(ordered.with_for_update())
    return {(procedure, source): sequence for procedure, source, sequence in rows}


def _hear(connection: Connection, rows: Sequence[dict[str, Any]], now: datetime) -> None:
    if not rows:
        return
    insert = _insert(connection)(table_of(HintSource))
    heard = {"sequence": insert.excluded.sequence, "heard_at": insert.excluded.heard_at}
    statement = insert.on_conflict_do_update(index_elements=["procedure", "source"], set_=heard)
    connection.execute(statement, [{**row, "heard_at": now} for row in rows])


def _look(connection: Connection, wanted: set[Key], known: set[Key], now: datetime) -> Due:
    # A dossier that is not known yet is found by listing: else
    # anything that is sent would make a row.
    keys = {key if key in known else (key[0], THE_LIST) for key in wanted}
    # One order for all: two that ask for the same rows wait for each other in turn.
    asked = _ask(connection, sorted(keys), now)
    routes = _read(connection, [key for key in asked if key[1] != THE_LIST], now)
    polls = _poll(connection, [key for key in asked if key[1] == THE_LIST], now)
    return Due(frozenset(polls), frozenset(procedure for procedure, _ in routes))


def _read(connection: Connection, keys: Sequence[Key], now: datetime) -> set[Key]:
    """Make dossiers due; those that are."""
    if not keys:
        return set()
    # Rows that another process has locked are not waited for: two that wait for each other fail.
    free = select(_DOSSIER.procedure, _DOSSIER.number).where(
        _are(_DOSSIER, keys), _DOSSIER.lease_token.is_(None)
    )
    due = case((_DOSSIER.next_attempt_at <= now, _DOSSIER.next_attempt_at), else_=now)
    making_due = (
        update(Dossier)
        .where(_ID.in_(free.with_for_update(skip_locked=True)))
        .values(next_attempt_at=due)
        .returning(_DOSSIER.procedure, _DOSSIER.number)
    )
    mine = {(row[0], row[1]) for row in connection.execute(making_due)}
    _ask_again(connection, set(keys) - mine, now + DOSSIER_INTERVAL)
    return mine


def _poll(connection: Connection, keys: Sequence[Key], now: datetime) -> set[int]:
    """Make procedures due for polling; the ids of those that are."""
    if not keys:
        return set()
    columns = (_PROCEDURE.number, _PROCEDURE.status, _PROCEDURE.lease_until)
    of = select(*columns).where(number_in(_PROCEDURE.number, "numbers"))
    given = {"numbers": [procedure for procedure, _ in keys]}
    found = connection.execute(of.with_for_update(skip_locked=True), given).all()
    free = {row.number for row in found if row.lease_until is None or row.lease_until <= now}
    # TPS refuses a stopped procedure, which is tried again on a clock of its own.
    stopped = {row.number for row in found if row.status == ProcedureStatus.STOPPED.value}
    mine = free - stopped
    if mine:
        later = and_(number_in(_PROCEDURE.number, "numbers"), _PROCEDURE.next_poll_at > now)
        making_due = update(Procedure).where(later).values(next_poll_at=now)
        connection.execute(making_due, {"numbers": sorted(mine)})
    # The page of one that is polled now may be older than the hint, and its end sets the
    # clock anew.
    others = {key for key in keys if key[0] not in mine | stopped}
    _ask_again(connection, others, now + LIST_INTERVAL)
    return mine


def _ask(connection: Connection, keys: Sequence[Key], now: datetime) -> list[Key]:
    """Those of `keys` that were not looked at within their interval; the others wait for it."""
    if not keys:
        return []
    insert = _insert(connection)(_HINTS)
    rested = _ITS.asked_at <= _either(now - LIST_INTERVAL, now - DOSSIER_INTERVAL)
    again = _either(now + LIST_INTERVAL, now + DOSSIER_INTERVAL)
    statement = insert.on_conflict_do_update(
        index_elements=["procedure", "number"],
        set_={
            "asked_at": case((rested, insert.excluded.asked_at), else_=_ITS.asked_at),
            "again_at": case((rested, None), else_=func.coalesce(_ITS.again_at, again)),
        },
    ).returning(_ITS.procedure, _ITS.number, _ITS.asked_at)
    rows = [
        {"procedure": procedure, "number": number, "asked_at": now, "again_at": None}
        for procedure, number in keys
    ]
    asked = connection.execute(statement, rows)
    return [(row[0], row[1]) for row in asked if row[2] == now]


def _either(for_lists: datetime, for_dossiers: datetime) -> ColumnElement[datetime]:
    return case((_ITS.number == THE_LIST, for_lists), else_=for_dossiers)


def _ask_again(connection: Connection, keys: Collection[Key], at: datetime) -> None:
    if keys:
        connection.execute(update(Hint).where(_are(_ITS, sorted(keys))).values(again_at=at))


def _are(columns: Any, keys: Sequence[Key]) -> ColumnElement[bool]:  # noqa: ANN401
    """Whether a row is one of `keys`."""
    return tuple_(columns.procedure, columns.number).in_(list(keys))


def _insert(connection: Connection) -> Any:  # noqa: ANN401
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert
