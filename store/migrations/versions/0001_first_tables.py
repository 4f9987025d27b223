"""first tables"""

import sqlalchemy as sa
from alembic import op

import store.models
from store.audit.append_only import triggers

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_lines",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("step", sa.String(length=32), nullable=False),
        sa.Column("procedure", sa.Integer(), nullable=True),
        sa.Column("dossier_ref", sa.String(length=64), nullable=True),
        sa.Column("key_id", sa.String(length=16), nullable=True),
        sa.Column("event", sa.String(length=32), nullable=True),
        sa.Column("channel", sa.String(length=16), nullable=True),
        sa.Column("unit", sa.String(length=32), nullable=True),
        sa.Column("rule", sa.String(length=64), nullable=True),
        sa.Column("ruleset", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_lines")),
    )
    with op.batch_alter_table("audit_lines", schema=None) as batch_op:
        batch_op.create_index("ix_audit_lines_at", ["at"], unique=False)
        batch_op.create_index("ix_audit_lines_dossier_ref", ["dossier_ref", "id"], unique=False)

    op.create_table(
        "deliveries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("procedure", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("assignment", sa.Integer(), nullable=False),
        sa.Column("counterpart", sa.String(length=32), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lane", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", store.models.UtcDateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("created_at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", store.models.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "procedure",
            "number",
            "event",
            "unit",
            "channel",
            "assignment",
            name=op.f("uq_deliveries_procedure_number_event_unit_channel_assignment"),
        ),
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index(
            "ix_deliveries_dead",
            ["id"],
            unique=False,
            postgresql_where=sa.text("state = 'dead'"),
            sqlite_where=sa.text("state = 'dead'"),
        )
        batch_op.create_index(
            "ix_deliveries_due",
            ["lane", "next_attempt_at"],
            unique=False,
            postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
            sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
        )

    op.create_table(
        "dossiers",
        sa.Column("procedure", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lane", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", store.models.UtcDateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("seen_at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("listed_change_at", store.models.UtcDateTime(timezone=True), nullable=True),
        sa.Column("last_listed_at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("absences", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.String(length=24), nullable=True),
        sa.Column("filed_at", store.models.UtcDateTime(timezone=True), nullable=True),
        sa.Column("changed_at", store.models.UtcDateTime(timezone=True), nullable=True),
        sa.Column("permit_type", sa.String(length=64), nullable=True),
        sa.Column("department", sa.String(length=3), nullable=True),
        sa.Column("department_source", sa.String(length=32), nullable=True),
        sa.Column("filer", sa.String(length=16), nullable=True),
        sa.Column("fact_reasons", store.models.Codes(), server_default="", nullable=False),
        sa.Column("facts_hash", sa.String(length=64), nullable=True),
        sa.Column("units", store.models.Codes(), server_default="", nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=True),
        sa.Column("ruleset", sa.String(length=64), nullable=True),
        sa.Column("reasons", store.models.Codes(), server_default="", nullable=False),
        sa.Column("unrouted", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("assignment", sa.Integer(), server_default="0", nullable=False),
        sa.Column("decided_at", store.models.UtcDateTime(timezone=True), nullable=True),
        sa.Column("pinned_unit", sa.String(length=32), nullable=True),
        sa.Column("pinned_reason", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("procedure", "number", name=op.f("pk_dossiers")),
    )
    with op.batch_alter_table("dossiers", schema=None) as batch_op:
        batch_op.create_index(
            "ix_dossiers_due",
            ["procedure", "lane", "next_attempt_at"],
            unique=False,
            postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
            sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_dossiers_next_attempt_at",
            ["next_attempt_at"],
            unique=False,
            postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
            sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_dossiers_unrouted",
            ["procedure", "number"],
            unique=False,
            postgresql_where=sa.text("unrouted"),
            sqlite_where=sa.text("unrouted"),
        )

    op.create_table(
        "procedures",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=16), server_default="active", nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("lease_until", store.models.UtcDateTime(timezone=True), nullable=True),
        sa.Column("next_poll_at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("next_scan_at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("polled_at", store.models.UtcDateTime(timezone=True), nullable=True),
        sa.Column("scanned_at", store.models.UtcDateTime(timezone=True), nullable=True),
        sa.Column("scan_started_at", store.models.UtcDateTime(timezone=True), nullable=True),
        sa.Column("scan_page", sa.Integer(), nullable=True),
        sa.Column("scan_pages", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_procedures")),
    )
    op.create_table(
        "rule_sets",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("stored_at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_rule_sets")),
    )
    op.create_table(
        "rule_set_activations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["hash"], ["rule_sets.hash"], name=op.f("fk_rule_set_activations_hash")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_set_activations")),
    )
    for table, key in (
        ("audit_lines", "id"),
        ("rule_sets", "hash"),
        ("rule_set_activations", "id"),
    ):
        for statement in triggers(table, op.get_bind().dialect.name, key=key):
            op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("0001 is the first schema: there is nothing to go back to")
