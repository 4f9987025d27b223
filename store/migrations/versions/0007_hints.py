"""hints that TPS sends: what is to be looked at, and how far each webhook was heard"""

import sqlalchemy as sa
from alembic import op

import store.models

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hints",
        sa.Column("procedure", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("asked_at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("again_at", store.models.UtcDateTime(timezone=True)),
        sa.PrimaryKeyConstraint("procedure", "number", name=op.f("pk_hints")),
    )
    op.create_table(
        "hint_sources",
        sa.Column("procedure", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("sequence", sa.BigInteger()),
        sa.Column("heard_at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("procedure", "source", name=op.f("pk_hint_sources")),
    )


def downgrade() -> None:
    op.drop_table("hint_sources")
    op.drop_table("hints")
