"""timestamps of a third party over seals"""

import sqlalchemy as sa
from alembic import op

import store.models
from store.audit.append_only import triggers

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_timestamps",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_timestamps")),
    )
    for statement in triggers("audit_timestamps", op.get_bind().dialect.name, key="number"):
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().execute(sa.text("SELECT count(*) FROM audit_timestamps")).scalar():
        raise RuntimeError("timestamps are evidence: they are not dropped")
    op.drop_table("audit_timestamps")
