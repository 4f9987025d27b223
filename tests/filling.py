"""Dossiers written straight into a database: many, and in no time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import insert, update

from routing.territory import departments
from service.register import register_procedures
from service.runtime import Runtime
from store.models import Dossier, Procedure, table_of

AT_ONCE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """What is written.

    Attributes:
        count: how many dossiers.
        since: deposits are spread from this instant …
        until: … to this one, before which decisions are known as well.
        places: how many départements have any.
    """

    count: int
    since: datetime
    until: datetime
    places: int = 100


def fill(runtime: Runtime, filling: Filling, *, seed: int = 1) -> list[dict[str, Any]]:
    """Store dossiers as if they had been read, and say that every form was listed."""
    register_procedures(runtime)
    rows = list(_rows(runtime, filling, Random(seed)))
    with runtime.database.begin() as connection:
        listed = {"scanned_at": filling.until, "polled_at": filling.until}
        connection.execute(update(table_of(Procedure)).values(**listed))
        for start in range(0, len(rows), AT_ONCE):
            connection.execute(insert(table_of(Dossier)), rows[start : start + AT_ONCE])
    return rows


def _rows(runtime: Runtime, filling: Filling, random: Random) -> Iterator[dict[str, Any]]:
    places = random.sample([*departments()], filling.places)
    kinds = [kind.code for kind in runtime.rules().permit_types]
    forms = list(runtime.rules().forms)
    likely_places = [random.paretovariate(1) for _ in places]
    likely_kinds = [random.paretovariate(1) for _ in kinds]
    for number in range(filling.count):
        filed_at = filling.since + (filling.until - filling.since) * random.random()
        ended_at = filed_at + timedelta(days=random.expovariate(1 / 4))
        decided = ended_at < filling.until
        known = random.random() > 0.02
        yield {
            "procedure": forms[number % len(forms)],
            "number": filling.until.microsecond + 1_000_000 + number,
            "status": "routed",
            "state": "closed" if decided else "received",
            "filed_at": filed_at,
            "changed_at": ended_at if decided else filed_at,
            "ended_at": ended_at if decided else None,
            "permit_type": random.choices(kinds, likely_kinds)[0] if known else None,
            "department": random.choices(places, likely_places)[0] if known else None,
            "department_source": "residence-permit" if known else "none",
            "filer": "student",
            "facts_hash": f"{number:064x}",
            "seen_at": filed_at,
            "last_listed_at": filling.until,
        }
