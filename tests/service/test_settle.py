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
from tests.fixtures.harness import PARIS_FORM, Harness


def listed(harness: Harness) -> None:
    """Let the procedure's dossiers be known and due, and none of them read."""
    harness.register()
    poll(harness.runtime, PARIS_FORM, full=True)


def row(harness: Harness, number: int, failure: Failure | None = None) -> ListedDossier:
    """What a page that brings facts, or the failure to read them, says of a dossier."""
    permit_types = harness.runtime.rules().permit_types
    facts = (
        None if failure else harness.runtime.tps.facts(harness.form(), permit_types, number, None)
    )
    return ListedDossier(
        number=number, state=None, filed_at=None, changed_at=None, facts=facts, failure=failure
    )


def settle_page(harness: Harness, *rows: ListedDossier) -> Settled:
    """What polling does with the rows of a page, in its transaction."""
    rules = harness.runtime.rules()
    with harness.runtime.database.begin() as connection:
        numbers = [each.number for each in rows]
        claim = claim_listed(harness.runtime, connection, rules, harness.form(), numbers)
        settled = settle(harness.runtime, connection, claim, from_page(claim, rows))
    announce(harness.runtime, claim, settled)
    return settled


def test_a_page_with_facts_decides_and_queues_without_another_reading(harness: Harness) -> None:
    numbers = [harness.file(department="75"), harness.file(department="93")]
    listed(harness)
    rows = [row(harness, number) for number in numbers]
    harness.tps.requests.clear()
    settled = settle_page(harness, *rows)
    assert (settled.routed, settled.queued) == (2, 2)
    assert [harness.dossier(number).assignment.units for number in numbers] == [
        ("UD075",),
        ("UD093",),
    ]
    assert harness.waker.woken["deliver mail"] == 1
    assert route(harness.runtime, PARIS_FORM).claimed == 0
    assert not harness.tps.requests


def test_a_row_whose_facts_cannot_be_read_is_quarantined_alone(harness: Harness) -> None:
    good, bad = harness.file(), harness.file()
    listed(harness)
    malformed = Failure(Cause.TPS_MALFORMED)
    settled = settle_page(harness, row(harness, good), row(harness, bad, malformed))
    assert (settled.routed, settled.quarantined) == (1, 1)
    assert harness.dossier(bad).reason == "tps-malformed"


def test_a_dossier_that_a_worker_has_is_left_to_it(harness: Harness) -> None:
    number = harness.file()
    listed(harness)
    rules = harness.runtime.rules()
    with harness.runtime.database.begin() as connection:
        first = claim_listed(harness.runtime, connection, rules, harness.form(), [number])
    assert first.numbers == (number,)
    assert settle_page(harness, row(harness, number)) == Settled()
    assert harness.dossier(number).status is DossierStatus.PENDING
