"""A detail answer becomes facts, or an error that names the promise it breaks."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st

from connectors.tps.errors import MalformedReason, MalformedResponse, Operation, RequestContext
from connectors.tps.v1.client import V1Client
from routing.facts import DepartmentSource, DossierState, Facts
from routing.failures import Cause
from tests.connectors.tps.samples import (
    NUMBER,
    PERMIT_TYPES,
    PROCEDURE,
    TOKEN,
    document,
    student_form,
)

URL = f"https://tps.example/api/v1/procedures/{PROCEDURE}/dossiers/{NUMBER}"


def read(body: bytes) -> Facts:
    with responses.RequestsMock() as server:
        server.get(URL, body=body)
        with V1Client(base_url="https://tps.example", token=lambda: TOKEN) as client:
            return client.read(student_form(), NUMBER, PERMIT_TYPES)


def facts(**changes: object) -> Facts:
    return read(json.dumps(document(**changes)).encode())


def defect(**changes: object) -> MalformedReason | None:
    with pytest.raises(MalformedResponse) as caught:
        facts(**changes)
    assert caught.value.cause is Cause.TPS_MALFORMED
    assert caught.value.place == RequestContext(Operation.READ, PROCEDURE, NUMBER)
    return caught.value.reason


def outcome(body: bytes) -> Facts | MalformedReason | None:
    """The facts, or the promise that was found broken."""
    try:
        return read(body)
    except MalformedResponse as error:
        return error.reason


def test_an_ordinary_dossier() -> None:
    found = facts(
        state="received",
        initiated_at="2026-10-01T08:00:00.000Z",
        updated_at="2026-10-02T10:00:00.000+02:00",
    )
    assert (found.procedure, found.number, found.state) == (
        PROCEDURE,
        NUMBER,
        DossierState.RECEIVED,
    )
    assert found.filed_at == datetime(2026, 10, 1, 8, tzinfo=UTC)
    assert found.changed_at == datetime(2026, 10, 2, 8, tzinfo=UTC)
    assert (found.permit_type, found.department) == ("apprentissage", "75")
    assert found.department_source is DepartmentSource.RESIDENCE_PERMIT


@pytest.mark.parametrize("state", DossierState)
def test_every_state_is_read(state: DossierState) -> None:
    assert facts(state=state.value).state is state


@pytest.mark.parametrize("state", [None, "", "draft", "Closed", 1, ["closed"], {}])
def test_an_unknown_state_is_malformed(state: object) -> None:
    assert defect(state=state) is MalformedReason.STATE


def test_a_date_of_deposit_that_cannot_be_read_is_that_of_the_draft() -> None:
    found = facts(initiated_at="2018-09-013", created_at="2026-10-01T08:00:00.000Z")
    assert found.filed_at == datetime(2026, 10, 1, 8, tzinfo=UTC)


def test_a_dossier_without_any_date_is_malformed() -> None:
    assert defect(initiated_at=None, created_at=None) is MalformedReason.FILED_AT


def test_a_date_of_change_that_cannot_be_read_is_that_of_deposit() -> None:
    found = facts(updated_at=None)
    assert found.changed_at == found.filed_at


@pytest.mark.parametrize("number", [NUMBER + 1, str(NUMBER), None, float(NUMBER), [], True])
def test_another_dossier_than_the_one_that_was_asked_for_is_malformed(number: object) -> None:
    assert defect(id=number) is MalformedReason.NUMBER


@pytest.mark.parametrize("establishment", [None, {}, {"code_postal": None}])
def test_a_student_s_dossier_needs_no_establishment(establishment: object) -> None:
    assert facts(etablissement=establishment).department == "75"


def test_a_code_that_came_as_a_number_is_read_as_one() -> None:
    assert facts(etablissement={"code_postal": 1000}).department == "75"


@pytest.mark.parametrize(
    "establishment", ["", [], 1, {"code_postal": [92400]}, {"code_postal": True}]
)
def test_an_establishment_of_another_type_is_malformed(establishment: object) -> None:
    assert defect(etablissement=establishment) is MalformedReason.ESTABLISHMENT


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"[]", MalformedReason.ROOT),
        (b"null", MalformedReason.ROOT),
        (b"{}", MalformedReason.DOSSIER),
        (b'{"dossier": null}', MalformedReason.DOSSIER),
        (b'{"dossier": [1]}', MalformedReason.DOSSIER),
    ],
)
def test_an_answer_without_a_dossier_is_malformed(body: bytes, expected: MalformedReason) -> None:
    with pytest.raises(MalformedResponse) as caught:
        read(body)
    assert caught.value.reason is expected


def test_the_last_of_two_equal_keys_counts_as_it_does_everywhere() -> None:
    body = json.dumps(document()).replace('"state"', '"state": "closed", "state"', 1)
    assert read(body.encode()).state is DossierState.INITIATED


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**20, max_value=10**60)
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(["\ud800", "2018-09-013", '["a", {}]', "[[[[", "75 - Paris", "99", "2a"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def _paths(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    yield path
    if isinstance(content, dict):
        for key, inner in content.items():
            yield from _paths(inner, (*path, key))
    elif isinstance(content, list):
        for index, inner in enumerate(content):
            yield from _paths(inner, (*path, index))


WHOLE = document()
PATHS = sorted(_paths(WHOLE), key=str)


def _replaced(path: tuple[Any, ...], value: object) -> Any:  # noqa: ANN401
    content = json.loads(json.dumps(WHOLE))
    if not path:
        return value
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return content


@given(path=st.sampled_from(PATHS), value=anything)
def test_any_json_in_any_place_is_facts_or_malformed(path: tuple[Any, ...], value: object) -> None:
    found = outcome(json.dumps(_replaced(path, value)).encode())
    assert found is not MalformedReason.UNFORESEEN
    assert not isinstance(found, Facts) or found.number == NUMBER


@given(path=st.sampled_from(PATHS))
def test_any_key_that_is_missing_is_facts_or_malformed(path: tuple[Any, ...]) -> None:
    content = json.loads(json.dumps(WHOLE))
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    if path:
        del inner[path[-1]]
    assert outcome(json.dumps(content).encode()) is not MalformedReason.UNFORESEEN


@pytest.mark.parametrize("depth", [100, 1_000, 5_000, 200_000])
@pytest.mark.parametrize("place", ["motivation", "state", "champs", "id"])
def test_deep_nesting_is_facts_or_malformed(depth: int, place: str) -> None:
    deep = "[" * depth + "]" * depth
    body = json.dumps(document(**{place: "@"})).replace('"@"', deep)
    assert outcome(body.encode()) is not MalformedReason.UNFORESEEN
