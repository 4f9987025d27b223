"""audit seals"""

import sqlalchemy as sa
from alembic import op

import store.models
from store.audit.append_only import triggers

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_seals",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("format", sa.SmallInteger(), nullable=False),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("ids", sa.Text(), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.Column("public_key", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_seals")),
    )
    with op.batch_alter_table("audit_seals") as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_seals_last_id"), ["last_id"], unique=False)
    dialect = op.get_bind().dialect.name
    for statement in triggers("audit_seals", dialect, key="number"):
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("seals are evidence: they are not dropped")
