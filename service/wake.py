"""Telling workers of queued deliveries, on the channels that units have."""

from routing.ruleset import RuleSet
from service.waker import Waker


def wake_deliveries(waker: Waker, rules: RuleSet) -> None:
    """Tell workers that there may be deliveries to make on any channel that a unit has."""
    kinds = {channel.kind for unit in rules.units.values() for channel in unit.channels}
    for kind in sorted(kinds):
        waker.deliver(kind)
