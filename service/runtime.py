"""What a process of the service works with, made once and on first use."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from config.secret_files import SecretFileWatch
from config.settings import Settings, SettingsError
from service.clock import Clock, utc_now
from service.guards.limits import TPS_ANSWER
from service.secret_rotation import renewed
from store.audit.log import AuditLog
from store.engine import Database

if TYPE_CHECKING:
    from connectors.tps.port import TpsPort
    from routing.forms import Form
    from routing.ruleset import RuleSet
    from service.guards.breakers import Breakers
    from service.guards.redis_state import RedisState
    from service.guards.throttle import Throttle
    from service.rule_sets import RuleSets

# Clients, the limiter and the compiler of rules are imported where they are made: most commands
# need none of them, and they take longer to import than such a command to run.


class Waker(Protocol):
    """Tells workers that there is work. A wake-up that gets lost costs time, never work."""

    def poll(self, procedure: int) -> None:
        """There is more to list of `procedure`."""

    def route(self, procedure: int) -> None:
        """There are dossiers of `procedure` to read."""

    def deliver(self, channel: str | None = None) -> None:
        """There are deliveries to make on one channel; on any, when none is named."""


@runtime_checkable
class Closeable(Protocol):
    """What holds connections."""

    def close(self) -> None:
        """Give them back."""


class Silence:
    """Wakes nobody: for passes that run in one process, one after the other."""

    def poll(self, procedure: int) -> None:
        pass

    def route(self, procedure: int) -> None:
        pass

    def deliver(self, channel: str | None = None) -> None:
        pass


@dataclass
class Runtime:
    """Settings, clock and the connections to everything outside.

    Attributes:
        settings: of this process.
        clock: the present instant.
        jitter: a number in [0, 1) that spreads retries.
        thorough: everything is asked for once in this pass, whatever failed before it.
        waker: how other workers are told of work.
        actor: who acts, where a person does; None for the service itself.
        stopping: whether this process was told to stop, and should begin nothing new.
        secrets: notices files of secrets that were replaced.
    """

    settings: Settings
    clock: Clock = utc_now
    jitter: Callable[[], float] = random.random
    thorough: bool = False
    waker: Waker = field(default_factory=Silence)
    stopping: Callable[[], bool] = lambda: False
    actor: str | None = None
    secrets: SecretFileWatch = field(default_factory=SecretFileWatch)

    def refresh(self) -> None:
        """Take on secrets whose files were replaced; call it between two units of work."""
        if names := self.secrets.changed():
            self.settings = renewed(self.settings, names)
            self._drop("tps", "audit", "database")

    def _drop(self, *parts: str) -> None:
        """Close what was made with the settings before; it is made anew when it is needed."""
        for part in parts:
            made = self.__dict__.pop(part, None)
            if isinstance(made, Closeable):
                made.close()

    def now(self) -> datetime:
        """The present instant, by whatever clock there is at that moment."""
        return self.clock()

    @cached_property
    def shared(self) -> "RedisState":
        """What the workers agree on through the broker's Redis."""
        from service.guards.redis_state import RedisState  # noqa: PLC0415

        url = self.settings.broker_url
        return RedisState(url.get_secret_value() if url else None)

    @cached_property
    def breakers(self) -> "Breakers":
        """What is left alone for a while, because it fails."""
        from service.guards.breakers import Breakers  # noqa: PLC0415

        return Breakers(self.shared, self.now)

    @cached_property
    def throttle(self) -> "Throttle":
        """Leave to ask TPS."""
        from service.guards.throttle import Throttle  # noqa: PLC0415

        per_minute = self.settings.tps_requests_per_minute
        return Throttle(self.shared, per_minute, self.now)

    @cached_property
    def database(self) -> Database:
        return Database(self.settings.database)

    @cached_property
    def audit(self) -> AuditLog:
        return AuditLog(self.settings.audit_keys())

    @cached_property
    def tps(self) -> "TpsPort":
        """TPS by the version of its API that the settings name.

        Raises:
            SettingsError: there is no address or no token, or the version cannot be spoken.
        """
        from connectors.tps.transport import Limits  # noqa: PLC0415
        from connectors.tps.versions import Server, open_tps  # noqa: PLC0415

        settings = self.settings
        if settings.tps_url is None or settings.tps_token is None:
            raise SettingsError(
                "WIF_TPS_URL and WIF_TPS_TOKEN: needed to read dossiers; give the address of the "
                "TPS server and the token of the account, or try `wif demo`"
            )
        server = Server(
            base_url=settings.tps_url,
            token=settings.tps_token,
            token_in_query=settings.tps_token_in_query,
            limits=Limits(
                connect=settings.tps_connect_timeout,
                read=settings.tps_read_timeout,
                whole=TPS_ANSWER.total_seconds(),
                size=settings.tps_max_bytes,
                quick_retries=1,
            ),
            page_size=settings.tps_page_size,
        )
        try:
            return open_tps(settings.tps_api, server)
        except ValueError as error:
            raise SettingsError(f"WIF_TPS_API: {error}") from None

    def tps_for(self, form: "Form") -> "TpsPort":
        """TPS by the version that a form is read with: that of the settings, for every form."""
        return self.tps

    def dossier_url(self, procedure: int, number: int) -> str:
        """Where an agent finds a dossier in TPS."""
        return self.settings.tps_dossier_url.format(
            tps_url=(self.settings.tps_url or "https://tps.example").removesuffix("/api/v1"),
            procedure=procedure,
            number=number,
        )

    @cached_property
    def rule_sets(self) -> "RuleSets":
        """The rule sets that are stored."""
        from service.rule_sets import RuleSets  # noqa: PLC0415

        return RuleSets(self.database)

    def rules(self, *, trial: bool = False) -> "RuleSet":
        """The rule set in force; the configured one is published where none ever was.

        Args:
            trial: take it in production, too, when it was published in development.

        Raises:
            ConfigurationError: nothing was ever published and the configuration is wrong.
            SettingsError: in production, it was published in development.
        """
        digest = self.rule_sets.active()
        if digest is None:
            from service.publish_rules import publish_first  # noqa: PLC0415

            return self.rule_sets.get(publish_first(self))
        checked = trial or not self.settings.in_production or self.rule_sets.is_compiled(digest)
        if not checked and self.rule_sets.is_for_trial():
            raise SettingsError(
                "WIF_ENV=production: the rules in force were published in development, where "
                "placeholders pass; run `wif rules publish` with WIF_ENV=production"
            )
        return self.rule_sets.get(digest)

    def close(self) -> None:
        """Give back every connection."""
        if "tps" in self.__dict__:
            self.tps.close()
        if "shared" in self.__dict__:
            self.shared.close()
        self.database.close()
