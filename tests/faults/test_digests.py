"""Digests under faults: each dossier stands in one of them, however many processes die."""

import json
import secrets
from contextlib import closing
from datetime import datetime, timedelta
from random import Random

import pytest
from sqlalchemy import Connection, update

from connectors.mail import message
from routing.calendar import PARIS
from service.digests import make_digests
from service.publish_rules import publish
from store import digests
from store.deliveries import DeliveryState
from store.digests import Digest
from store.models import Delivery
from tests.faults.conftest import MakeWorld
from tests.faults.oracle import Finding, Kind
from tests.faults.victims import Victim, is_mail
from tests.faults.world import FORMS, HOUR, MINUTE, World
from tests.fixtures import shipped_rules
from tests.fixtures.smtp_faults import At, Fault

UNIT = "UD002"
DAY = timedelta(days=1)
MONDAY = datetime(2026, 11, 23, 7, 0, tzinfo=PARIS)


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """A world whose forms all go to one office, which gets digests; it is Monday, 7:00."""
    made = make_world(forms=FORMS[:1])
    made.clock.move(MONDAY - made.clock())
    with made.runtime.database.begin() as connection:
        publish(made.runtime, connection, with_digest(), note="faults")
    return made


def with_digest() -> str:
    content = json.loads(shipped_rules.document())
    for unit in content["units"]:
        if unit["code"] == UNIT:
            unit["digest"] = {"at": ["08:30", "14:00"], "days": "working"}
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def until_it_is_due(world: World, count: int) -> list[int]:
    """File `count` dossiers and let time pass until the digest of the morning is due."""
    numbers = world.file(count)
    world.turn()
    world.clock.move(2 * HOUR)
    return numbers


def listed(world: World) -> list[int]:
    """The dossiers that digests list, each digest counted once however often it came."""
    by_id = {told.message_id: told.carried for told in world.offices.told}
    return sorted(number for carried in by_id.values() for number in carried)


def settle(world: World) -> list[Finding]:
    return world.settle(within=2 * DAY)


@pytest.mark.parametrize("at", [1, 2])
def test_killed_between_acceptance_and_commit_a_digest_comes_again_under_its_own_id(
    world: World, at: int
) -> None:
    numbers = until_it_is_due(world, 30)
    for each in range(at):
        assert Victim(world, 1, counts=is_mail).killed(), each
    assert settle(world) == []
    assert listed(world) == numbers
    assert len({told.message_id for told in world.offices.told}) == 1
    assert len(world.offices.told) == 1 + at


def test_processes_that_die_or_stall_anywhere_put_each_dossier_into_one_digest(
    world: World,
) -> None:
    chance = Random(15)
    numbers = []
    for at in range(1, 6):
        numbers += until_it_is_due(world, 10)
        Victim(world, at).killed()
        Victim(world, at).stalled(world.turn)
        world.clock.move(timedelta(hours=chance.randrange(1, 30)))
    assert settle(world) == []
    assert listed(world) == sorted(numbers)


def test_a_mail_server_that_takes_and_drops_costs_copies_of_one_digest(world: World) -> None:
    numbers = until_it_is_due(world, 20)
    world.offices.play(Fault(at=At.CONTENT, drop=True, accept=True, times=3))
    assert settle(world) == []
    assert listed(world) == numbers
    assert len({told.message_id for told in world.offices.told}) == 1


def raced(world: World, patch: pytest.MonkeyPatch) -> None:
    """Let another process make the digests between the look at what is due and the making."""
    due = digests.due

    def looked_up(connection: Connection, now: datetime) -> list[Digest]:
        found = due(connection, now)
        patch.setattr(digests, "due", due)
        with closing(world.second_runtime()) as other:
            make_digests(other, world.crew)
        return found

    patch.setattr(digests, "due", looked_up)


def test_two_processes_that_see_the_same_digest_make_it_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = until_it_is_due(world, 10)
    raced(world, monkeypatch)
    assert settle(world) == []
    assert listed(world) == numbers


def test_control_under_an_id_of_each_sending_the_office_has_two_digests(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    until_it_is_due(world, 30)
    assert Victim(world, 1, counts=is_mail).killed()
    monkeypatch.setattr(message, "message_key", lambda _: f"wif.{secrets.token_hex(20)}")
    world.run(10 * MINUTE)
    assert Kind.UNASKED in {finding.kind for finding in world.ask()}


def test_control_without_the_mark_of_what_is_carried_a_digest_is_made_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    until_it_is_due(world, 10)
    make = digests.make

    def unmarked(connection: Connection, digest: Digest, now: datetime) -> int:
        made = make(connection, digest, now)
        # Nor the key of the digest, which is that of the first delivery that it carries.
        first = Delivery.procedure == digests.NO_PROCEDURE
        connection.execute(update(Delivery).where(first).values(number=-Delivery.id))
        waiting = {"state": DeliveryState.WAITING.value, "digest_at": now}
        connection.execute(update(Delivery).where(Delivery.carrier.is_not(None)).values(waiting))
        return made

    with monkeypatch.context() as patch:
        patch.setattr(digests, "make", unmarked)
        world.turn()
    world.run(10 * MINUTE)
    assert len({told.message_id for told in world.offices.told}) > 1
