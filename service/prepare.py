"""Making an empty database one that the service can work on."""

from service.runtime import Runtime
from store import schema


def prepare(runtime: Runtime) -> None:
    """Bring the database to the newest schema, and publish rules where none ever were."""
    schema.upgrade(runtime.database)
    runtime.rules()
