"""The schema that v2 executes."""

from functools import lru_cache
from pathlib import Path

from graphql import GraphQLSchema, build_schema, extend_schema, parse

HERE = Path(__file__).resolve().parent
OWN = HERE / "schema.graphql"
"""The part of the published schema that the service selects, in words of our own."""

PUBLISHED = HERE.parents[2] / "shared" / "data" / "tps_v2_schema.graphql"
"""The published schema, where it lies beside the checkout."""


def schema_of(given: Path | None, *, webhooks: bool) -> GraphQLSchema:
    """The schema in a file; without one the published schema, else our own.

    Raises:
        OSError: the file cannot be read.
    """
    return _built(given or (PUBLISHED if PUBLISHED.exists() else OWN), webhooks)


@lru_cache(maxsize=8)
def _built(path: Path, webhooks: bool) -> GraphQLSchema:  # noqa: FBT001 (a key of the cache)
    schema = build_schema(path.read_text(encoding="utf-8"), assume_valid=True)
    if not webhooks:
        return schema
    more = (HERE / "webhooks.graphql").read_text(encoding="utf-8")
    return extend_schema(schema, parse(more), assume_valid=True)
