"""The whole line in one process: from TPS's list to the office's mailbox."""

from store.dossiers import DossierStatus
from tests.stage import OTHER_FORM, PARIS_FORM, Stage


def test_every_listed_dossier_is_routed_and_told_once(stage: Stage) -> None:
    stage.tps.populate([stage.form(PARIS_FORM), stage.form(OTHER_FORM)], 120, oddities=False)
    report = stage.run()
    assert report.failures == 0
    assert len(stage.mails()) == len(stage.tps) == 120
    for truth in stage.tps.truths:
        stored = stage.dossier(truth.number)
        assert stored.status is DossierStatus.ROUTED
        assert stored.facts is not None
        assert stored.facts.department == truth.department
        assert stored.facts.permit_type == truth.permit_type


def test_a_second_pass_sends_nothing(stage: Stage) -> None:
    stage.tps.populate([stage.form()], 30, oddities=False)
    stage.run()
    before = stage.steps()
    second = stage.run()
    assert (second.routing.claimed, second.delivery.claimed) == (0, 0)
    assert stage.steps() == before


def test_a_dossier_added_between_two_passes_is_told_once(stage: Stage) -> None:
    stage.file()
    stage.run()
    late = stage.file()
    assert stage.run().delivery.sent == 1
    assert stage.told(late) == [("filed", "UD075")]
    assert stage.run().delivery.sent == 0


def test_the_life_of_a_dossier_is_audited_in_order(stage: Stage) -> None:
    number = stage.file()
    stage.run()
    assert stage.steps(number) == ["seen", "classified", "routed", "queued", "sent"]


def test_a_mail_says_what_the_office_needs_and_nothing_of_the_person(stage: Stage) -> None:
    number = stage.file(department="75", permit_type="apprentissage")
    stage.run()
    (mail,) = stage.mails()
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert str(number) in mail["Subject"]
    assert "75" in mail["Subject"]
    assert f"/procedures/{PARIS_FORM}/dossiers/{number}" in text
    assert mail["Auto-Submitted"] == "auto-generated"


def test_what_no_rule_can_place_goes_to_the_fallback_unit_and_to_the_unrouted_list(
    stage: Stage,
) -> None:
    number = stage.file(department="01")
    stage.run()
    stored = stage.dossier(number)
    assert stored.unrouted
    assert stored.assignment.units == ("NATIONAL",)
    assert stored.reasons[-1] == "department-not-served"
    assert stage.told(number) == [("filed", "NATIONAL")]
    assert "unrouted" in stage.steps(number)


def test_a_dossier_from_before_the_launch_is_recorded_and_nobody_is_told(stage: Stage) -> None:
    old = stage.file(filed_at=stage.now.replace(year=2015))
    stage.run()
    assert stage.dossier(old).status is DossierStatus.ROUTED


def test_procedures_that_answer_500_never_keep_a_pass_from_the_others(stage: Stage) -> None:
    stage.tps.fail_procedure(OTHER_FORM, 500)
    numbers = [stage.file(PARIS_FORM) for _ in range(12)]
    for bad in numbers[:8]:
        stage.tps.fail_detail(bad, 500)
    report = stage.run()
    assert report.failures > 0
    assert (report.routing.routed, report.routing.quarantined) == (4, 8)
