"""A label is renamed overnight, a field changes its type: nothing goes to the wrong office."""

from collections import Counter

import pytest
from sqlalchemy import select, update

from routing.drift import LEARNED
from service.resume import resume
from store import procedures
from store.dossiers import DossierStatus
from store.models import AuditLine, Procedure
from store.procedures import ProcedureStatus
from tests.stage import OTHER_FORM, PARIS_FORM, Stage

PERMIT = "Département qui figure sur le titre de séjour"
CONTRACT = "Type de contrat"


def known(stage: Stage, count: int = 60) -> None:
    """Let the form be known by `count` ordinary dossiers."""
    for _ in range(count):
        stage.file()
    stage.run()
    stage.wait(minutes=1)


def status(stage: Stage, number: int = PARIS_FORM) -> tuple[str, str | None]:
    with stage.runtime.database.read() as connection:
        row = next(each for each in procedures.listing(connection) if each.number == number)
    return row.status, row.reason


def statuses(stage: Stage, numbers: list[int]) -> Counter[str]:
    return Counter(stage.dossier(number).status.value for number in numbers)


@pytest.mark.parametrize("label", [PERMIT, CONTRACT])
def test_a_renamed_label_holds_the_whole_batch_in_which_it_shows(stage: Stage, label: str) -> None:
    known(stage)
    mails = len(stage.mails())
    stage.tps.rename_label(label, "Nouveau libellé")
    filed = [stage.file(contract="contrat d'apprentissage") for _ in range(10)]

    report = stage.run()

    assert status(stage) == ("paused", "schema-drift")
    assert statuses(stage, filed) == {"held": 10}
    assert report.routing.held == 10
    assert len(stage.mails()) == mails
    assert all(stage.dossier(number).reason == "schema-drift" for number in filed)
    assert all(stage.steps(number) == ["seen", "held"] for number in filed)
    assert stage.steps().count("procedure-paused") == 1


def test_a_field_that_lost_its_values_holds_the_batch(stage: Stage) -> None:
    known(stage)
    filed = [stage.file(permit_department=None) for _ in range(5)]
    stage.run()
    assert status(stage) == ("paused", "schema-drift")
    assert statuses(stage, filed) == {"held": 5}


def test_known_dossiers_that_lose_their_field_stay_where_they_are(stage: Stage) -> None:
    filed = [stage.file() for _ in range(60)]
    stage.run()
    units = {number: stage.dossier(number).assignment for number in filed}
    stage.wait(minutes=1)
    stage.tps.rename_label(PERMIT, "Nouveau libellé")
    for number in filed[:20]:
        stage.tps.change(number, changed_at=stage.now)
    stage.run()
    assert status(stage) == ("paused", "schema-drift")
    assert {number: stage.dossier(number).assignment for number in filed} == units
    assert all(stage.dossier(number).facts.department == "75" for number in filed)  # type: ignore[union-attr]


def test_a_paused_procedure_is_listed_but_nothing_of_it_is_read(stage: Stage) -> None:
    known(stage)
    for _ in range(5):
        stage.file(permit_department=None)
    stage.run()
    later, elsewhere = stage.file(), stage.file(OTHER_FORM)
    stage.run()
    assert stage.dossier(later).status is DossierStatus.PENDING
    assert stage.dossier(elsewhere).status is DossierStatus.ROUTED
    assert status(stage) == ("paused", "schema-drift")


def test_after_the_label_is_mended_resuming_loses_nothing(stage: Stage) -> None:
    known(stage)
    stage.tps.rename_label(PERMIT, "Nouveau libellé")
    filed = [stage.file() for _ in range(10)]
    stage.run()
    filed.append(stage.file())
    stage.run()
    stage.tps.rename_label("Nouveau libellé", PERMIT)

    assert resume(stage.runtime, [PARIS_FORM]) == [PARIS_FORM]
    stage.run()

    assert statuses(stage, filed) == {"routed": 11}
    assert all(stage.told(number) == [("filed", "UD075")] for number in filed)
    assert status(stage) == ("active", None)


