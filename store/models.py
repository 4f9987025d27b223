"""The tables. Every column is on the allow-list of `docs/registre-des-traitements.md`.

The database is the truth: what is due is a column (`next_attempt_at`), a claim is a
lease token, and a claimed row's due time is the end of its lease, so that whatever a
dead process held becomes due again by itself.
"""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from store import count_models  # noqa: F401 - its tables belong to the metadata
from store.base import Base, BigKey
from store.base import Codes as Codes  # noqa: PLC0414 - migrations name it here
from store.base import UtcDateTime as UtcDateTime  # noqa: PLC0414 - migrations name it here


class Procedure(Base):
    """A TPS procedure that is polled: its lease, its clocks, its cursor."""

    __tablename__ = "procedures"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    status: Mapped[str] = mapped_column(String(16), default="active", server_default="active")
    reason: Mapped[str | None] = mapped_column(String(64))
    lease_token: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    next_poll_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_scan_at: Mapped[datetime] = mapped_column(UtcDateTime)
    failures: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    polled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    scanned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    scan_started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cursor: Mapped[str | None] = mapped_column(Text)
    purged_before: Mapped[datetime | None] = mapped_column(UtcDateTime)
    refused_access: Mapped[str | None] = mapped_column(String(64))
    """A keyed hash of the address and the token that TPS refused; a new one is tried soon."""


class Dossier(Base):
    """A dossier that TPS listed: its facts, the decision taken on them, and its clock."""

    __tablename__ = "dossiers"

    procedure: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    status: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(64))
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    lane: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_token: Mapped[str | None] = mapped_column(String(32))
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    listed_change_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_listed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    absences: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    # facts
    state: Mapped[str | None] = mapped_column(String(24))
    filed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    permit_type: Mapped[str | None] = mapped_column(String(64))
    department: Mapped[str | None] = mapped_column(String(3))
    department_source: Mapped[str | None] = mapped_column(String(32))
    filer: Mapped[str | None] = mapped_column(String(16))
    fact_reasons: Mapped[tuple[str, ...]] = mapped_column(Codes, default=(), server_default="")
    facts_hash: Mapped[str | None] = mapped_column(String(64))
    # decision
    units: Mapped[tuple[str, ...]] = mapped_column(Codes, default=(), server_default="")
    rule: Mapped[str | None] = mapped_column(String(64))
    ruleset: Mapped[str | None] = mapped_column(String(64))
    reasons: Mapped[tuple[str, ...]] = mapped_column(Codes, default=(), server_default="")
    unrouted: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    assignment: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    pinned_unit: Mapped[str | None] = mapped_column(String(32))
    pinned_reason: Mapped[str | None] = mapped_column(String(64))
    worker_losses: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    aside_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tps_group: Mapped[int | None] = mapped_column(BigInteger)
    """The group in which a list first showed it, or into which this service moved it since."""

    __table_args__ = (
        Index(
            "ix_dossiers_ended",
            "procedure",
            "ended_at",
            postgresql_where=text("ended_at IS NOT NULL"),
            sqlite_where=text("ended_at IS NOT NULL"),
        ),
        Index("ix_dossiers_filed", "filed_at"),
        Index(
            "ix_dossiers_aside_since",
            "aside_since",
            postgresql_where=text("aside_since IS NOT NULL"),
            sqlite_where=text("aside_since IS NOT NULL"),
        ),
        Index(
            "ix_dossiers_due",
            "procedure",
            "lane",
            "next_attempt_at",
            postgresql_where=text("next_attempt_at IS NOT NULL"),
            sqlite_where=text("next_attempt_at IS NOT NULL"),
        ),
        Index(
            "ix_dossiers_next_attempt_at",
            "next_attempt_at",
            postgresql_where=text("next_attempt_at IS NOT NULL"),
            sqlite_where=text("next_attempt_at IS NOT NULL"),
        ),
        Index(
            "ix_dossiers_unrouted",
            "procedure",
            "number",
            postgresql_where=text("unrouted"),
            sqlite_where=text("unrouted"),
        ),
    )


class Delivery(Base):
    """One message that one unit must get about one event of one dossier: the outbox."""

    __tablename__ = "deliveries"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    procedure: Mapped[int] = mapped_column(Integer)
    number: Mapped[int] = mapped_column(BigInteger)
    event: Mapped[str] = mapped_column(String(32))
    unit: Mapped[str] = mapped_column(String(32))
    channel: Mapped[str] = mapped_column(String(16))
    assignment: Mapped[int] = mapped_column(Integer)
    counterpart: Mapped[str | None] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(64))
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    lane: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_token: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    digest_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """While it waits for the digest of its unit: when that is made."""
    carrier: Mapped[int | None] = mapped_column(BigInteger)
    """The digest that carries it: the id of a delivery without a dossier of its own."""

    __table_args__ = (
        Index(
            "ix_deliveries_digest_at",
            "digest_at",
            postgresql_where=text("digest_at IS NOT NULL"),
            sqlite_where=text("digest_at IS NOT NULL"),
        ),
        Index(
            "ix_deliveries_carrier",
            "carrier",
            postgresql_where=text("carrier IS NOT NULL"),
            sqlite_where=text("carrier IS NOT NULL"),
        ),
        UniqueConstraint("procedure", "number", "event", "unit", "channel", "assignment"),
        Index(
            "ix_deliveries_due",
            "channel",
            "lane",
            "next_attempt_at",
            postgresql_where=text("next_attempt_at IS NOT NULL"),
            sqlite_where=text("next_attempt_at IS NOT NULL"),
        ),
        Index(
            "ix_deliveries_dead",
            "id",
            postgresql_where=text("state = 'dead'"),
            sqlite_where=text("state = 'dead'"),
        ),
    )


