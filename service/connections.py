"""The connections of a process to everything outside, made on first use and closed together."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from config.secret_files import SecretFileWatch
from service.context import Context
from service.secret_rotation import renewed
from store.audit.log import AuditLog
from store.engine import Database

if TYPE_CHECKING:
    from connectors.tps.port import TpsPort
    from routing.forms import Form
    from service.guards.breakers import Breakers
    from service.guards.redis_state import RedisState
    from service.guards.throttle import Throttle

# Clients and the limiter are imported where they are made: most commands need neither, and
# they take longer to import than such a command to run.

_CLOSED_AT_END = ("tps", "redis_state", "database")
_MADE_WITH_SECRETS = ("tps", "audit", "database")


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
    def throttle(self) -> "Throttle":
        """The limit of requests to TPS, shared by all workers."""
        from service.guards.throttle import Throttle  # noqa: PLC0415

        return Throttle(self.redis_state, self.settings.tps_requests_per_minute, self.now)

    @cached_property
    def tps(self) -> "TpsPort":
        """TPS by the version of its API that the settings name.

        Raises:
            SettingsError: there is no address or no token, or the version cannot be spoken.
        """
        from service.tps import open_configured_tps  # noqa: PLC0415

        return open_configured_tps(self.settings)

    def tps_for(self, form: "Form") -> "TpsPort":
        """TPS by the version that a form is read with: that of the settings, for every form."""
        return self.tps

    def refresh(self) -> None:
        """Take on secrets whose files were replaced; call it between two units of work."""
        if names := self.secrets.changed():
            self.settings = renewed(self.settings, names)
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
