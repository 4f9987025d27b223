"""public statistics: dossiers counted by day, and what is published of a month"""

import sqlalchemy as sa
from alembic import op

import store.models

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "daily_figures",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("department", sa.String(3), nullable=False),
        sa.Column("permit_type", sa.String(64), nullable=False),
        sa.Column("working_days", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("stored", sa.Integer(), server_default="0", nullable=False),
        sa.Column("purged", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint(
            "day",
            "event",
            "department",
            "permit_type",
            "working_days",
            name=op.f("pk_daily_figures"),
        ),
    )
    op.create_table(
        "published_months",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("published_at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_published_months")),
    )
    op.create_table(
        "published_figures",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("department", sa.String(3), nullable=False),
        sa.Column("permit_type", sa.String(64), nullable=False),
        *(sa.Column(name, sa.Integer()) for name in ("requests", "decisions", "late")),
        *(sa.Column(name, sa.SmallInteger()) for name in ("median", "p90")),
        sa.ForeignKeyConstraint(
            ["month"],
            ["published_months.month"],
            name=op.f("fk_published_figures_month"),
        ),
        sa.PrimaryKeyConstraint(
            "month", "department", "permit_type", name=op.f("pk_published_figures")
        ),
    )


def downgrade() -> None:
    for table in ("published_figures", "published_months", "daily_figures"):
        op.drop_table(table)
