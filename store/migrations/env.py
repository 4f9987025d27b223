"""Alembic's entry: the same migrations for both engines, on the connection that is given."""

from typing import Any

from alembic import context

from store.models import METADATA

connection = context.config.attributes["connection"]
progress = context.config.attributes["progress"]


def told(*, step: Any, **_: Any) -> None:  # noqa: ANN401
    """Say which migration was run."""
    script = step.up_revision
    if script is not None:
        progress(f"{script.revision} {script.doc}")


context.configure(
    connection=connection,
    target_metadata=METADATA,
    render_as_batch=True,
    compare_type=True,
    on_version_apply=told,  # type: ignore[arg-type] # it is called by keywords
)
with context.begin_transaction():
    context.run_migrations()
