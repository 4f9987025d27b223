"""`wif audit`: seal, verify, prove, trace, export. Exit 0: intact, 1: tampered, 2: not checked,
3: not signed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from cli.audit_verification import Given, described, seals_counted, summary, verdict
from cli.command_error import CommandError
from cli.lazy import lazy_imports
from config.files import open_whole
from config.foreign_messages import translated
from config.messages import tr, trn
from routing.calendar import PARIS

with lazy_imports():
    from cli import context, progress, seals, tables, timestamps
    from service import actor as actors_
    from service import seal
    from store.audit import check, export, export_check, seal_file
    from store.audit import lines as audit_lines
    from store.audit import proof as audit_proof
    from store.audit import seals as audit_seals

if TYPE_CHECKING:
    from service.runtime import Runtime
    from store.audit.check import Verification
    from store.audit.export import ExportReport
    from store.audit.seal_keys import Signer
    from store.audit.seals import SealReport
    from store.audit.timestamps import Coverage


app = typer.Typer(
    no_args_is_help=True,
    help="The audit log: seal it, verify it, prove a line, trace a dossier, export a period.",
)
app.add_typer(seals.app, name="seals")

UNSIGNED = 3
"""Exit code for an export that nobody signed: what was left out of it cannot be seen."""


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PublicKeys = Annotated[
    list[Path] | None,
    typer.Option(help="PEM file with the public keys that may have signed. Repeatable."),
]
Certificates = Annotated[
    Path | None,
    typer.Option(help="PEM file of the timestamp authority's certificates."),
]
LIFE = (
    *("id", "at", "step", "event", "channel", "unit", "rule", "ruleset", "reason"),
    *("attempt", "duration_ms", "actor", "sealed"),
)


@app.command("seal")
def seal_(as_json: AsJson = False) -> None:
    """Seal what is pending now, without waiting for the schedule."""
    with seals.foreseen(), context.runtime() as runtime:
        report = seal.seal(runtime)
    if as_json:
        counts = {"lines": report.lines, "seals": report.seals, "waiting": report.waiting}
        context.show_json(counts)
        return
    typer.echo(_sealed(report))


@app.command("verify")
def verify_(
    file: Annotated[
        Path | None, typer.Option(help="Check this export instead of the database, offline.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(help="Seals kept elsewhere; by default the journal in WIF_VAR_DIR, if any."),
    ] = None,
    head: Annotated[
        list[str] | None,
        typer.Option(help="NUMBER:HASH of a seal that was mailed; it must be there. Repeatable."),
    ] = None,
    public_key: PublicKeys = None,
    pin: Annotated[
        list[str] | None,
        typer.Option(help="Public key (hex) that all others must lead back to. Repeatable."),
    ] = None,
    tsa_certificates: Certificates = None,
    allow_unsigned: Annotated[
        bool, typer.Option("--allow-unsigned", help="Exit 0 for an export that nobody signed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check every line and seal.

    Exit code 0: intact; 1: something was changed; 2: not checked; 3: nobody signed: an export
    without signature, or lines under no seal though a key is given or pinned.
    """
    with seals.foreseen():
        given = Given(public_key, pin, against, head)
        result, stamps = _checked(file, given, tsa_certificates)
    if as_json:
        kept = {"against": given.seals_file and str(given.seals_file)}
        anchored = not list(given.missing(file))
        stamped = {"timestamps": timestamps.record(stamps)}
        content = {**summary(result, given.trusted), **kept, "anchored": anchored, **stamped}
        context.show_json(content)
    else:
        lines = [] if file else timestamps.told(stamps)
        typer.echo("\n".join([*described(result, given, file), *lines, verdict(result)]))
    if not result.intact:
        raise typer.Exit(1)
    unsealed = file is None and given.knows_keys and result.tail.size and not result.seals
    if unsealed or (result.signed is False and not allow_unsigned):
        raise typer.Exit(UNSIGNED)


@app.command("prove")
def prove_(line: Annotated[int, typer.Argument(help="Id of the line.")]) -> None:
    """Print a proof (JSON) that the line stands under a seal; docs/audit.md says how to check."""
    try:
        with seals.foreseen(), context.runtime() as runtime, runtime.database.read() as connection:
            proof = audit_proof.prove(connection, line)
    except audit_proof.NoProofError as error:
        raise CommandError(translated(str(error))) from None
    context.show_json(proof.record())


@app.command()
def trace(
    dossier: Annotated[str, typer.Argument(help="PROCEDURE/NUMBER.")], as_json: AsJson = False
) -> None:
    """Show the life of a dossier: every line that refers to it, under any known audit key."""
    procedure, number = context.dossier_key(dossier)
    with seals.foreseen(), context.runtime() as runtime:
        life = _life(runtime, procedure, number)
        if not life:
            raise CommandError(_untraceable(runtime, dossier))
    if as_json:
        context.show_json([{**line, "at": _cell("at", line["at"])} for line in life])
        return
    rows = [[_cell(name, line[name]) for name in LIFE] for line in life]
    title = trn("{dossier}: {n} line", "{dossier}: {n} lines", len(life), dossier=dossier)
    tables.show_table(title, LIFE, rows)


@app.command()
def actors(as_json: AsJson = False) -> None:
    """Show who acted by hand, and which account of this machine each hash stands for."""
    with seals.foreseen(), context.runtime() as runtime, runtime.database.read() as connection:
        known = actors_.accounts(runtime.settings.audit_keys())
        rows = [
            {"actor": actor, "account": known.get(actor), "lines": count, "last": last}
            for actor, count, last in audit_lines.acted(connection)
        ]
    if as_json:
        context.show_json(rows)
        return
    columns = ("actor", "account", "lines", "last")
    tables.show_table(tr("Actors"), columns, [list(row.values()) for row in rows])


