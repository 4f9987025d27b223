"""What happens to the service full of markers: answers, signals, refusals, misuse."""

from contextlib import suppress

import requests
from sqlalchemy import select

from store.models import Delivery, Dossier, Procedure
from tests.fixtures.processes import until
from tests.privacy import documents
from tests.privacy.marked_service import SIGNALS, MarkedService


def play(service: MarkedService) -> None:
    """Start the service and let everything happen."""
    service.start()
    for _ in SIGNALS:
        service.hurt()
    until(lambda: _all_settled(service), "every dossier that can be is settled")
    until(lambda: b"IntegrityError" in service.printed(), "the database's refusal")
    service.tps.throttles = True
    until(lambda: "tps-throttled" in _reasons(service), "TPS asks to slow down")
    until(lambda: _flower_knows(service), "Flower shows tasks")
    service.sample()


def _all_settled(service: MarkedService) -> bool:
    """Whether each dossier stands where its answer must bring it."""
    with service.database.read() as connection:
        rows = connection.execute(select(Dossier.number, Dossier.status)).all()
        states = set(connection.scalars(select(Delivery.state)))
    known: dict[int, str] = dict(rows)
    routed = {
        number
        for procedure in (documents.ODD, documents.REFUSED_MAIL)
        for number in service.tps.numbers(procedure)
    } | set(service.tps.numbers(documents.GOOD, "whole"))
    broken = set(service.tps.numbers(documents.GOOD)) - routed
    return (
        all(known.get(number) == "routed" for number in routed)
        and all(known.get(number) == "quarantined" for number in broken)
        and {"sent", "dead"} <= states
        and {"tps-unauthorized", "tps-forbidden", "tps-redirected", "tps-malformed"}
        <= _reasons(service)
    )


def _reasons(service: MarkedService) -> set[str | None]:
    """Why procedures do not go as they should."""
    with service.database.read() as connection:
        return set(connection.scalars(select(Procedure.reason)))


def _flower_knows(service: MarkedService) -> bool:
    with suppress(requests.RequestException, ValueError):
        tasks = service.ask_flower("/api/tasks").json()
        names = {task["name"] for task in tasks.values()}
        return {"wif.poll-procedure", "wif.route-dossiers", "wif.deliver"} <= names
    return False


def misuse(service: MarkedService) -> None:
    """Send workers what no part of the service sends: it must not come back out of them."""
    service.send("wif.no-such-task", service.tps.markers.plain(), queue="upkeep")
    until(lambda: b"task-unregistered" in service.printed(), "the unregistered task")
