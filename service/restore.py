"""Restoring a backup into an empty database, and telling it what was sent since.

Nothing is overwritten. Workers start when it is done: what offices were told after the backup is
known by then, and every form is read again from the start, which finds what TPS got meanwhile.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from config.files import write_whole
from config.messages import tr, trn
from service.actor import actor_of
from service.backup import (
    AUDIT_KEYS,
    SEAL_KEY,
    SEAL_PUBLIC_KEYS,
    SEALS,
    BackupError,
    Manifest,
    Progress,
    read_manifest,
    verify_files,
)
from service.connections import Connections
from service.sent_before_restore import BroughtForward, bring_database_forward
from store import bring_forward, schema
from store.audit.log import AuditEntry, AuditKey, Step
from store.audit.seal_keys import public_key_file
from store.database_copy import FILE_NAMES, load, refuse_filled
from store.grants import grant
from store.sent_log import SentLogReader

MARGIN = timedelta(hours=1)
"""How long before the backup the log of sent messages is read: longer than a lease and any
difference between clocks of two machines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreReport:
    """What a restore did.

    Attributes:
        manifest: of the backup.
        forward: what the log of sent messages changed.
        damaged: lines of that log that could not be read.
        kept: files that were there already and stay.
        placed: files that were written.
        aside: where the journal of seals went that is not the backup's; None when there was none.
    """

    manifest: Manifest
    forward: BroughtForward
    damaged: int
    kept: Sequence[Path]
    placed: Sequence[Path]
    aside: Path | None


def restore(
    runtime: Connections,
    folder: Path,
    sent_logs: Sequence[Path],
    *,
    progress: Progress = lambda *_: None,
) -> RestoreReport:
    """Restore the backup in `folder` into the empty database of the settings.

    Args:
        runtime: of this process.
        folder: the backup.
        sent_logs: the logs of sent messages of every machine that sent any.
        progress: told of each part.

    Raises:
        BackupError: the backup is damaged, of another engine, or under keys unknown here.
        CopyError: the database is not empty, or cannot be loaded.
        OSError: a file cannot be read or written; one that is read is tried before the load.
    """
    manifest = read_manifest(folder)
    _refuse_unfit(folder, manifest, dialect=runtime.database.dialect)
    refuse_filled(runtime.database)
    SentLogReader(sent_logs).check()
    verify_files(folder, manifest, progress)
    placed, kept = _place_files(runtime, folder, manifest)
    journal = runtime.settings.seal_journal
    aside = _place_journal(journal, folder, manifest)
    if _has_journal(manifest):
        placed.append(journal)
    # Only now: who acts is told under the audit key, which may just have been placed.
    runtime.actor = actor_of(runtime.settings)
    source = folder / FILE_NAMES[manifest.engine]
    load(runtime.database, source, lambda done, total: progress("database", done, total))
    schema.upgrade(runtime.database)
    if runtime.settings.database_role and runtime.database.dialect == "postgresql":
        with runtime.database.begin() as connection:
            grant(connection, runtime.settings.database_role)
    forward, damaged = apply_sent_logs(runtime, manifest, sent_logs)
    return RestoreReport(
        manifest=manifest,
        forward=forward,
        damaged=damaged,
        kept=kept,
        placed=placed,
        aside=aside,
    )


def _refuse_unfit(folder: Path, manifest: Manifest, *, dialect: str) -> None:
    """Refuse a backup that this program cannot load into a database of that engine.

    Raises:
        BackupError: it is of another engine, or of a later program.
    """
    if manifest.engine != dialect:
        raise BackupError(
            tr(
                "{folder}: is of a {engine} database, and WIF_DATABASE_URL names one of {dialect}",
                folder=folder,
                engine=manifest.engine,
                dialect=dialect,
            )
        )
    if manifest.schema > schema.NEWEST:
        raise BackupError(
            tr(
                "{folder}: was made by a later program (schema {schema}, this one has "
                "{newest}); restore it with version {program}",
                folder=folder,
                schema=manifest.schema,
                newest=schema.NEWEST,
                program=manifest.program,
            )
        )


