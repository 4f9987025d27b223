"""Facts that came with a page are settled like facts that were read, without another reading."""

from connectors.tps.port import ListedDossier
from routing.failures import Cause, Failure
from service.claim import claim_listed
from service.poll import poll
from service.read import from_page
from service.route import route
from service.settle import announce, settle
from store.dossiers import DossierStatus
from store.settle import Settled
from tests.stage import PARIS_FORM, Stage


def listed(stage: Stage) -> None:
    """Let the procedure's dossiers be known and due, and none of them read."""
    stage.register()
    poll(stage.runtime, PARIS_FORM, full=True)


def row(stage: Stage, number: int, failure: Failure | None = None) -> ListedDossier:
    """What a page that brings facts, or the failure to read them, says of a dossier."""
    permit_types = stage.runtime.rules().permit_types
    facts = None if failure else stage.runtime.tps.facts(stage.form(), permit_types, number, None)
    return ListedDossier(
        number=number, state=None, filed_at=None, changed_at=None, facts=facts, failure=failure
    )


def settle_page(stage: Stage, *rows: ListedDossier) -> Settled:
    """What polling does with the rows of a page, in its transaction."""
    rules = stage.runtime.rules()
    with stage.runtime.database.begin() as connection:
        numbers = [each.number for each in rows]
        claim = claim_listed(stage.runtime, connection, rules, stage.form(), numbers)
        settled = settle(stage.runtime, connection, claim, from_page(claim, rows))
    announce(stage.runtime, claim, settled)
    return settled


def test_a_page_with_facts_decides_and_queues_without_another_reading(stage: Stage) -> None:
    numbers = [stage.file(department="75"), stage.file(department="93")]
    listed(stage)
    rows = [row(stage, number) for number in numbers]
    stage.tps.requests.clear()
    settled = settle_page(stage, *rows)
    assert (settled.routed, settled.queued) == (2, 2)
    assert [stage.dossier(number).assignment.units for number in numbers] == [
        ("UD075",),
        ("UD093",),
    ]
    assert stage.waker.woken["deliver mail"] == 1
    assert route(stage.runtime, PARIS_FORM).claimed == 0
    assert not stage.tps.requests


def test_a_row_whose_facts_cannot_be_read_is_quarantined_alone(stage: Stage) -> None:
    good, bad = stage.file(), stage.file()
    listed(stage)
    malformed = Failure(Cause.TPS_MALFORMED)
    settled = settle_page(stage, row(stage, good), row(stage, bad, malformed))
    assert (settled.routed, settled.quarantined) == (1, 1)
    assert stage.dossier(bad).reason == "tps-malformed"


def test_a_dossier_that_a_worker_has_is_left_to_it(stage: Stage) -> None:
    number = stage.file()
    listed(stage)
    rules = stage.runtime.rules()
    with stage.runtime.database.begin() as connection:
        first = claim_listed(stage.runtime, connection, rules, stage.form(), [number])
    assert first.numbers == (number,)
    assert settle_page(stage, row(stage, number)) == Settled()
    assert stage.dossier(number).status is DossierStatus.PENDING
