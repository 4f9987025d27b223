"""`wif status`: where things stand, and what a person should look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from cli.lazy import lazy_imports
from config.messages import mark, tr, trn
from routing.calendar import PARIS

with lazy_imports():
    from cli import context, tables, watching
    from config import files
    from config import settings as settings_
    from connectors.alarm import meanings
    from service import consumers, incidents, register, tps_versions
    from store import heartbeats, overview, procedures, rulesets
    from store import incidents as stored_incidents

if TYPE_CHECKING:
    from rich.console import RenderableType
    from sqlalchemy import Connection

    from service.runtime import Runtime
    from service.tps_versions import LimitUse
    from store.heartbeats import Pulse
    from store.incidents import StoredIncident
    from store.overview import Overview, ProcedureToLookAt


REFUSED = "refused"

LONGEST_MARK = 200
LARGEST_CONFIGURATION = 2_000_000

FEW = 5
"""Procedures that are named where many have the same cause."""

SHORT = 12
"""Characters of a hash that are enough to tell two apart."""


OLD_AFTER = 3
"""Intervals between two polls after which what TPS told counts as old."""

SAID = {
    "alive": mark("alive since"),
    "silent": mark("NOT SEEN since"),
    "unknown": mark("not known since"),
}
"""What is said of a part of the service, by its liveness."""

UNWELL = 3
"""Exit code while an incident is open, or while beat or a worker that once lived is not seen."""


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it again and again, until Ctrl-C.")
    ] = False,
    interval: Annotated[
        float, typer.Option(min=0.2, max=3600, help="Seconds between two looks with --watch.")
    ] = 5.0,
) -> None:
    """Show lag, pending, quarantined, unrouted, dead and what needs a look.

    Exit code 0: all is well; 3: an incident is open, or beat or a worker is not alive; 1 and 2:
    the status could not be told. With --watch it is that of the last look; --watch --json prints
    one line of JSON for each.
    """
    with context.runtime() as runtime:
        if watch:
            shown = watching.watch(partial(look, runtime), interval, as_json=as_json)
        else:
            shown = look(runtime)
            watching.show(shown, as_json=as_json)
    if not shown.well:
        raise typer.Exit(UNWELL)


def look(runtime: Runtime) -> watching.Look:
    """The status now."""
    now = runtime.clock()
    with runtime.database.read() as connection:
        seen = overview.overview(connection)
        active = rulesets.active(connection)
        dead = overview.dead_reasons(connection)
        pulses = heartbeats.listing(connection)
        open_ = current(stored_incidents.lasting(connection), connection, runtime)
    rules = {"active": active, "configured": configured(runtime)}
    since = old_since(seen, runtime.settings.poll_interval, now)
    limit = tps_versions.limit_use(runtime)
    return watching.Look(
        document={
            **as_document(seen, rules, dead, now),
            "dossiers_old": since is not None,
            "incidents": [described(each) for each in open_],
            "alive": {each.name: lives(each, pulses, now) for each in pulses},
            "tps_limit": {api: asdict(each) for api, each in limit.items()},
        },
        parts=(
            tables.table(tr("Service"), ("what", "value"), summary(seen, rules, since, now)),
            *incident_parts(open_),
            *pulse_parts(pulses, now),
            *needy_parts(seen.needy),
            *_dead_parts(dead),
            *limit_parts(limit),
        ),
        well=not open_ and all(each.is_alive(now) for each in pulses),
    )


def _dead_parts(dead: Mapping[str, int]) -> Iterator[RenderableType]:
    if dead:
        columns, rows = ("reason", "count"), list(dead.items())
        yield tables.table(tr("Dead deliveries"), columns, rows)
        yield from map(Text, tables.meanings(columns, rows))


def limit_parts(limit: Mapping[str, LimitUse]) -> Iterator[RenderableType]:
    """How much of the limit towards TPS is used."""
    for api, each in limit.items():
        if each.used is not None:
            said = mark("TPS {api}: {used} of {allowed} requests a minute are used")
            share = f"{each.used:.0%}"
            yield Text(tr(said, api=api, used=share, allowed=each.per_minute))


def current(
    lasting: Sequence[StoredIncident], connection: Connection, runtime: Runtime
) -> list[StoredIncident]:
    """Incidents that last, with the counts of this moment instead of those of the last look."""
    if not lasting:
        return []
    from config.diagnostics import ConfigurationError  # noqa: PLC0415

    try:
        polled = register.polled_procedures(runtime)
    except (ConfigurationError, settings_.SettingsError):
        return list(lasting)
    known = {(each.kind, each.subject) for each in lasting}
    waiting = overview.waits(connection, polled)
    found = {
        (seen_now.kind, seen_now.subject): seen_now
        for seen_now in incidents.present_incidents(
            waiting, runtime.settings, runtime.clock(), known
        )
    }
    return [
        replace(each, count=seen_now.count, since=seen_now.since)
        if (seen_now := found.get((each.kind, each.subject)))
        else each
        if each.kind not in incidents.COUNTED
        else replace(each, count=0, since=None)
        for each in lasting
    ]


def old_since(seen: Overview, interval: int, now: datetime) -> datetime | None:
    """Since when what TPS told was not brought up to date, where that is long.

    Args:
        seen: what is stored; of all procedures the one counts that waits longest.
        interval: seconds between two polls.
        now: the present instant.
    """
    polled = seen.oldest_poll
    old = polled is not None and now - polled > timedelta(seconds=OLD_AFTER * interval)
    return polled if old else None


def lives(pulse: Pulse, pulses: Sequence[Pulse], now: datetime) -> dict[str, Any]:
    """A part of the service as it is listed."""
    state = consumers.liveness(pulse, pulses, now)
    return {
        "alive": state is consumers.Liveness.ALIVE,
        "known": state is not consumers.Liveness.UNKNOWN,
        "since": pulse.since,
        "seen_at": pulse.seen_at,
    }


def pulse_parts(pulses: Sequence[Pulse], now: datetime) -> Iterator[RenderableType]:
    """Which parts live, and since when they do or do not."""
    if not pulses:
        yield Text(tr("neither beat nor a worker was ever seen: `wif up` starts them"))
        return
    rows = [
        (
            each.name,
            tr(SAID[state]),
            each.since if state is consumers.Liveness.ALIVE else each.seen_at,
        )
        for each in pulses
        if (state := consumers.liveness(each, pulses, now))
    ]
    yield tables.table(tr("Alive"), ("part", "state", "at"), rows)
    observer = consumers.observer(pulses)
    if observer is None or not observer.is_alive(now):
        yield Text(
            tr(
                "beat, or every worker on `upkeep`, is away: nobody notes who lives, and incidents "
                "open and close no more; `wif worker` and `wif beat` start them"
            )
        )


def show_needy(needy: Sequence[ProcedureToLookAt]) -> None:
    """Print procedures that a person should look at."""
    for part in needy_parts(needy):
        tables.console().print(part)


def needy_parts(needy: Sequence[ProcedureToLookAt]) -> Iterator[RenderableType]:
    """Procedures that a person should look at, those of one cause in one line."""
    groups: dict[tuple[str, str | None], list[ProcedureToLookAt]] = {}
    for each in needy:
        groups.setdefault((each.status, each.reason), []).append(each)
    rows = [
        (
            status,
            reason,
            len(each),
            in_short([one.procedure for one in each]),
            min((one.polled_at for one in each if one.polled_at), default=None),
        )
        for (status, reason), each in groups.items()
    ]
    if rows:
        columns = ("status", "reason", "count", "procedures", "polled_at")
        yield tables.table(tr("Procedures to look at"), columns, rows)
        yield from map(Text, tables.meanings(columns, rows))
    if any(each.status == procedures.ProcedureStatus.STOPPED for each in needy):
        yield tr("when the cause is mended: `wif procedures resume --all`, or their numbers")


def in_short(numbers: Sequence[int]) -> str:
    """The first few of many procedures."""
    shown = ", ".join(map(str, numbers[:FEW]))
    return (
        shown
        if len(numbers) <= FEW
        else trn("{shown} and {n} more", "{shown} and {n} more", len(numbers) - FEW, shown=shown)
    )


def incident_parts(lasting: Sequence[StoredIncident]) -> Iterator[RenderableType]:
    """What lasts, and what to do about it."""
    if not lasting:
        return
    rows = [described(each) for each in lasting]
    yield tables.table(tr("Incidents"), tuple(rows[0]), [list(row.values()) for row in rows])
    for kind in dict.fromkeys(each.kind for each in lasting):
        meaning = meanings.MEANINGS[kind]
        yield Text(
            tr(
                "{kind}: {title}. {advice}",
                kind=kind.value,
                title=tr(meaning.title),
                advice=tr(meaning.advice),
            )
        )


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
    seen: Overview, rules: dict[str, str | None], since: datetime | None, now: datetime
) -> Iterator[tuple[str, object]]:
    """The rows of the first table; what TPS told shows its age when that is old."""
    old = tr("(OLD: as of {age} ago)", age=waited(since, now)) if since else ""
    for name, count in sorted(seen.dossiers.items()):
        yield tr("dossiers {state}", state=tr(name)), f"{count} {old}" if old else count
    for name, count in sorted(seen.deliveries.items()):
        yield tr("deliveries {state}", state=tr(name)), count
    for name, count in sorted(seen.procedures.items()):
        yield tr("procedures {state}", state=tr(name)), count
    yield tr("oldest pending dossier"), waited(seen.oldest_pending, now)
    yield tr("oldest unsent delivery"), waited(seen.oldest_unsent, now)
    yield tr("longest since a poll"), waited(seen.oldest_poll, now)
    yield tr("rules in force"), (rules["active"] or "")[:SHORT] or tr("none yet")
    if rules["configured"] == REFUSED:
        yield tr("rules in the folder"), tr("wrong, not in force: `wif rules check` says where")
    elif rules["configured"] != rules["active"]:
        yield (
            tr("rules in the folder"),
            tr("{configured} (not published)", configured=(rules["configured"] or "")[:SHORT]),
        )


def waited(instant: datetime | None, now: datetime) -> str | None:
    """How long something has waited, for a person."""
    seconds = age(instant, now)
    return None if seconds is None else str(timedelta(seconds=seconds))


def configured(runtime: Runtime) -> str | None:
    """Hash of the configuration in the folder, `refused` when it is wrong.

    To check it takes ten times as long as all the rest, so what was found of the same bytes on
    the same day is kept beside the outbox and taken again.
    """
    kept = runtime.settings.var_dir / "rules.checked"
    state = _state(runtime)
    with suppress(OSError, ValueError):
        found, _, digest = files.read_regular(kept, most=LONGEST_MARK).decode().partition(" ")
        if found == state:
            return digest
    digest = _check(runtime)
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(f"{state} {digest}")
    return digest


def _check(runtime: Runtime) -> str:
    from config.ruleset import (  # noqa: PLC0415 - only where the files changed
        ConfigurationError,
        document_hash,
    )
    from service.publish_rules import configured_document  # noqa: PLC0415

    try:
        return document_hash(configured_document(runtime.settings))
    except (ConfigurationError, OSError):
        return REFUSED


def _state(runtime: Runtime) -> str:
    """What the verdict on the configuration depends on: its bytes, the day, and who checks."""
    settings = runtime.settings
    day = runtime.clock().astimezone(PARIS).date()
    seen = sha256(f"{version('work-in-france-routing')} {day} {settings.env}".encode())
    for path in sorted(settings.config_dir.glob("*.yaml")):
        with suppress(OSError):
            seen.update(files.read_regular(path, most=LARGEST_CONFIGURATION))
    return seen.hexdigest()
