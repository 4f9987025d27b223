"""A label is renamed overnight, a field changes its type: nothing goes to the wrong office."""

from collections import Counter

import pytest
from sqlalchemy import select, update

from routing.drift import LEARNED
from service.resume import resume
from store import drift, procedures
from store.dossiers import DossierStatus
from store.models import AuditLine, Procedure
from store.procedures import ProcedureStatus
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness

PERMIT = "Département qui figure sur le titre de séjour"
CONTRACT = "Type de contrat"


def known(harness: Harness, count: int = 60) -> None:
    """Let the form be known by `count` ordinary dossiers."""
    for _ in range(count):
        harness.file()
    harness.run()
    harness.wait(minutes=1)


def status(harness: Harness, number: int = PARIS_FORM) -> tuple[str, str | None]:
    with harness.runtime.database.read() as connection:
        row = next(each for each in procedures.listing(connection) if each.number == number)
    return row.status, row.reason


def statuses(harness: Harness, numbers: list[int]) -> Counter[str]:
    return Counter(harness.dossier(number).status.value for number in numbers)


@pytest.mark.parametrize("label", [PERMIT, CONTRACT])
def test_a_renamed_label_holds_the_whole_batch_in_which_it_shows(
    harness: Harness, label: str
) -> None:
    known(harness)
    mails = len(harness.mails())
    harness.tps.rename_label(label, "Nouveau libellé")
    filed = [harness.file(contract="contrat d'apprentissage") for _ in range(10)]

    report = harness.run()

    assert status(harness) == ("paused", "schema-drift")
    assert statuses(harness, filed) == {"held": 10}
    assert report.routing.held == 10
    assert len(harness.mails()) == mails
    assert all(harness.dossier(number).reason == "schema-drift" for number in filed)
    assert all(harness.steps(number) == ["seen", "held"] for number in filed)
    assert harness.steps().count("procedure-paused") == 1


def test_a_field_that_lost_its_values_holds_the_batch(harness: Harness) -> None:
    known(harness)
    filed = [harness.file(permit_department=None) for _ in range(5)]
    harness.run()
    assert status(harness) == ("paused", "schema-drift")
    assert statuses(harness, filed) == {"held": 5}


def test_known_dossiers_that_lose_their_field_stay_where_they_are(harness: Harness) -> None:
    filed = [harness.file() for _ in range(60)]
    harness.run()
    units = {number: harness.dossier(number).assignment for number in filed}
    harness.wait(minutes=1)
    harness.tps.rename_label(PERMIT, "Nouveau libellé")
    for number in filed[:20]:
        harness.tps.change(number, changed_at=harness.now)
    harness.run()
    assert status(harness) == ("paused", "schema-drift")
    assert {number: harness.dossier(number).assignment for number in filed} == units
    assert all(harness.dossier(number).facts.department == "75" for number in filed)  # type: ignore[union-attr]


def test_a_paused_procedure_is_listed_but_nothing_of_it_is_read(harness: Harness) -> None:
    known(harness)
    for _ in range(5):
        harness.file(permit_department=None)
    harness.run()
    later, elsewhere = harness.file(), harness.file(OTHER_FORM)
    harness.run()
    assert harness.dossier(later).status is DossierStatus.PENDING
    assert harness.dossier(elsewhere).status is DossierStatus.ROUTED
    assert status(harness) == ("paused", "schema-drift")


def test_after_the_label_is_mended_resuming_loses_nothing(harness: Harness) -> None:
    known(harness)
    harness.tps.rename_label(PERMIT, "Nouveau libellé")
    filed = [harness.file() for _ in range(10)]
    harness.run()
    filed.append(harness.file())
    harness.run()
    harness.tps.rename_label("Nouveau libellé", PERMIT)

    assert resume(harness.runtime, [PARIS_FORM]) == [PARIS_FORM]
    harness.run()

    assert statuses(harness, filed) == {"routed": 11}
    assert all(harness.told(number) == [("filed", "UD075")] for number in filed)
    assert status(harness) == ("active", None)


