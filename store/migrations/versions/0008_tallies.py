"""tallies: what metrics count, kept in step by triggers"""

import re
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

FOLDER = Path(__file__).resolve().parents[1]

COUNT_DOSSIERS = """
INSERT INTO tallies (metric, procedure, permit_type, department, channel, outcome, amount)
SELECT 'dossiers', procedure, coalesce(permit_type, ''), coalesce(department, ''), '',
       CASE WHEN unrouted AND status = 'routed' THEN 'unrouted' ELSE status END, count(*)
FROM dossiers GROUP BY 2, 3, 4, 6
"""
COUNT_DELIVERIES = """
INSERT INTO tallies (metric, procedure, permit_type, department, channel, outcome, amount)
SELECT 'deliveries', 0, '', '', channel,
       CASE WHEN state = 'sending' THEN 'pending' ELSE state END, count(*)
FROM deliveries GROUP BY 5, 6
"""


def upgrade() -> None:
    cell = (
        ("metric", sa.String(32), ""),
        ("procedure", sa.Integer(), "0"),
        ("permit_type", sa.String(64), ""),
        ("department", sa.String(3), ""),
        ("channel", sa.String(16), ""),
        ("outcome", sa.String(32), ""),
    )
    op.create_table(
        "tallies",
        *(sa.Column(name, kind, autoincrement=False, nullable=False) for name, kind, _ in cell),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*(name for name, *_ in cell), name=op.f("pk_tallies")),
    )
    op.create_table(
        "tally_deltas",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        *(
            sa.Column(name, kind, nullable=False, server_default=empty)
            for name, kind, empty in cell
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally_deltas")),
    )
    op.execute(COUNT_DOSSIERS)
    op.execute(COUNT_DELIVERIES)
    for statement in _statements(op.get_bind().dialect.name):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in reversed(_statements(dialect)):
        kind, name = re.match(r"CREATE (TRIGGER|FUNCTION) (\w+)", statement).groups()  # type: ignore[union-attr]
        on = f" ON {name.split('_')[0]}" if (kind, dialect) == ("TRIGGER", "postgresql") else ""
        op.execute(f"DROP {kind} {name}{on}")
    op.drop_table("tally_deltas")
    op.drop_table("tallies")


def _statements(dialect: str) -> list[str]:
    text = (FOLDER / f"tallies_{dialect}.sql").read_text(encoding="utf-8")
    return re.split(r"(?m)^(?=CREATE )", text)[1:]
