"""The published samples of TPS v1: what the protocol promises, in TPS's own words."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import responses

from connectors.tps.v1.client import V1Client
from routing.facts import DepartmentSource, DossierState, Facts, Filer
from tests.connectors.tps.samples import PERMIT_TYPES, PROCEDURE, TOKEN, student_form

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
ROOT = f"https://tps.example/api/v1/procedures/{PROCEDURE}/dossiers"

Sample = Callable[[str], bytes]


@pytest.fixture
def sample() -> Sample:
    def read(name: str) -> bytes:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"the published sample {name} is not beside the checkout")
        return path.read_bytes()

    return read


@pytest.fixture
def client() -> V1Client:
    return V1Client(base_url="https://tps.example", token=lambda: TOKEN)


@responses.activate
def test_the_published_dossier_belongs_to_paris_although_the_employer_is_elsewhere(
    sample: Sample, client: V1Client
) -> None:
    responses.get(f"{ROOT}/123456789", body=sample("tps_v1_dossier.json"))
    assert client.read(student_form(), 123_456_789, PERMIT_TYPES) == Facts(
        procedure=PROCEDURE,
        number=123_456_789,
        state=DossierState.CLOSED,
        filed_at=datetime(2018, 8, 20, 15, 9, 30, 412_000, tzinfo=UTC),
        changed_at=datetime(2018, 8, 22, 15, 24, 44, 653_000, tzinfo=UTC),
        permit_type="apprentissage",
        department="75",
        department_source=DepartmentSource.RESIDENCE_PERMIT,
        filer=Filer.STUDENT,
        reasons=(),
    )


@responses.activate
def test_the_published_dossier_would_belong_to_nanterre_by_its_establishment(
    sample: Sample, client: V1Client
) -> None:
    responses.get(f"{ROOT}/123456789", body=sample("tps_v1_dossier.json"))
    introduction = student_form(kind="introduction-salarie")
    assert client.read(introduction, 123_456_789, PERMIT_TYPES).department == "92"


@responses.activate
def test_the_published_list_has_one_dossier_and_no_state(sample: Sample, client: V1Client) -> None:
    responses.get(ROOT, body=sample("tps_v1_list.json"))
    page = client.list_page(PROCEDURE, page=1)
    (row,) = page.rows
    assert (page.page, page.pages, page.page_size, page.malformed) == (1, 1, 1000, 0)
    assert (row.number, row.state) == (44_950, None)
    assert row.filed_at == datetime(2018, 3, 27, 8, 54, 7, 829_000, tzinfo=UTC)
    assert row.changed_at == datetime(2018, 3, 27, 9, 15, 10, 780_000, tzinfo=UTC)
