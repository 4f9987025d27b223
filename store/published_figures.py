"""Public figures, month by month: written once, then only read."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import Connection, exists, insert, or_, select

from store.base import table_of
from store.count_models import PublishedFigure, PublishedMonth
from store.dossiers import DossierStatus
from store.models import Dossier
from store.upsert import insert_new

_FIGURES = table_of(PublishedFigure).c
_MONTHS = table_of(PublishedMonth).c


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFigure:
    """What is public of a month, a département and a permit type, as `Figures` says.

    Attributes:
        month: its first day.
    """

    month: date
    department: str
    permit_type: str
    requests: int | None = None
    decisions: int | None = None
    late: int | None = None
    median: int | None = None
    p90: int | None = None


def publish(
    connection: Connection, month: date, figures: Iterable[StoredFigure], now: datetime
) -> bool:
    """Store the figures of a month; False, and nothing is, when it has some already."""
    added = connection.execute(
        insert_new(connection, PublishedMonth)
        .values(month=month, published_at=now)
        .returning(PublishedMonth.month)
    ).first()
    if added is None:
        return False
    rows = [asdict(figure) for figure in figures]
    if rows:
        connection.execute(insert(table_of(PublishedFigure)), rows)
    return True


def months(connection: Connection) -> list[date]:
    """The months that are public, the earliest first."""
    return list(connection.execute(select(_MONTHS.month).order_by(_MONTHS.month)).scalars())


def permit_types(connection: Connection) -> set[str]:
    """Codes of the permit types of which something is public, `*` for all together included."""
    return set(connection.execute(select(_FIGURES.permit_type).distinct()).scalars())


def figures(
    connection: Connection,
    *,
    month: date | None = None,
    department: str | None = None,
    permit_type: str | None = None,
) -> Sequence[StoredFigure]:
    """What is public, by month, département and permit type.

    Args:
        connection: the transaction.
        month: of this one only.
        department: of this one only; `*` for France.
        permit_type: of this one only; `*` for all together.
    """
    wanted = {
        _FIGURES.month: month,
        _FIGURES.department: department,
        _FIGURES.permit_type: permit_type,
    }
    query = (
        select(*_FIGURES)
        .where(*(column == value for column, value in wanted.items() if value is not None))
        .order_by(_FIGURES.month, _FIGURES.department, _FIGURES.permit_type)
    )
    return [StoredFigure(**row._asdict()) for row in connection.execute(query)]


def is_incomplete(connection: Connection, until: datetime, *, seen_after: datetime) -> bool:
    """Whether a dossier that may have been filed before `until` was not read yet.

    Args:
        connection: the transaction.
        until: the end of what is to be published.
        seen_after: those that were first listed earlier are waited for no longer.
    """
    unread = exists().where(
        Dossier.facts_hash.is_(None),
        Dossier.next_attempt_at.is_not(None),
        Dossier.status == DossierStatus.PENDING.value,
        Dossier.seen_at > seen_after,
        or_(Dossier.filed_at.is_(None), Dossier.filed_at < until),
    )
    return bool(connection.execute(select(unread)).scalar())