class DisabledAddress(Base):
    """An address of a unit whose peer said that it wants nothing more; known by its hash."""

    __tablename__ = "disabled_addresses"

    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    unit: Mapped[str] = mapped_column(String(32), primary_key=True)
    address_hash: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(64))
    disabled_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AuditLine(Base):
    """One step in the life of a dossier or of the service, in codes. Append-only."""

    __tablename__ = "audit_lines"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    step: Mapped[str] = mapped_column(String(32))
    procedure: Mapped[int | None] = mapped_column(Integer)
    dossier_ref: Mapped[str | None] = mapped_column(String(64))
    key_id: Mapped[str | None] = mapped_column(String(16))
    event: Mapped[str | None] = mapped_column(String(32))
    channel: Mapped[str | None] = mapped_column(String(16))
    unit: Mapped[str | None] = mapped_column(String(32))
    rule: Mapped[str | None] = mapped_column(String(64))
    ruleset: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(String(64))
    attempt: Mapped[int | None] = mapped_column(Integer)
    duration_ms: Mapped[int | None] = mapped_column(Integer)
    actor: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_audit_lines_dossier_ref", "dossier_ref", "id"),
        Index("ix_audit_lines_at", "at"),
    )


class StoredRuleSet(Base):
    """A published rule set under its content hash. Rows are never changed."""

    __tablename__ = "rule_sets"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    document: Mapped[str] = mapped_column(Text)
    stored_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RuleSetActivation(Base):
    """Which rule set was put in force when; the newest row is in force for all workers."""

    __tablename__ = "rule_set_activations"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    hash: Mapped[str] = mapped_column(ForeignKey("rule_sets.hash"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    action: Mapped[str] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    actor: Mapped[str | None] = mapped_column(String(64))
    environment: Mapped[str | None] = mapped_column(String(16))


class AuditSeal(Base):
    """A signed statement over a run of audit lines, chained to the one before. Never changed."""

    __tablename__ = "audit_seals"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    format: Mapped[int] = mapped_column(SmallInteger)
    first_id: Mapped[int] = mapped_column(BigInteger)
    last_id: Mapped[int] = mapped_column(BigInteger, index=True)
    size: Mapped[int] = mapped_column(Integer)
    ids: Mapped[str] = mapped_column(Text)
    root: Mapped[str] = mapped_column(String(64))
    previous: Mapped[str] = mapped_column(String(64))
    sealed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    public_key: Mapped[str] = mapped_column(String(64))
    signature: Mapped[str] = mapped_column(String(128))
    leaves: Mapped[bytes] = mapped_column(LargeBinary)


class AuditTimestamp(Base):
    """A third party's statement of when it saw a seal (RFC 3161). Never changed."""

    __tablename__ = "audit_timestamps"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    token: Mapped[bytes] = mapped_column(LargeBinary)


class ToldSeal(Base):
    """A seal that those who run the service were told of, by mail: an anchor outside."""

    __tablename__ = "told_seals"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReportMail(Base):
    """The report of a month that a unit is to get by mail."""

    __tablename__ = "report_mails"

    month: Mapped[date] = mapped_column(Date, primary_key=True)
    unit: Mapped[str] = mapped_column(String(32), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(64))
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_token: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RestoredSend(Base):
    """What a unit was told of a dossier after the backup that was restored; see the sent log."""

    __tablename__ = "restored_sends"

    dossier_ref: Mapped[str] = mapped_column(String(64), primary_key=True)
    event: Mapped[str] = mapped_column(String(32), primary_key=True)
    unit: Mapped[str] = mapped_column(String(32), primary_key=True)
    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    assignment: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    key_id: Mapped[str] = mapped_column(String(16))


class Heartbeat(Base):
    """When beat, and a worker on each queue, was last seen alive, and since when without a gap."""

    __tablename__ = "heartbeats"

    part: Mapped[str] = mapped_column(String(32), primary_key=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Hint(Base):
    """A dossier, or with the number 0 a procedure's list, that TPS asked us to look at."""

    __tablename__ = "hints"

    procedure: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    again_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class HintSource(Base):
    """A webhook of TPS: when it was last heard, and up to which event."""

    __tablename__ = "hint_sources"

    procedure: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    heard_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Incident(Base):
    """Something that a person must know of, from when it was noticed until it was over."""

    __tablename__ = "incidents"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(64), default="", server_default="")
    count: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    opening_told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closing_told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    opening_posted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closing_posted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_token: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index(
            "uq_incidents_open",
            "kind",
            "subject",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
            sqlite_where=text("closed_at IS NULL"),
        ),
    )


METADATA = Base.metadata
"""Of all tables, those of counts included."""
