"""An address whose peer wants nothing more is disabled until a person enables it, or it changes."""

from routing.incidents import IncidentKind
from service import watch_health
from service.channels import channel_statuses, enable_channels
from store import deliveries, incidents
from store.deliveries import Filter
from tests.fixtures.webhook import Answer, Receiver
from tests.service.webhook_offices import Offices, offices

__all__ = ["offices"]


def lasting(offices: Offices) -> list[tuple[str, str]]:
    with offices.harness.runtime.database.read() as connection:
        return [(each.kind.value, each.subject) for each in incidents.lasting(connection)]


def gone(offices: Offices) -> None:
    offices.paris.usual = Answer(status=410, handle=False)
    offices.queue(8)
    offices.work()


def test_410_disables_the_endpoint_and_raises_an_incident(offices: Offices) -> None:
    gone(offices)
    assert offices.states("webhook") == {("dead", "webhook-gone")}
    assert len(offices.of("webhook")) == 8
    assert len(offices.paris.requests) == 1
    assert offices.states("mail") == {("sent", None)}
    watch_health.check(offices.harness.runtime)
    assert ("channel-disabled", "webhook.UD075") in lasting(offices)
    assert offices.harness.steps().count("channel-disabled") == 1
    states = {
        each.channel: each.state
        for each in channel_statuses(offices.harness.runtime)
        if each.unit == "UD075"
    }
    assert states == {"mail": "ready", "webhook": "webhook-gone"}


def test_it_stays_so_until_it_is_enabled_and_what_died_is_replayed(offices: Offices) -> None:
    gone(offices)
    offices.paris.usual = Answer()
    offices.harness.wait(days=3)
    offices.queue(1)
    offices.work()
    assert len(offices.paris.requests) == 1
    assert enable_channels(offices.harness.runtime, "UD075") == 1
    assert enable_channels(offices.harness.runtime, "UD075") == 0
    with offices.harness.runtime.database.begin() as connection:
        deliveries.replay(connection, Filter(reason="webhook-gone"), offices.harness.now)
    offices.work()
    assert offices.states("webhook") == {("sent", None)}
    assert len(offices.paris.handled) == 9
    watch_health.check(offices.harness.runtime)
    assert IncidentKind.CHANNEL_DISABLED.value not in dict(lasting(offices))


def test_a_new_address_enables_it(offices: Offices) -> None:
    gone(offices)
    watch_health.check(offices.harness.runtime)
    with Receiver(clock=offices.harness.runtime.clock) as moved:
        offices.publish(UD075=moved.url, UD093=offices.bobigny.url)
        watch_health.check(offices.harness.runtime)
        assert IncidentKind.CHANNEL_DISABLED.value not in dict(lasting(offices))
        offices.queue(1)
        offices.work()
        assert len(moved.handled) == 1
