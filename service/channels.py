"""Channels of units: what stands in the rules in force, and whether messages get through."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from config.diagnostics import did_you_mean, hinted
from config.messages import tr
from connectors.channel import SkipReason
from connectors.channels import CHANNELS
from connectors.notice import Trial
from routing.failures import Failure
from routing.units import Unit, UnitChannel
from service.deliver import open_channel
from service.disabled import disabled_now, enable
from service.runtime import Runtime

READY = "ready"


class UnknownChannelError(Exception):
    """No such unit, or no such channel of it. Its text says so and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelStatus:
    """A channel of a unit.

    Attributes:
        unit: its code.
        channel: kind of channel.
        state: `ready`, or the code of what keeps it from being used.
    """

    unit: str
    channel: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """What happened to a trial.

    Attributes:
        unit: code of the unit.
        channel: kind of channel.
        failure: why it was not accepted, None when it was.
        skipped: why nothing was done with it, None when something was.
        duration_ms: how long it took.
    """

    unit: str
    channel: str
    failure: Failure | None
    duration_ms: int
    skipped: SkipReason | None = None


def channel_statuses(runtime: Runtime) -> list[ChannelStatus]:
    """Every channel of every unit of the rules in force, without a request."""
    rules = runtime.rules()
    with runtime.database.begin() as connection:
        disabled = disabled_now(runtime, connection, rules)
    return [
        ChannelStatus(
            unit=unit.code,
            channel=channel.kind,
            state=disabled[channel.kind, unit.code].reason
            if (channel.kind, unit.code) in disabled
            else _readiness(runtime, unit, channel),
        )
        for unit in rules.units.values()
        for channel in unit.channels
    ]


def _readiness(runtime: Runtime, unit: Unit, channel: UnitChannel) -> str:
    try:
        CHANNELS[channel.kind].check_ready(runtime.settings, unit.code, channel.address)
    except Failure as failure:
        return failure.cause.value
    return READY


def try_channels(runtime: Runtime, code: str, kind: str | None = None) -> Iterator[TrialResult]:
    """Send a harmless trial to a unit through each of its channels, or through one.

    A disabled address is tried, too: so it is known whether it can be enabled.

    Raises:
        UnknownChannelError: there is no such unit, or no such channel of it.
        SettingsError: a setting that a channel needs is missing or wrong.
    """
    unit, channels = _chosen(runtime, code, kind)
    for channel in channels:
        yield _try(runtime, unit, channel)


def _try(runtime: Runtime, unit: Unit, channel: UnitChannel) -> TrialResult:
    started_at = runtime.clock()
    trial = Trial(
        unit=unit.code,
        unit_name=unit.name,
        sent_at=started_at,
        key=f"trial.{unit.code}.{channel.kind}.{secrets.token_hex(8)}",
        contact=unit.contact or runtime.settings.contact,
        prefix=runtime.settings.subject_prefix,
    )
    failure = receipt = None
    with open_channel(runtime, CHANNELS[channel.kind]) as session:
        try:
            receipt = session.send(trial, channel.address)
        except Failure as found:
            failure = found
    took = int((runtime.clock() - started_at).total_seconds() * 1000)
    return TrialResult(
        unit=unit.code,
        channel=channel.kind,
        failure=failure,
        duration_ms=max(0, took),
        skipped=receipt.skipped if receipt else None,
    )


def enable_channels(runtime: Runtime, code: str, kind: str | None = None) -> int:
    """Enable the disabled addresses of a unit, or the one of one channel; how many there were.

    Raises:
        UnknownChannelError: there is no such unit, or no such channel of it.
    """
    _, channels = _chosen(runtime, code, kind)
    rules = runtime.rules()
    with runtime.database.begin() as connection:
        disabled = disabled_now(runtime, connection, rules)
        wanted = [disabled[c.kind, code] for c in channels if (c.kind, code) in disabled]
        return enable(runtime, connection, wanted, reason=None)


def _chosen(runtime: Runtime, code: str, kind: str | None) -> tuple[Unit, list[UnitChannel]]:
    unit = runtime.rules().units.get(code)
    if unit is None:
        said = tr("{code} is no unit of the rules in force", code=code)
        hint = did_you_mean(code, list(runtime.rules().units))
        raise UnknownChannelError(hinted(said, hint))
    channels = [each for each in unit.channels if kind in {None, each.kind}]
    if not channels:
        known = ", ".join(each.kind for each in unit.channels)
        raise UnknownChannelError(
            tr("{code} has no channel `{kind}`; it has {known}", code=code, kind=kind, known=known)
        )
    return unit, channels
