"""What the service's own role may do with the tables, where another role owns them (PostgreSQL)."""

from sqlalchemy import Connection, inspect, text

from store.models import METADATA

APPEND_ONLY = frozenset(
    {
        *("audit_lines", "audit_seals", "rule_sets", "rule_set_activations"),
        *("published_months", "published_figures", "national_months"),
    }
)
"""Tables that the service reads and adds to; what stands there stays."""


MAINTAIN_SINCE = (17,)
"""PostgreSQL before this lets only the owner take the lock that sealing takes."""


_PARTITIONS = (
    "SELECT inhrelid::regclass::text FROM pg_inherits "
    "WHERE inhparent = to_regclass('audit_lines') ORDER BY 1"
)


def grant(connection: Connection, role: str) -> None:
    """Let `role` work with every table of ours, and own none.

    Args:
        connection: a transaction of the owner's.
        role: name of an existing role, as checked by the settings.
    """
    quoted = connection.dialect.identifier_preparer.quote(role)
    connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {quoted}"))
    connection.execute(text(f"GRANT SELECT ON alembic_version TO {quoted}"))
    for table in sorted(set(inspect(connection).get_table_names()) & METADATA.tables.keys()):
        rights = "SELECT, INSERT" if table in APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"
        connection.execute(text(f"REVOKE ALL ON {table} FROM {quoted}"))
        connection.execute(text(f"GRANT {rights} ON {table} TO {quoted}"))
    for partition in connection.scalars(text(_PARTITIONS)):
        # For pg_dump, which takes each by itself; the service goes through the table.
        connection.execute(text(f"GRANT SELECT ON {partition} TO {quoted}"))
    version = connection.dialect.server_version_info or (0,)
    if version >= MAINTAIN_SINCE:
        # To lock the table for an instant, as sealing does; it changes nothing.
        connection.execute(text(f"GRANT MAINTAIN ON audit_lines TO {quoted}"))
    connection.execute(text(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {quoted}"))