def apply_sent_logs(
    runtime: Connections, manifest: Manifest, sent_logs: Sequence[Path]
) -> tuple[BroughtForward, int]:
    """Tell a restored database what was sent since its backup; also how many lines are damaged.

    It can be repeated, for example with a log that was found later, as long as no worker ran.
    """
    reader = SentLogReader(sent_logs)
    now = runtime.clock()
    with runtime.database.begin() as connection:
        sent = sorted(reader.since(manifest.started_at - MARGIN), key=lambda message: message.at)
        forward = bring_database_forward(runtime, connection, sent)
        bring_forward.look_anew(connection, now)
        entry = AuditEntry(step=Step.RESTORED, actor=runtime.actor)
        runtime.audit.append(connection, now, [entry])
    return forward, reader.damaged


def _place_files(
    runtime: Connections, folder: Path, manifest: Manifest
) -> tuple[list[Path], list[Path]]:
    """Write keys to where the settings look for them, where nothing is.

    Raises:
        BackupError: the settings give other audit keys than the backup's.
    """
    settings = runtime.settings
    names = {file.path for file in manifest.files}
    wanted: list[tuple[str, Path]] = []
    if settings.seal_key:
        wanted = [
            (SEAL_KEY, settings.seal_key),
            (SEAL_PUBLIC_KEYS, public_key_file(settings.seal_key)),
        ]
    placed: list[Path] = []
    kept: list[Path] = []
    for name, path in wanted:
        if name in names:
            (kept if path.exists() else placed).append(path)
            write_whole(path, (folder / name).read_bytes(), replace=False, sync=True)
    if AUDIT_KEYS in names:
        placed += _place_audit_keys(runtime, folder)
    return placed, kept


def _place_audit_keys(runtime: Connections, folder: Path) -> list[Path]:
    saved = (folder / AUDIT_KEYS).read_text(encoding="ascii").split()
    path = runtime.settings.var_dir / "audit.key"
    placed = []
    if runtime.settings.audit_key is None and not runtime.settings.in_production:
        if not path.exists():
            placed.append(path)
        write_whole(path, saved[0].encode(), replace=False, sync=True)
    known = {AuditKey(secret).id for secret in runtime.settings.audit_keys()}
    if missing := _ids(saved) - known:
        raise BackupError(
            trn(
                "{n} audit key of the backup is not in WIF_AUDIT_KEY or "
                "WIF_AUDIT_PREVIOUS_KEYS: give those of {folder}, the first as current",
                "{n} audit keys of the backup are not in WIF_AUDIT_KEY or "
                "WIF_AUDIT_PREVIOUS_KEYS: give those of {folder}, the first as current",
                len(missing),
                folder=folder / AUDIT_KEYS,
            )
        )
    return placed


def _ids(encoded: Sequence[str]) -> set[str]:
    return {AuditKey(base64.b64decode(key)).id for key in encoded}


def _place_journal(path: Path, folder: Path, manifest: Manifest) -> Path | None:
    """Write the journal of seals; another one stays beside it, as evidence of what was lost.

    So does one when the backup has none, as before the first seal: the database would contradict
    it. Gives where that one is now.
    """
    saved = folder / SEALS if _has_journal(manifest) else None
    content = saved.read_bytes() if saved else b""
    aside = None
    if path.exists() and path.read_bytes() != content:
        aside = next(each for n in range(1, 1_000) if not (each := _aside(path, n)).exists())
        path.replace(aside)
    if saved:
        write_whole(path, content, replace=False, sync=True)
    return aside


def _has_journal(manifest: Manifest) -> bool:
    return any(file.path == SEALS for file in manifest.files)


def _aside(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.before-restore-{number}")
