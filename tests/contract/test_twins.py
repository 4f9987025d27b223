"""The published dossier of v1 and its twin of v2: whoever reads either finds the same facts."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from connectors.tps.v1.client import V1Client
from routing.facts import Facts
from routing.forms import Form
from simulator import Simulator
from tests.connectors.tps.samples import PERMIT_TYPES, student_form
from tests.connectors.tps.v2.port import reader
from tests.fixtures.tps_schemas import SHARED, published


@pytest.fixture
def body() -> bytes:
    return published(SHARED / "tps_v1_dossier.json").read_bytes()


def by_v1(form: Form, body: bytes) -> Facts:
    """The facts of the published dossier, answered as it was published."""
    tps = Simulator()
    number = json.loads(body)["dossier"]["id"]
    tps.add(form, number=number, body=body)
    with tps.serve() as server:
        client = V1Client(base_url=server.url, token=lambda: tps.token)
        facts = client.read(form, number, PERMIT_TYPES)
        client.close()
    return facts


def by_v2(form: Form, body: bytes) -> Iterator[Facts | None]:
    """The facts of its twin, with its page and by its number."""
    dossier = json.loads(body)["dossier"]
    with reader(form) as v2:
        v2.tps.add(form, number=dossier["id"], **_twin(dossier))
        yield v2.everything()[dossier["id"]].facts
        yield v2.facts(dossier["id"])


def _twin(dossier: dict[str, Any]) -> dict[str, Any]:
    """The same answers, state and dates, and an establishment in the same département."""
    return {
        "state": dossier["state"],
        "filed_at": datetime.fromisoformat(dossier["initiated_at"]),
        "changed_at": datetime.fromisoformat(dossier["updated_at"]),
        "department": dossier["etablissement"]["code_insee_localite"][:2],
        "values": {
            champ["type_de_champ"]["libelle"]: champ["value"] for champ in dossier["champs"]
        },
    }


STUDENT = student_form()
INTRODUCTION = replace(student_form(kind="introduction-salarie"), labels={})
"""A worker who is still abroad has no residence permit: the establishment decides."""


@pytest.mark.parametrize(("form", "department"), [(STUDENT, "75"), (INTRODUCTION, "92")])
def test_the_published_dossier_and_its_twin_have_the_same_facts(
    body: bytes, form: Form, department: str
) -> None:
    expected = by_v1(form, body)
    assert expected.department == department
    assert list(by_v2(form, body)) == [expected, expected]
