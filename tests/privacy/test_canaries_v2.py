"""No personal data anywhere, read by v2: what is not asked for cannot be left anywhere.

The simulated TPS remembers every field that was given. Beside it, its dossiers and its errors are
made of markers, and everything that the service leaves is searched for them, as it is for v1
(`test_canaries`, which also shows that the search sees).
"""

import os
import re
from pathlib import Path

import pytest
from sqlalchemy import select

from simulator.v2.calls import PATH
from store.models import Delivery, Dossier, Procedure
from tests.contract.tps_v2_fields import Class, class_of
from tests.fixtures.processes import until
from tests.privacy import documents
from tests.privacy.documents_v2 import GROUP, TpsV2
from tests.privacy.marked_service import SIGNALS, MarkedService, marked_service
from tests.privacy.observers import descendants, holder
from tests.privacy.test_canaries import assert_ids_only, leaks
from tests.privacy.traces import broker_traces, commands, flower_traces, traces, web_traces

PROCEDURE = re.compile(r"/api/v1/procedures/[0-9]+")
DESCRIPTOR = "ChampDescriptor"
MAILBOX = "      - mail: moe.ud075@direccte.internal\n"


def hurt(service: MarkedService, tps: TpsV2) -> None:
    """Send a signal to whoever reads half an answer of each of some procedures."""
    assert service.up is not None
    left = dict(SIGNALS)
    while left:
        until(lambda: bool(left.keys() & tps.ports.keys()), "a page that comes byte by byte")
        procedure = next(iter(left.keys() & tps.ports.keys()))
        pid = holder(descendants(service.up.pid), tps.ports[procedure] or 0)
        assert pid is not None, "nobody holds the connection"
        service.sample()
        os.kill(pid, left.pop(procedure))


def settled(service: MarkedService, tps: TpsV2) -> bool:
    """Whether each dossier and each procedure stands where its answer must bring it."""
    with service.database.read() as connection:
        rows = connection.execute(select(Dossier.number, Dossier.status)).all()
        deliveries = connection.execute(select(Delivery.channel, Delivery.state)).all()
        reasons = set(connection.scalars(select(Procedure.reason)))
    known = {number: status for number, status in rows}  # noqa: C416 - rows are no pairs to mypy
    whole = {number for number, name in tps.names.items() if name in {"whole", "odd"}}
    broken = tps.names.keys() - whole
    # Of one procedure nothing can be stored; the others wait for the lease of a dead process.
    for procedure in (documents.DATABASE, *documents.HALTS):
        whole -= {*tps.numbers(procedure)}
    return (
        all(known.get(number) == "routed" for number in whole)
        and all(known.get(number) == "quarantined" for number in broken)
        and {("mail", "sent"), ("mail", "dead"), ("tps_group", "sent")}
        <= {tuple(row) for row in deliveries}
        and {"tps-unauthorized", "tps-forbidden", "tps-redirected", "tps-malformed"} <= reasons
    )


def throttled(service: MarkedService) -> bool:
    with service.database.read() as connection:
        return "tps-throttled" in set(connection.scalars(select(Procedure.reason)))


def selected(tps: TpsV2) -> dict[str, Class | None]:
    """Every field that left the server, and what it is; of descriptors, by their interface."""
    found = (each.split(".") for each in tps.simulator.selected)
    named = {(DESCRIPTOR if kind.endswith(DESCRIPTOR) else kind, name) for kind, name in found}
    return {f"{kind}.{name}": class_of(kind, name) for kind, name in named}


@pytest.mark.parametrize("postgres", [False, True], ids=["sqlite", "postgres"])
def test_nothing_of_a_person_leaves_the_server_nor_is_left_anywhere(
    postgres: bool, tmp_path: Path
) -> None:
    tps = TpsV2()
    with tps.simulator.serve() as server:
        more = {
            "WIF_TPS_URL": server.url,
            "WIF_TPS_API": "v2",
            "WIF_TPS_WRITE_BACK": "true",
            "WIF_TPS_REQUESTS_PER_MINUTE": "100000",
        }
        with marked_service(
            tmp_path, postgres=postgres, json_logs=False, tps=tps, more=more
        ) as service:
            units = tmp_path / "config" / "units.yaml"
            grouped = f"{MAILBOX}      - tps_group: {GROUP}\n"
            units.write_text(units.read_text().replace(MAILBOX, grouped))
            service.start()
            hurt(service, tps)
            until(lambda: settled(service, tps), "every dossier that can be is settled")
            tps.throttle()
            until(lambda: throttled(service), "TPS asks to slow down")
            service.sample()
            places = {**broker_traces(service), **flower_traces(service), **traces(service)}
            places |= {**commands(service), **web_traces(service)}
            assert service.stop() == 0

    assert leaks(places) == {}
    assert_ids_only(places)
    # `wif doctor` also asks whether there is a v1; of no dossier.
    asked = {each.path for each in tps.simulator.requests}
    assert [path for path in asked if path != PATH and not PROCEDURE.fullmatch(path)] == []
    assert {name for name, kind in selected(tps).items() if kind is not Class.SELECTED} == set()
    assert "Dossier.demandeur" not in tps.simulator.selected
    assert {"Dossier.champs", "Mutation.dossierChangerGroupeInstructeur"} <= tps.simulator.selected
    moved = [tps.simulator.group_of(each) for each in tps.numbers(documents.GOOD, "whole")]
    assert moved == [tps.group] * len(moved)
