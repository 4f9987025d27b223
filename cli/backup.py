"""`wif backup` and `wif restore`: everything in a folder while the service runs, and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from config.foreign_messages import translated
from config.messages import said_by, tr, trn

with lazy_imports():
    from cli import context, progress
    from service import backup as backups
    from service import restore as restores
    from service import runtime as runtimes
    from store import database_copy

if TYPE_CHECKING:
    from service.backup import Manifest
    from service.restore import RestoreReport
    from service.runtime import Runtime
    from service.sent_before_restore import BroughtForward

SentLogs = Annotated[
    list[Path] | None,
    typer.Option(
        "--sent-log",
        help="Log of sent messages of a machine; by default WIF_SENT_LOG. Repeatable.",
    ),
]


def backup(
    folder: Annotated[Path, typer.Argument(help="Folder to make, or an empty one.")],
    without_keys: Annotated[
        bool, typer.Option("--without-keys", help="Leave out the audit keys and the sealing key.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Back up the database, the rules, the keys and the seals while the service runs."""
    with _foreseen(), context.runtime() as runtime, progress.bars() as bars:
        manifest = backups.back_up(runtime, folder, keys=not without_keys, progress=bars.show)
    if as_json:
        context.show_json(manifest)
        return
    typer.echo(
        trn(
            "{folder}: {n} file, {size} bytes, complete",
            "{folder}: {n} files, {size} bytes, complete",
            len(manifest.files),
            folder=folder,
            size=manifest.size,
        )
    )
    if manifest.has_keys:
        typer.echo(tr("the keys are in it: keep it as you keep them"))
    if runtime.settings.sent_log is None:
        typer.echo(
            tr(
                "WIF_SENT_LOG is not set: after a restore of this backup, messages that were "
                "sent since would be sent again"
            )
        )


def restore_(
    folder: Annotated[Path, typer.Argument(help="Folder that `wif backup` wrote.")],
    sent_log: SentLogs = None,
    only_sent_log: Annotated[
        bool,
        typer.Option(
            "--only-sent-log",
            help="The database was restored already: tell it only what was sent since.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Restore a backup into an empty database, before any worker starts.

    What offices were told after the backup is not told again.
    """
    runtime = runtimes.Runtime(context.settings())
    try:
        with _foreseen(), progress.bars() as bars:
            logs = _logs(runtime, sent_log)
            if only_sent_log:
                forward, damaged = restores.apply_sent_logs(
                    runtime, backups.read_manifest(folder), logs
                )
            else:
                report = restores.restore(runtime, folder, logs, progress=bars.show)
                forward, damaged = report.forward, report.damaged
    finally:
        runtime.close()
    if as_json:
        context.show_json({"sent_log": forward, "damaged_lines": damaged})
    else:
        if not only_sent_log:
            _show(folder, report)
        _show_forward(forward, damaged, logs)
    if damaged or not logs:
        raise typer.Exit(code=3)


def _logs(runtime: Runtime, given: list[Path] | None) -> list[Path]:
    own = runtime.settings.sent_log
    logs = given or ([own] if own and own.exists() else [])
    if missing := [path for path in logs if not path.is_file()]:
        raise CommandError(tr("{missing}: there is no such file", missing=missing[0]), code=2)
    return logs


def _show(folder: Path, report: RestoreReport) -> None:
    manifest: Manifest = report.manifest
    typer.echo(
        tr(
            "{folder}: restored as of {at} UTC",
            folder=folder,
            at=f"{manifest.started_at:%Y-%m-%d %H:%M:%S}",
        )
    )
    for path in report.placed:
        typer.echo(tr("  written: {path}", path=path))
    for path in report.kept:
        typer.echo(tr("  was there and stays: {path}", path=path))
    if report.aside:
        typer.echo(
            tr("  seals that the backup does not have, moved here: {path}", path=report.aside)
        )
    typer.echo(
        tr(
            "rules published and dossiers reassigned by hand since then are not in it: see "
            "`wif rules history`, and publish or reassign them again before workers start"
        )
    )


def _show_forward(forward: BroughtForward, damaged: int, logs: list[Path]) -> None:
    if not logs:
        typer.echo(
            tr(
                "NO LOG OF SENT MESSAGES was read: whatever was sent since will be sent "
                "again. If there is one, run this with --only-sent-log --sent-log FILE before"
                " any worker starts"
            )
        )
        return
    typer.echo(tr("sent log: {what}", what=tr("; ").join(_forwarded(forward))))
    if damaged:
        typer.echo(
            trn(
                "{n} line of the sent log could not be read: see whether it is whole",
                "{n} lines of the sent log could not be read: see whether it is whole",
                damaged,
            )
        )


def _forwarded(forward: BroughtForward) -> Iterator[str]:
    yield trn("{n} message read", "{n} messages read", forward.messages)
    yield trn("{n} recorded as sent", "{n} recorded as sent", forward.recorded)
    yield trn(
        "{n} dossier moved to where it was", "{n} dossiers moved to where they were", forward.moved
    )
    yield trn("{n} dossier awaited from TPS", "{n} dossiers awaited from TPS", forward.awaited)


@contextmanager
def _foreseen() -> Iterator[None]:
    """What keeps a command from being carried out ends it in one line and exit code 2."""
    try:
        yield
    except backups.BackupError as error:
        raise CommandError(said_by(error), code=2) from None
    except database_copy.CopyError as error:
        raise CommandError(translated(str(error)), code=2) from None
