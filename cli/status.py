"""`wif status`: where things stand, and what a person should look at."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from cli import context
from cli.tables import show_table
from config.ruleset import ConfigurationError, document_hash
from routing.incidents import MEANINGS
from store import incidents, rulesets
from store.incidents import StoredIncident
from store.overview import Overview, dead_reasons, overview
from tasks.runtime import Runtime

REFUSED = "refused"

SHORT = 12
"""Characters of a hash that are enough to tell two apart."""


def status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show lag, pending, quarantined, unrouted, dead and what needs a look."""
    with context.runtime() as runtime:
        now = runtime.clock()
        with runtime.database.read() as connection:
            seen = overview(connection)
            active = rulesets.active(connection)
            dead = dead_reasons(connection)
            open_ = incidents.lasting(connection)
        rules = {"active": active, "configured": configured(runtime)}
    if as_json:
        document = as_document(seen, rules, dead, now)
        context.show_json({**document, "incidents": [described(each) for each in open_]})
        return
    show_table("Service", ("what", "value"), summary(seen, rules, now))
    show_incidents(open_)
    if seen.needy:
        columns = ("procedure", "status", "reason", "failures", "polled_at")
        rows = [[getattr(item, name) for name in columns] for item in seen.needy]
        show_table("Procedures to look at", columns, rows)
    if dead:
        show_table("Dead deliveries", ("reason", "count"), list(dead.items()))


def show_incidents(lasting: Sequence[StoredIncident]) -> None:
    """Print what lasts, and what to do about it."""
    if not lasting:
        return
    rows = [described(each) for each in lasting]
    show_table("Incidents", tuple(rows[0]), [list(row.values()) for row in rows])
    for kind in dict.fromkeys(each.kind for each in lasting):
        typer.echo(f"{kind.value}: {MEANINGS[kind].title}. {MEANINGS[kind].advice}")


def described(incident: StoredIncident) -> dict[str, Any]:
    """An incident as it is listed."""
    return {
        "kind": incident.kind.value,
        "subject": incident.subject,
        "count": incident.count,
        "since": incident.since,
        "opened_at": incident.opened_at,
    }


def as_document(
    seen: Overview, rules: dict[str, str | None], dead: dict[str, int], now: datetime
) -> dict[str, Any]:
    """The whole status as scripts read it; ages in seconds."""
    return {
        "dossiers": seen.dossiers,
        "deliveries": seen.deliveries,
        "pending": seen.dossiers.get("pending", 0),
        "quarantined": seen.dossiers.get("quarantined", 0),
        "unrouted": seen.dossiers["unrouted"],
        "dead": seen.deliveries.get("dead", 0),
        "dead_reasons": dead,
        "oldest_pending_seconds": age(seen.oldest_pending, now),
        "oldest_unsent_seconds": age(seen.oldest_unsent, now),
        "poll_lag_seconds": age(seen.oldest_poll, now),
        "procedures": seen.procedures,
        "procedures_never_polled": seen.never_polled,
        "procedures_to_look_at": seen.needy,
        "rules": rules,
    }


def age(instant: datetime | None, now: datetime) -> int | None:
    """Seconds since `instant`, None when nothing waits."""
    return None if instant is None else max(0, int((now - instant).total_seconds()))


def summary(
    seen: Overview, rules: dict[str, str | None], now: datetime
) -> Iterator[tuple[str, object]]:
    """The rows of the first table."""
    for name, count in sorted(seen.dossiers.items()):
        yield f"dossiers {name}", count
    for name, count in sorted(seen.deliveries.items()):
        yield f"deliveries {name}", count
    for name, count in sorted(seen.procedures.items()):
        yield f"procedures {name}", count
    yield "oldest pending dossier", waited(seen.oldest_pending, now)
    yield "oldest unsent delivery", waited(seen.oldest_unsent, now)
    yield "longest since a poll", waited(seen.oldest_poll, now)
    yield "rules in force", (rules["active"] or "none yet")[:SHORT]
    if rules["configured"] == REFUSED:
        yield "rules in the folder", "wrong, not in force: `wif rules check` says where"
    elif rules["configured"] != rules["active"]:
        yield "rules in the folder", f"{(rules['configured'] or '')[:SHORT]} (not published)"


def waited(instant: datetime | None, now: datetime) -> str | None:
    """How long something has waited, for a person."""
    seconds = age(instant, now)
    return None if seconds is None else str(timedelta(seconds=seconds))


def configured(runtime: Runtime) -> str | None:
    """Hash of the configuration in the folder, `refused` when it is wrong."""
    try:
        return document_hash(runtime.configured())
    except (ConfigurationError, OSError):
        return REFUSED
