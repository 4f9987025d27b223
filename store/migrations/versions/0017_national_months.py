"""the masked figures of a month, as the national office was told them first"""

import sqlalchemy as sa
from alembic import op

import store.models

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "national_months",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("told_at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_national_months")),
    )


def downgrade() -> None:
    op.drop_table("national_months")
