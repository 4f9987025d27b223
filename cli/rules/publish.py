"""`wif rules publish`, `history` and `rollback`: which rule set is in force, and since when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from cli.rules.options import AsJson, Directory, document_in, folder, short, today
from config.messages import tr, trn

with lazy_imports():
    from cli import context, tables
    from cli.rules import simulate, stored
    from config import diagnostics
    from config import document as config_document
    from service import publish_rules
    from service import reroute as service_reroute
    from store import rulesets

if TYPE_CHECKING:
    from cli.rules.simulate import Simulation
    from service.reroute import RerouteReport
    from service.runtime import Runtime


Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Note = Annotated[
    str,
    typer.Option(metavar="CODE", help="Why, for the history: a code, such as `mailbox-changed`."),
]
Reroute = Annotated[
    str | None,
    typer.Option(
        metavar="open", help="`open`: decide the undecided dossiers anew, and tell both offices."
    ),
]


def publish(
    directory: Directory = None,
    note: Note = "",
    reroute: Reroute = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Check the files, show what they change, and put them in force for all workers at once."""
    _refuse(reroute, yes=yes, as_json=as_json)
    with context.runtime() as running:
        document = document_in(folder(directory, running.settings), running.settings)
        _refuse_free_text(note, document)
        report = _activate(
            running, document, action="publish", note=note, reroute=reroute, yes=yes, quiet=as_json
        )
    if as_json:
        context.show_json(report)


def rollback(
    ruleset: Annotated[
        str | None, typer.Argument(help="Its hash, or the beginning.", metavar="HASH")
    ] = None,
    previous: Annotated[
        bool, typer.Option("--previous", help="The one that was in force before.")
    ] = False,
    note: Note = "",
    reroute: Reroute = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Put an earlier rule set in force again."""
    _refuse(reroute, yes=yes, as_json=as_json)
    if (ruleset is None) is not previous:
        raise CommandError(tr("give a HASH that `wif rules history` shows, or --previous"), code=2)
    with context.runtime() as running:
        if previous:
            _warn_of_second_rollback(running)
        document = stored.stored_document(running, ruleset or stored.previous_hash(running))
        _refuse_free_text(note, document)
        report = _activate(
            running, document, action="rollback", note=note, reroute=reroute, yes=yes, quiet=as_json
        )
    if as_json:
        context.show_json(report)


def _warn_of_second_rollback(running: Runtime) -> None:
    with running.database.read() as connection:
        last = rulesets.history(connection, limit=1)
    if last and last[0].action == "rollback":
        text = tr(
            "warning: the last change was a rollback; this undoes it. To go back further, give a "
            "HASH that `wif rules history` shows"
        )
        context.tell(text)


def history(as_json: AsJson = False) -> None:
    """Show which rule sets were put in force, the newest first."""
    with context.runtime() as running, running.database.read() as connection:
        found = rulesets.history(connection)
    rows: list[dict[str, Any]] = [
        {
            "hash": activation.hash,
            "at": activation.at,
            "action": activation.action,
            "note": activation.note,
            "actor": activation.actor,
            "in_force": at == 0,
        }
        for at, activation in enumerate(found)
    ]
    if as_json:
        context.show_json(rows)
        return
    shown = [
        (
            short(row["hash"]),
            row["at"],
            tr(row["action"]),
            tr("yes") if row["in_force"] else "",
            row["actor"],
            tr(publish_rules.NOTES.get(row["note"], row["note"])),
        )
        for row in rows
    ]
    tables.show_table(tr("Rule sets"), ("hash", "at", "action", "in force", "actor", "note"), shown)


def _activate(
    running: Runtime,
    document: str,
    *,
    action: str,
    note: str,
    reroute: str | None,
    yes: bool,
    quiet: bool,
) -> dict[str, Any]:
    digest = config_document.document_hash(document)
    found = simulate.simulation(running, document, today())
    trial = running.settings.in_production and running.rule_sets.is_for_trial()
    activated = found.before.hash != digest or trial
    if not quiet:
        simulate.show(found)
    if activated and not yes:
        _ask(found)
    if activated:
        with running.database.begin() as connection:
            publish_rules.publish(running, connection, document, action=action, note=note)
    report = service_reroute.reroute_open(running) if reroute else None
    if not quiet:
        _say(digest, report, activated=activated)
    return {
        "ruleset": digest,
        "activated": activated,
        "simulation": simulate.as_json_(found),
        "rerouted": {"examined": report.examined, "moved": report.moved} if report else None,
    }


def _ask(found: Simulation) -> None:
    try:
        agreed = context.confirmed(
            tr("Put rule set {hash} in force?", hash=short(found.after.hash))
        )
    except typer.Abort:
        typer.echo(err=True)
        raise CommandError(
            tr("nothing was published: nobody answered; --yes does not ask")
        ) from None
    if not agreed:
        raise CommandError(tr("nothing was published"))


def _say(digest: str, report: RerouteReport | None, *, activated: bool) -> None:
    state = tr("is in force for all workers") if activated else tr("was in force already")
    typer.echo(tr("Rule set {hash} {state}", hash=short(digest), state=state))
    if report is not None:
        typer.echo(
            trn(
                "Of {n} undecided dossier, {moved} went to another unit",
                "Of {n} undecided dossiers, {moved} went to another unit",
                report.examined,
                moved=report.moved,
            )
        )


def _refuse(reroute: str | None, *, yes: bool, as_json: bool) -> None:
    if reroute not in {None, "open"}:
        raise CommandError(
            tr("--reroute: only `open` can be, the dossiers that no office has decided"), code=2
        )
    if as_json and not yes:
        raise CommandError(tr("--json: cannot ask; add --yes"), code=2)


def _refuse_free_text(note: str, document: str) -> None:
    """Refuse a note that is no code: it would be kept for ever, whomever it names.

    Raises:
        CommandError: it is none of ours, and no reason that the rules list.
    """
    codes = [*publish_rules.NOTES, *config_document.compile_document(document).reasons]
    if note and note not in codes:
        names = ", ".join(dict.fromkeys(codes))
        hint = diagnostics.did_you_mean(note, codes) or tr("one of {codes}", codes=names)
        message = tr(
            "--note: takes a code, because free text could name somebody; {hint}", hint=hint
        )
        raise CommandError(message, code=2)
