"""A service that reads TPS by v2, by v1, or by both: nobody is told twice, nothing is lost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from routing.forms import TpsApi
from service.poll import poll
from service.resume import resume
from service.tps_versions import answering, limit_use
from simulator import Server
from simulator.fields import CONTRACT_TYPE
from store import procedures
from tests.fixtures import shipped_rules
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness, make_harness


@pytest.fixture
def v2(database_url: str, tps: Server, tmp_path: Path) -> Iterator[Harness]:
    """A harness that reads TPS by v2."""
    harness = make_harness(database_url, tps, tmp_path, tps_api="v2")
    yield harness
    harness.runtime.close()


def speak(harness: Harness, api: TpsApi) -> None:
    """Read every form by a version from now on, as after an edit of WIF_TPS_API."""
    settings = harness.runtime.settings.model_copy(update={"tps_api": api})
    harness.runtime.settings = settings


def row(harness: Harness, number: int = PARIS_FORM) -> Any:  # noqa: ANN401
    with harness.runtime.database.read() as connection:
        return next(each for each in procedures.listing(connection) if each.number == number)


def test_a_dossier_is_read_routed_and_told_without_a_request_of_its_own(v2: Harness) -> None:
    numbers = [v2.file(department="75"), v2.file(department="93")]
    v2.run()
    assert [v2.told(number) for number in numbers] == [[("filed", "UD075")], [("filed", "UD093")]]
    assert {seen.operation for seen in v2.tps.requests} == {"FormFields", "DossierPage"}


def test_nobody_is_told_twice_when_a_procedure_moves_back_and_forth(v2: Harness) -> None:
    first = v2.file(department="75")
    v2.run()
    told = {first: [("filed", "UD075")]}
    for api in (TpsApi.V1, TpsApi.V2, TpsApi.V1, TpsApi.V2):
        speak(v2, api)
        v2.wait(minutes=20)
        new = v2.file(department="93")
        told[new] = [("filed", "UD093")]
        v2.run()
        v2.wait(minutes=20)
        v2.run()
        assert {number: v2.told(number) for number in told} == told


def test_what_changed_while_the_other_version_read_is_not_lost(v2: Harness) -> None:
    number = v2.file(department="75")
    v2.run()
    speak(v2, TpsApi.V1)
    v2.wait(minutes=20)
    v2.tps.change(number, department="93")
    speak(v2, TpsApi.V2)
    v2.wait(minutes=20)
    v2.run()
    assert v2.told(number)[0] == ("filed", "UD075")
    assert set(v2.told(number)[1:]) == {("reassigned-from", "UD075"), ("reassigned-to", "UD093")}


def test_both_versions_side_by_side(v2: Harness) -> None:
    def edit(content: dict[str, Any]) -> None:
        for procedure in content["procedures"]:
            if procedure["id"] == OTHER_FORM:
                procedure["api"] = "v1"

    shipped_rules.publish_edited(v2.runtime, edit)
    one, other = v2.file(PARIS_FORM), v2.file(OTHER_FORM)
    v2.run()
    assert v2.told(one)
    assert v2.told(other)
    paths = {seen.path.split("/")[2] for seen in v2.tps.requests}
    assert paths == {"v1", "v2"}


def test_a_renamed_label_pauses_the_procedure_until_a_person_resumes_it(v2: Harness) -> None:
    v2.file()
    v2.run()
    v2.wait(hours=1)
    v2.tps.rename_label(CONTRACT_TYPE, "Nature du contrat", procedure=PARIS_FORM)
    held = v2.file()
    other = v2.file(OTHER_FORM)
    v2.run()
    assert (row(v2).status, row(v2).reason) == ("paused", "tps-form-changed:contract_type")
    assert "procedure-paused" in v2.steps()
    assert v2.told(other), "the other procedure goes on"
    v2.tps.rename_label("Nature du contrat", CONTRACT_TYPE, procedure=PARIS_FORM)
    v2.wait(hours=2)
    v2.run()
    assert row(v2).status == "paused", "only a person resumes it"
    resume(v2.runtime, [PARIS_FORM])
    v2.run()
    assert v2.told(held)


def test_the_lists_of_deletions_are_no_proof(v2: Harness) -> None:
    gone, undone = v2.file(), v2.file()
    v2.run()
    v2.wait(minutes=30)
    v2.tps.delete(gone)
    v2.tps.hide(undone)
    poll(v2.runtime, PARIS_FORM)
    v2.tps.restore(undone)
    v2.run()
    assert v2.dossier(gone).status.value == "gone"
    assert v2.dossier(undone).status.value == "routed"


def test_which_versions_a_server_answers_to(v2: Harness) -> None:
    assert answering(v2.runtime, [PARIS_FORM]) == (TpsApi.V1, TpsApi.V2)
    v2.tps.v2.available = False
    assert answering(v2.runtime, [PARIS_FORM]) == (TpsApi.V1,)


def test_each_version_has_a_limit_of_its_own(v2: Harness) -> None:
    settings = v2.runtime.settings.model_copy(update={"tps_requests_per_minute": None})
    assert settings.requests_per_minute(TpsApi.V2) == 400
    v2.runtime.settings = settings
    assert limit_use(v2.runtime)["v2"].per_minute == 400
