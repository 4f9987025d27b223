"""`wif audit`: seal, verify, prove, trace, export. Exit 0: intact, 1: tampered, 2: not checked."""

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from cli import context, seals
from cli.context import Problem
from cli.seals import foreseen
from cli.tables import PARIS, show_table
from config.settings import Settings
from store.audit_check import Verification, verify, vouched
from store.audit_export import SCHEMA, ExportReport, Period, export
from store.audit_export_check import verify_file
from store.audit_lines import COLUMNS, key_ids, lines_of
from store.audit_proof import NoProofError, prove
from store.seal_file import load_seals
from store.seal_keys import SigningKey, load_signing_key, read_public_keys, trusted_keys
from store.seals import SealReport, newest_seal
from tasks.runtime import Runtime
from tasks.sealing import seal

app = typer.Typer(
    no_args_is_help=True,
    help="The audit log: seal it, verify it, prove a line, trace a dossier, export a period.",
)
app.add_typer(seals.app, name="seals")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
LIFE = (
    *("at", "step", "event", "channel", "unit", "rule", "ruleset", "reason"),
    *("attempt", "duration_ms", "sealed"),
)


@app.command("seal")
def seal_() -> None:
    """Seal what is pending now, without waiting for the schedule."""
    with foreseen(), context.runtime() as runtime:
        report = seal(runtime)
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
    public_key: Annotated[
        list[Path] | None,
        typer.Option(help="PEM file with the public keys that may have signed. Repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every line and seal. Exit code 0: intact; 1: something was changed; 2: not checked."""
    with foreseen():
        trusted = _trusted(public_key)
        seals_file = against or (None if file else _journal())
        result = _checked(file, seals_file, trusted)
    if as_json:
        context.show_json({**_summary(result, trusted), "against": seals_file and str(seals_file)})
    else:
        typer.echo("\n".join(_report(result, trusted, seals_file)))
    if not result.intact:
        raise typer.Exit(1)


@app.command("prove")
def prove_(line: Annotated[int, typer.Argument(help="Id of the line.")]) -> None:
    """Print a proof (JSON) that the line stands under a seal; docs/audit.md says how to check."""
    try:
        with foreseen(), context.runtime() as runtime, runtime.database.read() as connection:
            proof = prove(connection, line)
    except NoProofError as error:
        raise Problem(str(error)) from None
    context.show_json(proof.record())


@app.command()
def trace(
    dossier: Annotated[str, typer.Argument(help="PROCEDURE/NUMBER.")], as_json: AsJson = False
) -> None:
    """Show the life of a dossier: every line that refers to it, under any known audit key."""
    procedure, number = context.dossier_key(dossier)
    with foreseen(), context.runtime() as runtime:
        life = _life(runtime, procedure, number)
        if not life:
            raise Problem(_untraceable(runtime, dossier))
    if as_json:
        context.show_json(life)
        return
    rows = [[_cell(name, line[name]) for name in LIFE] for line in life]
    show_table(f"{dossier}: {len(life)} lines", LIFE, rows)


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
        typer.echo(SCHEMA.read_text(encoding="utf-8"), nl=False)
        return
    period = Period(since=_instant("since", since), until=_instant("until", until, whole_day=True))
    with foreseen(), context.runtime() as runtime, output(out) as stream:
        key = _key_if_any(runtime.settings)
        report = export(runtime.database, stream, period=period, now=runtime.clock(), key=key)
    typer.echo(_exported(report, signed=key is not None), err=True)


@contextmanager
def output(path: Path | None) -> Iterator[BinaryIO]:
    """Where a file is written: `path`, which appears whole or not at all, or standard output.

    Raises:
        Problem: it cannot be written.
    """
    if path is None:
        yield sys.stdout.buffer
        return
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("wb") as stream:
            yield stream
        draft.replace(path)
    except OSError as error:
        raise Problem(f"{path}: cannot be written ({type(error).__name__})", code=2) from None
    finally:
        draft.unlink(missing_ok=True)


def _trusted(files: list[Path] | None) -> frozenset[str]:
    """The keys that may have signed: those in `files`, else those that this installation knows."""
    if files:
        return frozenset().union(*map(read_public_keys, files))
    path = context.settings().seal_key
    return trusted_keys(path) if path else frozenset()


def _journal() -> Path | None:
    path = context.settings().seal_journal
    return path if path.exists() else None


def _checked(file: Path | None, against: Path | None, trusted: frozenset[str]) -> Verification:
    kept = load_seals(against) if against else iter(())
    hashes, findings = vouched(kept, trusted=trusted)
    if file is not None:
        result = verify_file(file, trusted=trusted, exported=hashes)
    else:
        with context.runtime() as runtime:
            result = verify(runtime.database, trusted=trusted, exported=hashes)
    result.findings = [*findings, *result.findings]
    return result


def _summary(result: Verification, trusted: frozenset[str]) -> dict[str, Any]:
    return {
        "intact": result.intact,
        "lines": result.lines,
        "seals": result.seals,
        "findings": [
            {"problem": finding.problem, "seal": finding.seal, "lines": finding.lines}
            for finding in result.findings
        ],
        "stopped": result.stopped,
        "head": result.head and result.head.record(),
        "unsealed": result.tail,
        "withheld": result.withheld,
        "signed": result.signed,
        "keys": result.keys,
        "keys_trusted": bool(trusted),
    }


def _report(result: Verification, trusted: frozenset[str], against: Path | None) -> Iterator[str]:
    yield f"{result.lines} lines under {result.seals} seals checked" + (
        f", against {against}" if against else ""
    )
    yield from map(str, result.findings)
    if result.stopped:
        yield "stopped here: there may be more"
    elif result.tail.size:
        tail = result.tail
        yield f"{tail.size} lines from {tail.first} on ({tail.since} UTC) are not sealed yet"
    if result.withheld:
        yield f"{result.withheld} lines of the seals are withheld: outside the period of the file"
    if result.signed is False:
        yield "the file as a whole is not signed: lines may have been withheld by others"
    if result.keys and not trusted:
        yield "no public key was given: compare the key that signed with the published one"
        yield from sorted(result.keys)
    yield _verdict(result)


def _verdict(result: Verification) -> str:
    if not result.intact:
        return "TAMPERED"
    return "INTACT" if result.seals else "INTACT, but nothing is sealed yet"


def _life(runtime: Runtime, procedure: int, number: int) -> list[dict[str, Any]]:
    with runtime.database.read() as connection:
        rows = lines_of(connection, runtime.audit.refs(procedure, number))
        head = newest_seal(connection)
    last = head.last_id if head else 0
    return [{**dict(zip(COLUMNS, row, strict=True)), "sealed": row[0] <= last} for row in rows]


def _untraceable(runtime: Runtime, dossier: str) -> str:
    """Why nothing is found: no line, or lines under a key that is not known here."""
    with runtime.database.read() as connection:
        unknown = set(key_ids(connection)) - {key.id for key in runtime.audit.keys}
    hint = (
        f"; lines under {len(unknown)} unknown keys cannot be tied to a dossier" if unknown else ""
    )
    return f"{dossier}: no line under the {len(runtime.audit.keys)} known keys{hint}"


def _cell(name: str, value: object) -> object:
    if name == "at":
        return datetime.fromisoformat(f"{value}+00:00")
    if name == "ruleset" and isinstance(value, str):
        return value[:12]
    return ("yes" if value else "no") if name == "sealed" else value


def _instant(option: str, text: str | None, *, whole_day: bool = False) -> datetime | None:
    if text is None:
        return None
    try:
        if len(text) == len("2026-01-31"):
            day = date.fromisoformat(text) + timedelta(days=1 if whole_day else 0)
            return datetime.combine(day, time(), PARIS)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise Problem(
            f"--{option}: is neither a day nor an instant; for example 2026-01-31 or "
            "2026-01-31T12:00:00Z",
            code=2,
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=PARIS)).astimezone(UTC)


def _key_if_any(settings: Settings) -> SigningKey | None:
    path = settings.seal_key
    return load_signing_key(path) if path and path.exists() else None


def _sealed(report: SealReport) -> str:
    if report.waiting:
        return "nothing sealed: writers are in flight; try again"
    return f"{report.lines} lines sealed under {report.seals} seals"


def _exported(report: ExportReport, *, signed: bool) -> str:
    return (
        f"{report.lines} lines under {report.seals} seals, {report.unsealed} not sealed yet, "
        f"{report.withheld} withheld; {'signed' if signed else 'not signed'}"
    )
