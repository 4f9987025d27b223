"""Tables of counts and of published statistics; no dossier is in them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    ForeignKey,
    Integer,
    SmallInteger,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, BigKey, UtcDateTime


class Tally(Base):
    """How many of something there are, or were: counts, and no dossier. Summed by the sweep."""

    __tablename__ = "tallies"

    metric: Mapped[str] = mapped_column(String(32), primary_key=True)
    procedure: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    permit_type: Mapped[str] = mapped_column(String(64), primary_key=True)
    department: Mapped[str] = mapped_column(String(3), primary_key=True)
    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(32), primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)


class TallyDelta(Base):
    """What a change adds to a tally, or takes from it. Written by triggers."""

    __tablename__ = "tally_deltas"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    metric: Mapped[str] = mapped_column(String(32), default="", server_default="")
    procedure: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    permit_type: Mapped[str] = mapped_column(String(64), default="", server_default="")
    department: Mapped[str] = mapped_column(String(3), default="", server_default="")
    channel: Mapped[str] = mapped_column(String(16), default="", server_default="")
    outcome: Mapped[str] = mapped_column(String(32), default="", server_default="")
    amount: Mapped[int] = mapped_column(BigInteger)


class FieldTally(Base):
    """How often a field that routing reads was blank in a procedure: counts, and no dossier."""

    __tablename__ = "field_tallies"

    procedure: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    field: Mapped[str] = mapped_column(String(32), primary_key=True)
    known_read: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    known_blank: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    recent_read: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    recent_blank: Mapped[int] = mapped_column(Integer, default=0, server_default="0")


class DailyFigure(Base):
    """How many purged dossiers had been filed, or decided, on a day: counts, and no dossier.

    `stored` is what releases up to 0.1 counted of the others; a later one drops it.
    """

    __tablename__ = "daily_figures"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    event: Mapped[str] = mapped_column(String(16), primary_key=True)
    department: Mapped[str] = mapped_column(String(3), primary_key=True)
    permit_type: Mapped[str] = mapped_column(String(64), primary_key=True)
    working_days: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    stored: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    purged: Mapped[int] = mapped_column(Integer, default=0, server_default="0")


class PublishedMonth(Base):
    """A month whose figures are public. Rows are never changed: nothing can be told from two."""

    __tablename__ = "published_months"

    month: Mapped[date] = mapped_column(Date, primary_key=True)
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PublishedFigure(Base):
    """What is public of a month, a département and a permit type. Rows are never changed."""

    __tablename__ = "published_figures"

    month: Mapped[date] = mapped_column(ForeignKey("published_months.month"), primary_key=True)
    department: Mapped[str] = mapped_column(String(3), primary_key=True)
    permit_type: Mapped[str] = mapped_column(String(64), primary_key=True)
    requests: Mapped[int | None] = mapped_column(Integer)
    decisions: Mapped[int | None] = mapped_column(Integer)
    late: Mapped[int | None] = mapped_column(Integer)
    median: Mapped[int | None] = mapped_column(SmallInteger)
    p90: Mapped[int | None] = mapped_column(SmallInteger)


class NationalMonth(Base):
    """What national reports tell of a month beside its public figures. Rows are never changed: of
    two versions with different masks, what each hides could be computed."""

    __tablename__ = "national_months"

    month: Mapped[date] = mapped_column(Date, primary_key=True)
    figures: Mapped[Any] = mapped_column(JSON)
    told_at: Mapped[datetime] = mapped_column(UtcDateTime)
