"""monthly reports that are to be mailed"""

import sqlalchemy as sa
from alembic import op

import store.models

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_mails",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("unit", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(64)),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", store.models.UtcDateTime(timezone=True)),
        sa.Column("lease_token", sa.String(32)),
        sa.Column("created_at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("month", "unit", name=op.f("pk_report_mails")),
    )


def downgrade() -> None:
    op.drop_table("report_mails")
