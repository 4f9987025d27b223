"""one cursor for each procedure, in the words of the version of the API; worker losses"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

PROCEDURES = sa.table(
    "procedures",
    sa.column("number", sa.Integer),
    sa.column("scan_started_at", sa.DateTime),
    sa.column("scan_page", sa.Integer),
    sa.column("scan_pages", sa.Integer),
    sa.column("cursor", sa.Text),
)


def upgrade() -> None:
    op.execute("ALTER TABLE dossiers RENAME COLUMN deaths TO worker_losses")
    op.add_column("procedures", sa.Column("cursor", sa.Text(), nullable=True))
    of = PROCEDURES.c
    stored = op.get_bind().execute(
        sa.select(of.number, of.scan_started_at.is_not(None), of.scan_page, of.scan_pages)
    )
    for number, scanning, page, pages in stored.all():
        cursor = _cursor(pages, (page or 1) if scanning else None)
        op.execute(sa.update(PROCEDURES).where(of.number == number).values(cursor=cursor))
    op.drop_column("procedures", "scan_page")
    op.drop_column("procedures", "scan_pages")


def downgrade() -> None:
    op.add_column("procedures", sa.Column("scan_page", sa.Integer(), nullable=True))
    op.add_column(
        "procedures", sa.Column("scan_pages", sa.Integer(), server_default="1", nullable=False)
    )
    of = PROCEDURES.c
    stored = op.get_bind().execute(sa.select(of.number, of.cursor))
    for number, cursor in stored.all():
        read = json.loads(cursor or "{}")
        if read.get("api") == "v1":
            page = (read.get("scan") or {}).get("page")
            values = {"scan_page": page, "scan_pages": read["pages"]}
            op.execute(sa.update(PROCEDURES).where(of.number == number).values(**values))
    op.drop_column("procedures", "cursor")
    op.execute("ALTER TABLE dossiers RENAME COLUMN worker_losses TO deaths")


def _cursor(pages: int, page: int | None) -> str:
    """The cursor of v1, as its first format has it: `connectors.tps.v1.cursor`."""
    scan = {} if page is None else {"scan": {"page": page}}
    return json.dumps({"api": "v1", "format": 1, "pages": pages, **scan})
