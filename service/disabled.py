"""Addresses that are disabled because their peer said so: looked up, noted, and forgotten again."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from routing.ruleset import RuleSet
from service.connections import Connections
from store import disabled_addresses
from store.audit.log import AuditEntry, Step
from store.disabled_addresses import Disabled, address_hash


def disabled_now(
    runtime: Connections, connection: Connection, rules: RuleSet
) -> Mapping[tuple[str, str], Disabled]:
    """The disabled addresses by channel and unit; one that was changed since is enabled again."""
    known = disabled_addresses.listing(connection)
    if not known:
        return {}
    current = {
        (channel.kind, unit.code): address_hash(channel.address)
        for unit in rules.units.values()
        for channel in unit.channels
    }
    changed = [
        each for each in known if current.get((each.channel, each.unit)) != each.address_hash
    ]
    enable(runtime, connection, changed, reason="address-changed")
    return {(each.channel, each.unit): each for each in known if each not in changed}


def enable(
    runtime: Connections,
    connection: Connection,
    disabled: Collection[Disabled],
    *,
    reason: str | None,
) -> int:
    """Enable addresses again, with an audit entry for each; how many were disabled.

    Args:
        runtime: of this process.
        connection: a transaction.
        disabled: the addresses.
        reason: a code that says why, None when a person did.
    """
    if not disabled:
        return 0
    enabled = disabled_addresses.enable(connection, disabled)
    entries = [
        AuditEntry(
            step=Step.CHANNEL_ENABLED,
            channel=each.channel,
            unit=each.unit,
            reason=reason,
            actor=runtime.actor,
        )
        for each in enabled
    ]
    runtime.audit.append(connection, runtime.clock(), entries)
    return len(enabled)


def disable(runtime: Connections, connection: Connection, disabled: Collection[Disabled]) -> None:
    """Disable addresses, with an audit entry for each that was not."""
    if not disabled:
        return
    entries = [
        AuditEntry(
            step=Step.CHANNEL_DISABLED, channel=each.channel, unit=each.unit, reason=each.reason
        )
        for each in disabled
        if disabled_addresses.disable(connection, each)
    ]
    runtime.audit.append(connection, runtime.clock(), entries)
