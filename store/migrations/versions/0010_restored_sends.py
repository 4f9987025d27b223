"""what was sent after the backup that a restore brought back"""

import sqlalchemy as sa
from alembic import op

import store.models

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KEY = ("dossier_ref", "event", "unit", "channel", "assignment")


def upgrade() -> None:
    op.create_table(
        "restored_sends",
        sa.Column("dossier_ref", sa.String(64), nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("unit", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("assignment", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint(*KEY, name=op.f("pk_restored_sends")),
    )


def downgrade() -> None:
    op.drop_table("restored_sends")