def test_what_was_held_is_accepted_as_it_is_once_a_person_has_looked(harness: Harness) -> None:
    known(harness)
    filed = [harness.file(permit_department=None, contract="Autre") for _ in range(70)]
    harness.run()
    assert statuses(harness, filed)["held"] >= 50

    resume(harness.runtime, [PARIS_FORM])
    harness.run()
    harness.wait(minutes=1)
    filed += [harness.file(permit_department=None, contract="Autre") for _ in range(50)]
    harness.run()

    assert status(harness) == ("active", None)
    assert statuses(harness, filed) == {"routed": 120}


def test_a_small_form_with_a_few_odd_dossiers_goes_on(harness: Harness) -> None:
    known(harness, LEARNED)
    for _ in range(3):
        harness.file(permit_department=None, contract=None, nationality="MAROC")
        harness.run()
        harness.wait(hours=3)
        for _ in range(5):
            harness.file()
        harness.run()
    assert status(harness) == ("active", None)


def test_a_form_that_was_always_blank_to_a_third_goes_on(harness: Harness) -> None:
    for index in range(120):
        harness.file(permit_department=None if index % 10 < 3 else "75 - Paris")
        if index % 12 == 0:
            harness.run()
    harness.run()
    assert status(harness) == ("active", None)


def test_an_odd_dossier_that_is_edited_all_the_time_goes_on(harness: Harness) -> None:
    known(harness)
    odd = harness.file(permit_department=None)
    for _ in range(12):
        harness.run()
        harness.wait(minutes=5)
        harness.tps.change(odd, changed_at=harness.now)
    assert status(harness) == ("active", None)


def test_a_paused_procedure_that_is_refused_meanwhile_stays_paused(harness: Harness) -> None:
    known(harness)
    for _ in range(5):
        harness.file(permit_department=None)
    harness.run()
    harness.tps.fail_procedure(PARIS_FORM, 401)
    harness.run()
    assert status(harness) == ("paused", "schema-drift")
    harness.tps.heal()
    harness.wait(hours=2)
    harness.run()
    assert status(harness) == ("paused", "schema-drift")


def test_without_what_is_known_of_the_form_the_wrong_office_would_be_told(
    harness: Harness,
) -> None:
    """The control: nothing is missed where nothing was ever seen."""
    known(harness)
    with harness.runtime.database.begin() as connection:
        drift.forget(connection, PARIS_FORM)
    harness.tps.rename_label(CONTRACT, "Nouveau libellé")
    filed = [harness.file(nationality="MAROC") for _ in range(10)]
    harness.run()
    assert all(harness.told(number) == [("filed", "NATIONAL")] for number in filed)


def test_the_pause_is_audited_with_its_reason(harness: Harness) -> None:
    known(harness)
    for _ in range(5):
        harness.file(permit_department=None)
    harness.run()
    resume(harness.runtime, None)
    query = select(AuditLine.step, AuditLine.procedure, AuditLine.reason).where(
        AuditLine.step.in_(["procedure-paused", "procedure-resumed"])
    )
    with harness.runtime.database.read() as connection:
        assert connection.execute(query).all() == [
            ("procedure-paused", PARIS_FORM, "schema-drift"),
            ("procedure-resumed", PARIS_FORM, None),
        ]


def test_a_batch_that_was_read_while_another_one_paused_is_held_too(harness: Harness) -> None:
    known(harness)
    fresh = harness.file()
    pause = {"status": ProcedureStatus.PAUSED.value, "reason": "schema-drift"}

    def paused(_seen: object) -> None:
        harness.tps.on_request = None
        with harness.runtime.database.begin() as connection:
            connection.execute(
                update(Procedure).where(Procedure.number == PARIS_FORM).values(pause)
            )

    harness.tps.on_request = lambda seen: paused(seen) if seen.path.endswith(str(fresh)) else None
    harness.run()
    assert harness.dossier(fresh).status is DossierStatus.HELD
