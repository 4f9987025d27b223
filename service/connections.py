"""The connections of a process to everything outside, made on first use and closed together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from config.secret_files import SecretFileWatch
from routing.forms import Form, TpsApi
from service.context import Context
from service.secret_rotation import renewed
from store.audit.log import AuditLog
from store.engine import Database

if TYPE_CHECKING:
    from connectors.tps.port import TpsPort
    from service.guards.breakers import Breakers
    from service.guards.redis_state import RedisState
    from service.guards.throttle import Throttle
    from service.tps import TpsPorts

# Clients and the limiter are imported where they are made: most commands need neither, and
# they take longer to import than such a command to run.

_CLOSED_AT_END = ("tps_ports", "redis_state", "database")
_MADE_WITH_SECRETS = ("tps_ports", "audit", "database")


@dataclass
class Connections(Context):
    """A context with its connections. Build it after a fork: processes must not share it.

    Attributes:
        secrets: notices files of secrets that were replaced.
    """

    secrets: SecretFileWatch = field(default_factory=SecretFileWatch)

    @cached_property
    def database(self) -> Database:
        """The database of the settings."""
        return Database(self.settings.database)

    @cached_property
    def audit(self) -> AuditLog:
        """The audit log, under the keys of the settings."""
        return AuditLog(self.settings.audit_keys())

    @cached_property
    def redis_state(self) -> "RedisState":
        """The state that workers share through the broker's Redis."""
        from service.guards.redis_state import RedisState  # noqa: PLC0415

        url = self.settings.broker_url
        return RedisState(url.get_secret_value() if url else None)

    @cached_property
    def breakers(self) -> "Breakers":
        """The circuit breakers, shared by all workers."""
        from service.guards.breakers import Breakers  # noqa: PLC0415

        return Breakers(self.redis_state, self.now)

    @cached_property
    def throttles(self) -> "Mapping[TpsApi, Throttle]":
        """The limit of requests to TPS by each version of its API, shared by all workers."""
        from service.guards.throttle import Throttle  # noqa: PLC0415

        return {
            api: Throttle(
                self.redis_state, self.settings.requests_per_minute(api), self.now, name=f"-{api}"
            )
            for api in TpsApi
        }

    @property
    def throttle(self) -> "Throttle":
        """The limit by the version that the settings name."""
        return self.throttles[self.settings.tps_api]

    def throttle_for(self, form: Form) -> "Throttle":
        """The limit by the version that a form is read with."""
        return self.throttles[form.api or self.settings.tps_api]

    @property
    def write_throttle(self) -> "Throttle":
        """The limit by the version that changes things in TPS."""
        return self.throttles[TpsApi.writing()]

    @cached_property
    def tps_ports(self) -> "TpsPorts":
        """TPS by each version of its API."""
        from service.tps import TpsPorts  # noqa: PLC0415

        return TpsPorts(self.settings, self.throttles, self.now)

    @property
    def tps(self) -> "TpsPort":
        """TPS by the version of its API that the settings name.

        Raises:
            SettingsError: there is no address or no token.
        """
        return self.tps_ports.by(self.settings.tps_api)

    def tps_for(self, form: Form) -> "TpsPort":
        """TPS by the version that a form is read with.

        Raises:
            SettingsError: there is no address or no token.
        """
        return self.tps_ports.by(form.api or self.settings.tps_api)

    @property
    def tps_access_hash(self) -> str | None:
        """A keyed hash of the address and the token of the settings, None without them.

        Stored when TPS refuses them, so that it is known when they were replaced.

        Raises:
            SettingsError: the address is none.
        """
        from service.tps import tps_address  # noqa: PLC0415

        address, token = tps_address(self.settings), self.settings.tps_token
        if address is None or token is None:
            return None
        return self.audit.keys[0].mark(f"{address} {token.get_secret_value()}")

    def refresh(self) -> None:
        """Take on secrets whose files were replaced; call it between two units of work."""
        if names := self.secrets.changed():
            self.settings = renewed(self.settings, names, self.secrets.names)
            self._close(_MADE_WITH_SECRETS)

    def close(self) -> None:
        """Close every connection."""
        self._close(_CLOSED_AT_END)

    def _close(self, names: tuple[str, ...]) -> None:
        """Close those that were made; each is made anew when it is needed again."""
        for name in names:
            made = self.__dict__.pop(name, None)
            if made is not None and name in _CLOSED_AT_END:
                made.close()
