"""addresses that want nothing more; claims by channel"""

import sqlalchemy as sa
from alembic import op

import store.models

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

DUE = "next_attempt_at IS NOT NULL"


def upgrade() -> None:
    op.create_table(
        "disabled_addresses",
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("unit", sa.String(32), nullable=False),
        sa.Column("address_hash", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("disabled_at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", "unit", name=op.f("pk_disabled_addresses")),
    )
    _index("channel", "lane", "next_attempt_at")


def downgrade() -> None:
    _index("lane", "next_attempt_at")
    op.drop_table("disabled_addresses")


def _index(*columns: str) -> None:
    op.drop_index("ix_deliveries_due", "deliveries")
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        list(columns),
        postgresql_where=sa.text(DUE),
        sqlite_where=sa.text(DUE),
    )
