"""drift and incidents"""

import sqlalchemy as sa
from alembic import op

import store.models

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "field_tallies",
        sa.Column("procedure", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("field", sa.String(length=32), nullable=False),
        sa.Column("known_read", sa.Integer(), server_default="0", nullable=False),
        sa.Column("known_blank", sa.Integer(), server_default="0", nullable=False),
        sa.Column("recent_read", sa.Integer(), server_default="0", nullable=False),
        sa.Column("recent_blank", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("procedure", "field", name=op.f("pk_field_tallies")),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), server_default="", nullable=False),
        sa.Column("count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("since", store.models.UtcDateTime(timezone=True), nullable=True),
        sa.Column("opened_at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("closed_at", store.models.UtcDateTime(timezone=True), nullable=True),
        sa.Column("opening_told_at", store.models.UtcDateTime(timezone=True), nullable=True),
        sa.Column("closing_told_at", store.models.UtcDateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("lease_until", store.models.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    op.create_index(
        "uq_incidents_open",
        "incidents",
        ["kind", "subject"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
        sqlite_where=sa.text("closed_at IS NULL"),
    )
    op.add_column(
        "dossiers",
        sa.Column("aside_since", store.models.UtcDateTime(timezone=True), nullable=True),
    )
    op.create_index(
        "ix_dossiers_aside_since",
        "dossiers",
        ["aside_since"],
        postgresql_where=sa.text("aside_since IS NOT NULL"),
        sqlite_where=sa.text("aside_since IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_dossiers_aside_since", "dossiers")
    op.drop_column("dossiers", "aside_since")
    op.drop_table("incidents")
    op.drop_table("field_tallies")
