"""`wif rules publish`, `history` and `rollback`: which rule set is in force, and since when."""

from typing import Annotated, Any

import typer

from cli.context import Problem, runtime, show_json
from cli.rules.options import AsJson, Directory, document_in, folder, short, today
from cli.rules.simulate import Simulation, as_json_, show, simulation
from cli.tables import show_table
from config.documents import compile_document, document_hash
from store import rulesets
from tasks.rerouting import RerouteReport, reroute_open
from tasks.runtime import Runtime

SHORTEST_HASH = 6
"""Digits by which a rule set can be named."""

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Note = Annotated[str, typer.Option(help="Why, for the history.")]
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
    with runtime() as running:
        document = document_in(folder(directory, running.settings), running.settings)
        report = _activate(
            running, document, action="publish", note=note, reroute=reroute, yes=yes, quiet=as_json
        )
    if as_json:
        show_json(report)


def rollback(
    ruleset: Annotated[str, typer.Argument(help="Its hash, or the beginning.", metavar="HASH")],
    note: Note = "",
    reroute: Reroute = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Put an earlier rule set in force again."""
    _refuse(reroute, yes=yes, as_json=as_json)
    with runtime() as running:
        document = _stored(running, ruleset)
        report = _activate(
            running, document, action="rollback", note=note, reroute=reroute, yes=yes, quiet=as_json
        )
    if as_json:
        show_json(report)


def history(as_json: AsJson = False) -> None:
    """Show which rule sets were put in force, the newest first."""
    with runtime() as running, running.database.read() as connection:
        found = rulesets.history(connection)
    rows: list[dict[str, Any]] = [
        {
            "hash": activation.hash,
            "at": activation.at,
            "action": activation.action,
            "note": activation.note,
            "in_force": at == 0,
        }
        for at, activation in enumerate(found)
    ]
    if as_json:
        show_json(rows)
        return
    shown = [
        (
            short(row["hash"]),
            row["at"],
            row["action"],
            "yes" if row["in_force"] else "",
            row["note"],
        )
        for row in rows
    ]
    show_table("Rule sets", ("hash", "at", "action", "in force", "note"), shown)


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
    digest = document_hash(document)
    found = simulation(running, compile_document(document), today())
    activated = found.before.hash != digest
    if not quiet:
        show(found)
    if activated and not yes:
        _ask(found)
    if activated:
        with running.database.begin() as connection:
            running.publish(connection, digest, document, action=action, note=note)
    report = reroute_open(running) if reroute else None
    if not quiet:
        _say(digest, report, activated=activated)
    return {
        "ruleset": digest,
        "activated": activated,
        "simulation": as_json_(found),
        "rerouted": {"examined": report.examined, "moved": report.moved} if report else None,
    }


def _ask(found: Simulation) -> None:
    if not typer.confirm(f"Put rule set {short(found.after.hash)} in force?"):
        raise Problem("nothing was published")


def _say(digest: str, report: RerouteReport | None, *, activated: bool) -> None:
    state = "is in force for all workers" if activated else "was in force already"
    typer.echo(f"Rule set {short(digest)} {state}")
    if report is not None:
        typer.echo(f"Of {report.examined} undecided dossiers {report.moved} went to another unit")


def _stored(running: Runtime, beginning: str) -> str:
    """The stored document whose hash begins so."""
    with running.database.read() as connection:
        hashes = {activation.hash for activation in rulesets.history(connection, limit=10_000)}
        found = [digest for digest in hashes if digest.startswith(beginning.casefold())]
        if len(beginning) < SHORTEST_HASH or len(found) != 1:
            raise Problem(
                f"{beginning}: names {len(found)} rule sets; give at least {SHORTEST_HASH} digits "
                "of a hash that `wif rules history` shows",
                code=2,
            )
        document = rulesets.document(connection, found[0])
    if document is None:
        raise Problem(f"{found[0]}: is not stored any more")
    return document


def _refuse(reroute: str | None, *, yes: bool, as_json: bool) -> None:
    if reroute not in {None, "open"}:
        raise Problem(
            "--reroute: only `open` can be, the dossiers that no office has decided", code=2
        )
    if as_json and not yes:
        raise Problem("--json: cannot ask; add --yes", code=2)
