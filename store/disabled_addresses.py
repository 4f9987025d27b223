"""Addresses that want nothing more: who disabled which when, and how they are enabled again.

An address is known by its hash, so that a web address, which may hold a secret, stays in the
configuration alone; a changed address is another one, and not disabled.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from store.models import DisabledAddress
from store.upsert import insert_new


@dataclass(frozen=True, slots=True)
class Disabled:
    """One disabled address.

    Attributes:
        channel: kind of channel.
        unit: its code.
        address_hash: see `address_hash`.
        reason: code of the cause.
        disabled_at: instant.
    """

    channel: str
    unit: str
    address_hash: str
    reason: str
    disabled_at: datetime


def address_hash(address: str) -> str:
    """SHA-256 (hex) of an address."""
    return hashlib.sha256(address.encode()).hexdigest()


def disable(connection: Connection, disabled: Disabled) -> bool:
    """Disable an address; False when one of that unit and channel is already."""
    row = {name: getattr(disabled, name) for name in Disabled.__slots__}
    noted = insert_new(connection, DisabledAddress).values(row).returning(DisabledAddress.unit)
    return connection.execute(noted).first() is not None


def listing(connection: Connection) -> list[Disabled]:
    """Every disabled address, by channel and unit."""
    of = DisabledAddress
    columns = (of.channel, of.unit, of.address_hash, of.reason, of.disabled_at)
    query = select(*columns).order_by(of.channel, of.unit)
    return [Disabled(*row) for row in connection.execute(query)]


def enable(connection: Connection, disabled: Collection[Disabled]) -> list[Disabled]:
    """Enable addresses; those that were disabled until now."""
    return [each for each in disabled if _enabled(connection, each)]


def _enabled(connection: Connection, disabled: Disabled) -> bool:
    of = DisabledAddress
    same = (
        of.channel == disabled.channel,
        of.unit == disabled.unit,
        of.address_hash == disabled.address_hash,
    )
    return connection.execute(delete(of).where(*same)).rowcount > 0