@app.command("export")
def export_(
    since: Annotated[
        str | None, typer.Option(help="A day or an instant (Paris time unless it says otherwise).")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="A day, which is included, or an instant, which is not.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write; standard output if none.")
    ] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema only.")] = False,
) -> None:
    """Export a period as JSON Lines that `wif audit verify --file` checks offline."""
    if schema:
        typer.echo(export.SCHEMA.read_text(encoding="utf-8"), nl=False)
        return
    period = export.Period(
        since=_instant("since", since), until=_instant("until", until, whole_day=True)
    )
    with seals.foreseen(), context.runtime() as runtime, output(out) as stream:
        key = _key_if_any(runtime)
        with _line_bar(runtime) as done:
            report = export.export(
                runtime.database,
                stream,
                period=period,
                now=runtime.clock(),
                key=key,
                progress=done,
            )
    context.tell(_exported(report, signed=key is not None))


@contextmanager
def _line_bar(runtime: Runtime | None) -> Iterator[Callable[[int], None]]:
    """Shows which line is reached, of those that are sealed; None for a file of unknown length."""
    with progress.bars() as bars:
        total = export.last_sealed(runtime.database) if runtime else None
        yield lambda line: bars.show(tr("lines"), line, total)


@contextmanager
def output(path: Path | None) -> Iterator[BinaryIO]:
    """Where a file is written: `path`, which appears whole or not at all, or standard output.

    Raises:
        CommandError: it cannot be written.
    """
    if path is None:
        yield sys.stdout.buffer
        return
    try:
        with open_whole(path) as stream:
            yield stream
    except OSError as error:
        raise CommandError(
            tr("{path}: cannot be written ({name})", path=path, name=type(error).__name__), code=2
        ) from None


def _checked(
    file: Path | None, given: Given, tsa_certificates: Path | None
) -> tuple[Verification, Coverage | None]:
    seals_file = given.against if file else given.seals_file
    kept = seal_file.load_seals(seals_file) if seals_file else iter(())
    hashes, findings = check.vouched(kept, trusted=given.trusted)
    hashes |= given.heads
    stamps = None
    if file is not None:
        with _line_bar(None) as done:
            result = export_check.verify_file(
                file, trusted=given.trusted, exported=hashes, progress=done
            )
    else:
        with context.runtime() as runtime:
            with _line_bar(runtime) as done:
                result = check.verify(
                    runtime.database, trusted=given.trusted, exported=hashes, progress=done
                )
            stamps = timestamps.coverage(runtime, tsa_certificates)
    result.findings = [*findings, *result.findings, *(stamps.findings if stamps else ())]
    return result, stamps


def _life(runtime: Runtime, procedure: int, number: int) -> list[dict[str, Any]]:
    with runtime.database.read() as connection:
        rows = audit_lines.lines_of(connection, runtime.audit.refs(procedure, number))
        head = audit_seals.newest_seal(connection)
        doubtful = audit_lines.repeated(connection, [row[0] for row in rows])
    last = head.last_id if head else 0
    return [
        {
            **dict(zip(audit_lines.COLUMNS, row, strict=True)),
            "sealed": row[0] <= last and row[0] not in doubtful,
        }
        for row in rows
    ]


def _untraceable(runtime: Runtime, dossier: str) -> str:
    """Why nothing is found: no line, or lines under a key that is not known here."""
    with runtime.database.read() as connection:
        unknown = set(audit_lines.key_ids(connection)) - {key.id for key in runtime.audit.keys}
    hint = (
        trn(
            "; lines under {n} unknown key cannot be tied to a dossier",
            "; lines under {n} unknown keys cannot be tied to a dossier",
            len(unknown),
        )
        if unknown
        else ""
    )
    return trn(
        "{dossier}: no line under the {n} known key{hint}",
        "{dossier}: no line under the {n} known keys{hint}",
        len(runtime.audit.keys),
        dossier=dossier,
        hint=hint,
    )


def _cell(name: str, value: object) -> object:
    if name == "at":
        return datetime.fromisoformat(f"{value}+00:00")
    if name == "ruleset" and isinstance(value, str):
        return value[:12]
    return (tr("yes") if value else tr("no")) if name == "sealed" else value


def _instant(option: str, text: str | None, *, whole_day: bool = False) -> datetime | None:
    if text is None:
        return None
    try:
        if len(text) == len("2026-01-31"):
            day = date.fromisoformat(text) + timedelta(days=1 if whole_day else 0)
            return datetime.combine(day, time(), PARIS)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise CommandError(
            tr(
                "--{option}: is neither a day nor an instant; for example 2026-01-31 or "
                "2026-01-31T12:00:00Z",
                option=option,
            ),
            code=2,
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=PARIS)).astimezone(UTC)


def _key_if_any(runtime: Runtime) -> Signer | None:
    path = runtime.settings.seal_key
    return seal.signing_key(runtime) if path and path.exists() else None


def _sealed(report: SealReport) -> str:
    if report.waiting:
        return tr("nothing sealed: writers are in flight; try again")
    return trn(
        "{n} line sealed under {seals}",
        "{n} lines sealed under {seals}",
        report.lines,
        seals=seals_counted(report.seals),
    )


def _exported(report: ExportReport, *, signed: bool) -> str:
    return trn(
        "{n} line under {seals}, {unsealed}, {withheld}; {signed}",
        "{n} lines under {seals}, {unsealed}, {withheld}; {signed}",
        report.lines,
        seals=seals_counted(report.seals),
        unsealed=trn("{n} not sealed yet", "{n} not sealed yet", report.unsealed),
        withheld=trn("{n} withheld", "{n} withheld", report.withheld),
        signed=tr("signed") if signed else tr("not signed"),
    )
