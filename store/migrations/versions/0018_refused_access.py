"""with which address and token TPS refused a procedure, as a keyed hash"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("procedures", sa.Column("refused_access", sa.String(64), nullable=True))


def downgrade() -> None:
    op.drop_column("procedures", "refused_access")
