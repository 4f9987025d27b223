"""What `wif doctor` says of the database, the broker and the ways to units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.command_error import CommandError
from cli.doctor.finding import Advice
from cli.lazy import lazy_imports
from config.messages import tr, trn

with lazy_imports():
    import sqlalchemy

    from config import broker_url
    from connectors import deadline
    from service import (
        channels,
        mail,
    )
    from service.guards import bounded_redis
    from store import partitions, schema

if TYPE_CHECKING:
    from config.broker_url import SentinelAddress
    from service.runtime import Runtime


BROKER_SECONDS = 5.0
"""How long the broker may take to answer."""


def check_database(runtime: Runtime) -> str:
    """Whether the database answers and has the newest schema."""
    with runtime.database.read() as connection:
        connection.execute(sqlalchemy.text("SELECT 1"))
    if schema.is_empty(runtime.database):
        return tr(
            "{dialect}, still empty: made at the first start", dialect=runtime.database.dialect
        )
    if not schema.is_current(runtime.database):
        raise CommandError(tr("the schema is missing or older: run `wif db upgrade`"))
    if runtime.database.pooled:
        return _pooled(runtime)
    return runtime.database.dialect


def _pooled(runtime: Runtime) -> str:
    """Whether PostgreSQL has by itself the time-outs that a pooler does not pass on."""
    names = ("statement_timeout", "idle_in_transaction_session_timeout")
    with runtime.database.read() as connection:
        off = [
            name
            for name in names
            if connection.scalar(sqlalchemy.text("SELECT current_setting(:name)"), {"name": name})
            == "0"
        ]
    if off:
        raise Advice(
            tr(
                "missing {names}, which a pooler does not pass on: "
                "ALTER ROLE … SET {first} = '60s'",
                names=", ".join(off),
                first=off[0],
            )
        )
    return tr("postgresql behind a pooler, with time-outs of its own")


def check_partitions(runtime: Runtime) -> str:
    """Whether the audit log has partitions for the months to come, where it has any."""
    ahead = partitions.months_ahead(runtime.database, runtime.clock())
    if ahead is None:
        return tr("the audit log is in one table")
    if ahead < partitions.SOON:
        ahead = max(0, ahead)
        raise Advice(
            trn(
                "partitions of the audit log end in {n} month: run `wif db partition`",
                "partitions of the audit log end in {n} months: run `wif db partition`",
                ahead,
            )
        )
    return trn("for {n} month to come", "for {n} months to come", ahead)


def check_broker(runtime: Runtime) -> str:
    """Whether the broker answers and keeps its messages."""
    url = runtime.settings.broker_url
    if url is None:
        if runtime.settings.in_production:
            return tr("not set: `wif run-once` needs none; workers, beat and `wif serve` do")
        return tr("not set: `wif up` starts an embedded one")
    client = bounded_redis.connect(url.get_secret_value(), seconds=BROKER_SECONDS)
    try:
        with deadline.within(BROKER_SECONDS):
            policy = str(client.info("memory").get("maxmemory_policy"))
            replicas = int(client.info("replication").get("connected_slaves", 0))
    finally:
        client.close()
    if policy != "noeviction":
        raise CommandError(
            tr("evicts messages ({policy}): set maxmemory-policy to noeviction", policy=policy)
        )
    behind = broker_url.through_sentinel(url.get_secret_value())
    return _sentinels(behind, replicas) if behind else tr("answers")


def _sentinels(address: SentinelAddress, replicas: int) -> str:
    """Whether another server could take over from the master."""
    silent = []
    asked = bounded_redis.sentinels(address, seconds=BROKER_SECONDS)
    for (host, port), client in zip(address.hosts, asked, strict=True):
        try:
            with deadline.within(BROKER_SECONDS):
                client.sentinel_ckquorum(address.master)
        except bounded_redis.FAULTS:
            silent.append(f"{host}:{port}")
        finally:
            client.close()
    if silent:
        names = ", ".join(silent)
        raise Advice(tr("the Sentinel {names} is away, or sees too few others", names=names))
    if not replicas:
        raise Advice(tr("the master has no replica: nothing could take over from it"))
    return trn("answers; {n} could take over", "answers; {n} could take over", replicas)


def check_mail(runtime: Runtime) -> str:
    """Whether the mail server lets us in."""
    with mail.mail_sender(runtime.settings) as sender:
        sender.check()
    if runtime.settings.smtp_url is None:
        return tr("no server set: messages are written as .eml files")
    return tr("the server lets us in")


def check_channels(runtime: Runtime) -> str:
    """Whether every channel of every unit can be used."""
    if schema.is_empty(runtime.database):
        return tr("looked at once the database has its tables: `wif db upgrade` makes them")
    unready = [each for each in channels.channel_statuses(runtime) if each.state != channels.READY]
    if unready:
        shown = ", ".join(f"{each.unit} {each.channel} ({each.state})" for each in unready[:5])
        more = " …" if len(unready) > 5 else ""  # noqa: PLR2004
        raise CommandError(
            trn(
                "{n} cannot be used: {shown}{more}; see `wif channels list`",
                "{n} cannot be used: {shown}{more}; see `wif channels list`",
                len(unready),
                shown=shown,
                more=more,
            )
        )
    return tr("every channel of every unit can be used; `wif channels test` sends a trial")
