"""Which seals were told outside, so that each is told once."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from store.models import ToldSeal
from store.upsert import insert_new


@dataclass(frozen=True, slots=True)
class LastToldSeal:
    """A seal that was told outside, and when."""

    number: int
    at: datetime


def last_told(connection: Connection) -> LastToldSeal | None:
    """The newest seal that was told, None before the first."""
    query = select(ToldSeal.number, ToldSeal.at).order_by(ToldSeal.number.desc()).limit(1)
    row = connection.execute(query).first()
    return LastToldSeal(*row) if row else None


def note_told(connection: Connection, number: int, at: datetime) -> None:
    """Note that the seal `number` was told."""
    connection.execute(insert_new(connection, ToldSeal).values(number=number, at=at))
