"""actors, seals told outside, where rules were checked, alarms told without mail"""

import sqlalchemy as sa
from alembic import op

import store.models

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = (
    ("incidents", "opening_posted_at", store.models.UtcDateTime(timezone=True)),
    ("incidents", "closing_posted_at", store.models.UtcDateTime(timezone=True)),
    ("rule_set_activations", "actor", sa.String(64)),
    ("rule_set_activations", "environment", sa.String(16)),
    ("audit_lines", "actor", sa.String(64)),
)


def upgrade() -> None:
    for table, name, kind in COLUMNS:
        op.add_column(table, sa.Column(name, kind))
    op.create_table(
        "heartbeats",
        sa.Column("part", sa.String(32), nullable=False),
        sa.Column("since", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("seen_at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("part", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "told_seals",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_told_seals")),
    )


def downgrade() -> None:
    op.drop_table("told_seals")
    op.drop_table("heartbeats")
    for table, name, _ in reversed(COLUMNS):
        op.drop_column(table, name)
