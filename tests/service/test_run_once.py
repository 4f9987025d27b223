"""The whole line in one process: from TPS's list to the office's mailbox."""

from store.dossiers import DossierStatus
from tests.fixtures.harness import OTHER_FORM, PARIS_FORM, Harness


def test_every_listed_dossier_is_routed_and_told_once(harness: Harness) -> None:
    harness.tps.populate([harness.form(PARIS_FORM), harness.form(OTHER_FORM)], 120, oddities=False)
    report = harness.run()
    assert report.failures == 0
    assert len(harness.mails()) == len(harness.tps) == 120
    for truth in harness.tps.truths:
        stored = harness.dossier(truth.number)
        assert stored.status is DossierStatus.ROUTED
        assert stored.facts is not None
        assert stored.facts.department == truth.department
        assert stored.facts.permit_type == truth.permit_type


def test_a_second_pass_sends_nothing(harness: Harness) -> None:
    harness.tps.populate([harness.form()], 30, oddities=False)
    harness.run()
    before = harness.steps()
    second = harness.run()
    assert (second.routing.claimed, second.delivery.claimed) == (0, 0)
    assert harness.steps() == before


def test_a_dossier_added_between_two_passes_is_told_once(harness: Harness) -> None:
    harness.file()
    harness.run()
    late = harness.file()
    assert harness.run().delivery.sent == 1
    assert harness.told(late) == [("filed", "UD075")]
    assert harness.run().delivery.sent == 0


def test_the_life_of_a_dossier_is_audited_in_order(harness: Harness) -> None:
    number = harness.file()
    harness.run()
    assert harness.steps(number) == ["seen", "classified", "routed", "queued", "sent"]


def test_a_mail_says_what_the_office_needs_and_nothing_of_the_person(harness: Harness) -> None:
    number = harness.file(department="75", permit_type="apprentissage")
    harness.run()
    (mail,) = harness.mails()
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert str(number) in mail["Subject"]
    assert "75" in mail["Subject"]
    assert f"/procedures/{PARIS_FORM}/dossiers/{number}" in text
    assert mail["Auto-Submitted"] == "auto-generated"


def test_what_no_rule_can_place_goes_to_the_fallback_unit_and_to_the_unrouted_list(
    harness: Harness,
) -> None:
    number = harness.file(department="01")
    harness.run()
    stored = harness.dossier(number)
    assert stored.unrouted
    assert stored.assignment.units == ("NATIONAL",)
    assert stored.reasons[-1] == "department-not-served"
    assert harness.told(number) == [("filed", "NATIONAL")]
    assert "unrouted" in harness.steps(number)


def test_a_dossier_from_before_the_launch_is_recorded_and_nobody_is_told(harness: Harness) -> None:
    old = harness.file(filed_at=harness.now.replace(year=2015))
    harness.run()
    assert harness.dossier(old).status is DossierStatus.ROUTED


def test_procedures_that_answer_500_never_keep_a_pass_from_the_others(harness: Harness) -> None:
    harness.tps.fail_procedure(OTHER_FORM, 500)
    numbers = [harness.file(PARIS_FORM) for _ in range(12)]
    for bad in numbers[:8]:
        harness.tps.fail_detail(bad, 500)
    report = harness.run()
    assert report.failures > 0
    assert (report.routing.routed, report.routing.quarantined) == (4, 8)
