"""Breakers of a channel: of one unit's address, and of the way to all addresses.

A failing address rests while the others get their messages; a failing way rests altogether.
Neither costs what waits an attempt. Who is to blame is said by the channel.
"""

from collections.abc import Collection

from connectors.channel import Blame, Channel
from routing.failures import Failure
from service.connections import Connections
from service.guards import breakers, outages
from service.guards.breakers import BreakerState


class ChannelGuard:
    """The breakers of one channel and of the addresses behind it."""

    def __init__(self, runtime: Connections, channel: Channel) -> None:
        self._runtime = runtime
        self._channel = channel
        self._way = breakers.way(channel.kind)
        self._breakers = runtime.breakers
        self._breakers.refresh()

    def state(self) -> BreakerState:
        """Whether the channel may be used now, or only for one message."""
        return self._breakers.state(self._way)

    def resting(self, units: Collection[str]) -> frozenset[str]:
        """Those of `units` whose address has an open breaker."""
        return frozenset(unit for unit in units if self.rests(unit))

    def rests(self, unit: str) -> bool:
        """Whether the breaker of the address of `unit` is open."""
        return self._breakers.state(self._address(unit)) is BreakerState.OPEN

    def tell(self, unit: str, failure: Failure | None) -> bool:
        """Count the outcome of a message; True when the breaker of the channel opened."""
        blame = Blame.MESSAGE if failure is None else self._channel.blame(failure)
        match blame:
            case Blame.MESSAGE:
                self._record_success(unit)
                return False
            case Blame.NOBODY:
                return False
            case Blame.WAY:
                self._breakers.failed(self._way)
                return True
            case Blame.ADDRESS:
                self._breakers.failed(self._address(unit))
                self._breakers.succeeded(self._way)
                return False
            case Blame.UNCLEAR:
                self._breakers.failed(self._address(unit))
                return self._breakers.failed(self._way)

    def _address(self, unit: str) -> breakers.Target:
        return breakers.address(self._channel.kind, unit)

    def _record_success(self, unit: str) -> None:
        way = self._breakers.succeeded(self._way)
        address = self._breakers.succeeded(self._address(unit))
        if way or address:
            with self._runtime.database.begin() as connection:
                if way:
                    outages.channel_is_back(self._runtime, connection, self._channel)
                if address:
                    outages.address_is_back(self._runtime, connection, self._channel, unit)
