"""retention"""

import sqlalchemy as sa
from alembic import op

import store.models

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "procedures",
        sa.Column("purged_before", store.models.UtcDateTime(timezone=True), nullable=True),
    )
    op.add_column(
        "dossiers",
        sa.Column("ended_at", store.models.UtcDateTime(timezone=True), nullable=True),
    )
    op.create_index(
        "ix_dossiers_ended",
        "dossiers",
        ["procedure", "ended_at"],
        postgresql_where=sa.text("ended_at IS NOT NULL"),
        sqlite_where=sa.text("ended_at IS NOT NULL"),
    )
    op.execute(
        "UPDATE dossiers SET ended_at = changed_at "
        "WHERE state IN ('closed', 'refused', 'without_continuation')"
    )
    op.execute("UPDATE dossiers SET ended_at = last_listed_at WHERE status = 'gone'")


def downgrade() -> None:
    op.drop_index("ix_dossiers_ended", "dossiers")
    op.drop_column("dossiers", "ended_at")
    op.drop_column("procedures", "purged_before")
