"""the group of TPS in which a dossier was first seen or was moved to"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dossiers", sa.Column("tps_group", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("dossiers", "tps_group")
