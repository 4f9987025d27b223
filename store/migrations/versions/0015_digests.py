"""deliveries that wait for the digest of their unit"""

import sqlalchemy as sa
from alembic import op

import store.models

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "deliveries",
        sa.Column("digest_at", store.models.UtcDateTime(timezone=True), nullable=True),
    )
    op.add_column("deliveries", sa.Column("carrier", sa.BigInteger(), nullable=True))
    for column in ("digest_at", "carrier"):
        present = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_deliveries_{column}",
            "deliveries",
            [column],
            postgresql_where=present,
            sqlite_where=present,
        )


def downgrade() -> None:
    in_a_digest = sa.text("SELECT count(*) FROM deliveries WHERE state IN ('waiting', 'carried')")
    if op.get_bind().execute(in_a_digest).scalar():
        raise RuntimeError("what waits for a digest would never be sent: restore a backup")
    for column in ("carrier", "digest_at"):
        op.drop_index(f"ix_deliveries_{column}", "deliveries")
        op.drop_column("deliveries", column)
