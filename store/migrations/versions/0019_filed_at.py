"""an index of deposits: a month is counted without looking at all dossiers"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_dossiers_filed", "dossiers", ["filed_at"])


def downgrade() -> None:
    op.drop_index("ix_dossiers_filed", "dossiers")
