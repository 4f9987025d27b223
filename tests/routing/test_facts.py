"""Facts: their fingerprint is the hash of a JSON list of all that can change a decision."""

import hashlib
import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.facts import DepartmentSource, DossierState, Facts, Filer, Reason
from tests.routing.rule_sets import facts

any_facts = st.builds(
    Facts,
    procedure=st.integers(1),
    number=st.integers(1),
    state=st.sampled_from(DossierState),
    filed_at=st.datetimes(timezones=st.just(UTC)),
    changed_at=st.just(datetime(2020, 1, 1, tzinfo=UTC)),
    permit_type=st.none() | st.text(),
    department=st.none() | st.text(),
    department_source=st.sampled_from(DepartmentSource),
    filer=st.sampled_from(Filer),
    reasons=st.lists(st.sampled_from(Reason), max_size=3).map(tuple),
)


@given(any_facts)
def test_the_fingerprint_is_that_of_a_json_list(one: Facts) -> None:
    content = [
        one.procedure,
        one.number,
        one.state.value,
        one.filed_at.isoformat(),
        one.permit_type,
        one.department,
        one.department_source.value,
        one.filer.value,
        [reason.value for reason in one.reasons],
    ]
    expected = hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()

    assert one.fingerprint == expected


CHANGES: dict[str, Any] = {
    "procedure": 102,
    "number": 2,
    "state": DossierState.CLOSED,
    "filed_at": datetime(2020, 6, 2, tzinfo=UTC),
    "permit_type": "doctorat",
    "department": "93",
    "department_source": DepartmentSource.RESIDENCE_POSTAL_CODE,
    "filer": Filer.EMPLOYER,
    "reasons": (Reason.DEPARTMENT_FROM_POSTAL_CODE,),
}


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_can_change_a_decision_changes_the_fingerprint(name: str) -> None:
    assert replace(facts(), **{name: CHANGES[name]}).fingerprint != facts().fingerprint


def test_a_message_or_an_opinion_does_not_change_it() -> None:
    later = replace(facts(), changed_at=facts().changed_at + timedelta(days=1))

    assert later.fingerprint == facts().fingerprint
    assert {field.name for field in fields(Facts)} == {*CHANGES, "changed_at"}