def test_what_was_held_is_accepted_as_it_is_once_a_person_has_looked(stage: Stage) -> None:
    known(stage)
    filed = [stage.file(permit_department=None, contract="Autre") for _ in range(70)]
    stage.run()
    assert statuses(stage, filed)["held"] >= 50

    resume(stage.runtime, [PARIS_FORM])
    stage.run()
    stage.wait(minutes=1)
    filed += [stage.file(permit_department=None, contract="Autre") for _ in range(50)]
    stage.run()

    assert status(stage) == ("active", None)
    assert statuses(stage, filed) == {"routed": 120}


def test_a_small_form_with_a_few_odd_dossiers_goes_on(stage: Stage) -> None:
    known(stage, LEARNED)
    for _ in range(3):
        stage.file(permit_department=None, contract=None, nationality="MAROC")
        stage.run()
        stage.wait(hours=3)
        for _ in range(5):
            stage.file()
        stage.run()
    assert status(stage) == ("active", None)


def test_a_form_that_was_always_blank_to_a_third_goes_on(stage: Stage) -> None:
    for index in range(120):
        stage.file(permit_department=None if index % 10 < 3 else "75 - Paris")
        if index % 12 == 0:
            stage.run()
    stage.run()
    assert status(stage) == ("active", None)


def test_an_odd_dossier_that_is_edited_all_the_time_goes_on(stage: Stage) -> None:
    known(stage)
    odd = stage.file(permit_department=None)
    for _ in range(12):
        stage.run()
        stage.wait(minutes=5)
        stage.tps.change(odd, changed_at=stage.now)
    assert status(stage) == ("active", None)


def test_a_paused_procedure_that_is_refused_meanwhile_stays_paused(stage: Stage) -> None:
    known(stage)
    for _ in range(5):
        stage.file(permit_department=None)
    stage.run()
    stage.tps.fail_procedure(PARIS_FORM, 401)
    stage.run()
    assert status(stage) == ("paused", "schema-drift")
    stage.tps.heal()
    stage.wait(hours=2)
    stage.run()
    assert status(stage) == ("paused", "schema-drift")


def test_without_the_safeguard_the_wrong_office_would_be_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.drift.must_hold", lambda *_: False)
    known(stage)
    stage.tps.rename_label(CONTRACT, "Nouveau libellé")
    filed = [stage.file(nationality="MAROC") for _ in range(10)]
    stage.run()
    assert all(stage.told(number) == [("filed", "NATIONAL")] for number in filed)


def test_the_pause_is_audited_with_its_reason(stage: Stage) -> None:
    known(stage)
    for _ in range(5):
        stage.file(permit_department=None)
    stage.run()
    resume(stage.runtime, None)
    query = select(AuditLine.step, AuditLine.procedure, AuditLine.reason).where(
        AuditLine.step.in_(["procedure-paused", "procedure-resumed"])
    )
    with stage.runtime.database.read() as connection:
        assert connection.execute(query).all() == [
            ("procedure-paused", PARIS_FORM, "schema-drift"),
            ("procedure-resumed", PARIS_FORM, None),
        ]


def test_a_batch_that_was_read_while_another_one_paused_is_held_too(stage: Stage) -> None:
    known(stage)
    fresh = stage.file()
    pause = {"status": ProcedureStatus.PAUSED.value, "reason": "schema-drift"}

    def paused(_seen: object) -> None:
        stage.tps.on_request = None
        with stage.runtime.database.begin() as connection:
            connection.execute(
                update(Procedure).where(Procedure.number == PARIS_FORM).values(pause)
            )

    stage.tps.on_request = lambda seen: paused(seen) if seen.path.endswith(str(fresh)) else None
    stage.run()
    assert stage.dossier(fresh).status is DossierStatus.HELD
