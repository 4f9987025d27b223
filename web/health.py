"""`/healthz`: this process answers. `/readyz`: it could do its work."""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from service.runtime import Runtime
from store import rulesets, schema

SERVICE_UNAVAILABLE = 503


class MissingPart(StrEnum):
    """What the service cannot work without."""

    DATABASE = "database"
    SCHEMA = "schema"
    RULES = "rules"


def routes(runtime: Runtime) -> Sequence[BaseRoute]:
    """Both addresses."""

    def ready(_request: Request) -> Response:
        missing = missing_part(runtime)
        if missing is None:
            return JSONResponse({"ready": True})
        return JSONResponse({"ready": False, "lacks": missing.value}, SERVICE_UNAVAILABLE)

    return [Route("/healthz", _alive), Route("/readyz", ready)]


async def _alive(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


def missing_part(runtime: Runtime) -> MissingPart | None:
    """The first thing that is missing; None when nothing is."""
    try:
        if not schema.is_current(runtime.database):
            return MissingPart.SCHEMA
        with runtime.database.autocommit_read() as connection:
            return None if rulesets.active(connection) else MissingPart.RULES
    except SQLAlchemyError:
        return MissingPart.DATABASE
