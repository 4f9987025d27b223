"""Backing up while the service runs: the database, the rules, the keys and the seals in a folder.

The folder is complete when it has its manifest, which is written last and holds a checksum of
every file. The journal of seals is copied before the database: a journal that knew of more seals
than the database could not be continued.
"""

import base64
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import orjson
from pydantic import TypeAdapter

from config.files import open_regular
from config.messages import tr
from config.schema import FILES
from service.connections import Connections
from store import schema
from store.audit.seal_keys import public_key_file
from store.database_copy import FILE_NAMES, dump

FORMAT = 1
MANIFEST = "manifest.json"
AUDIT_KEYS = "keys/audit_keys"
SEAL_KEY = "keys/seal.key"
SEAL_PUBLIC_KEYS = "keys/seal.key.pub"
SEALS = "seals.jsonl"
_BLOCK = 1 << 20

Progress = Callable[[str, int, int], None]
"""Told of what is done, and how much of how much of it."""


class BackupError(Exception):
    """A backup cannot be made or used. Its text is one line that says why and what to do."""


@dataclass(frozen=True, slots=True)
class SavedFile:
    """One file of a backup: path below its folder, size in bytes, SHA-256 in hex."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds.

    Attributes:
        program: version that made it.
        schema: migration that the database had.
        engine: `sqlite` or `postgresql`.
        started_at: before the database was looked at: whatever was committed by then is in it.
        has_keys: whether the keys are in it.
    """

    format: int
    program: str
    schema: str
    engine: str
    started_at: datetime
    finished_at: datetime
    has_keys: bool
    files: tuple[SavedFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.bytes for file in self.files)


def back_up(
    runtime: Connections, folder: Path, *, keys: bool = True, progress: Progress = lambda *_: None
) -> Manifest:
    """Write a backup into `folder`, which is new or empty, while the service goes on.

    Args:
        runtime: of this process.
        folder: where to; only its owner can read it.
        keys: whether the audit keys and the sealing key are copied, too. Without them a backup
            can be kept where others read it; without the audit key old audit lines cannot be
            tied to dossiers.
        progress: told of each part.

    Raises:
        BackupError: there is something in the folder, or nothing to back up.
        CopyError: the database cannot be copied.
        OSError: a file cannot be read or written.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BackupError(
            tr("{folder}: is not empty: nothing is overwritten; give a new folder", folder=folder)
        )
    revision = schema.revision(runtime.database)
    if revision is None:
        raise BackupError(tr("there is nothing to back up yet: the database is empty"))
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    started_at = runtime.clock()
    for path, content in _small_files(runtime, keys=keys):
        _write(folder / path, content)
    name = FILE_NAMES[runtime.database.dialect]
    dump(runtime.database, folder / name, lambda done, total: progress("database", done, total))
    manifest = Manifest(
        format=FORMAT,
        program=version("work-in-france-routing"),
        schema=revision,
        engine=runtime.database.dialect,
        started_at=started_at,
        finished_at=runtime.clock(),
        has_keys=keys,
        files=tuple(_saved(folder, progress)),
    )
    _write(folder / MANIFEST, orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))
    return manifest


def _small_files(runtime: Connections, *, keys: bool) -> Iterator[tuple[str, bytes]]:
    settings = runtime.settings
    if settings.seal_journal.exists():
        yield SEALS, settings.seal_journal.read_bytes()
    for name in FILES:
        path = settings.config_dir / name
        if path.is_file():
            yield f"config/{name}", path.read_bytes()
    if settings.seal_key and public_key_file(settings.seal_key).exists():
        yield SEAL_PUBLIC_KEYS, public_key_file(settings.seal_key).read_bytes()
    if keys:
        yield AUDIT_KEYS, b"\n".join(map(base64.b64encode, settings.audit_keys())) + b"\n"
        if settings.seal_key and settings.seal_key.exists():
            yield SEAL_KEY, settings.seal_key.read_bytes()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _saved(folder: Path, progress: Progress) -> Iterator[SavedFile]:
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        name = path.relative_to(folder).as_posix()
        yield SavedFile(name, path.stat().st_size, checksum(path, name, progress))


def checksum(path: Path, name: str, progress: Progress) -> str:
    """SHA-256 (hex) of a file, with progress in bytes."""
    digest, done, size = hashlib.sha256(), 0, path.stat().st_size
    with open_regular(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            done += len(block)
            progress(tr("checksum of {name}", name=name), done, size)
    return digest.hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup.

    Raises:
        BackupError: there is none, or it is of a later format.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise BackupError(
            tr("{path}: is missing: this is no backup, or one that was not finished", path=path)
        )
    try:
        content = orjson.loads(path.read_bytes())
        if content["format"] != FORMAT:
            raise BackupError(
                tr("{path}: has a later format; restore it with the program it names", path=path)
            )
        return TypeAdapter(Manifest).validate_json(path.read_bytes(), strict=True)
    except (ValueError, KeyError, TypeError):
        raise BackupError(tr("{path}: is damaged; take another backup", path=path)) from None


def verify_files(folder: Path, manifest: Manifest, progress: Progress = lambda *_: None) -> None:
    """Compare every file with its checksum.

    Raises:
        BackupError: one is missing, the database's included, or was changed.
    """
    database = FILE_NAMES.get(manifest.engine, MANIFEST)
    if database not in {saved.path for saved in manifest.files}:
        path = folder / database
        raise BackupError(tr("{path}: is missing from the backup; take another one", path=path))
    for saved in manifest.files:
        path = folder / saved.path
        if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
            raise BackupError(tr("{path}: is missing from the backup; take another one", path=path))
        if checksum(path, saved.path, progress) != saved.sha256:
            raise BackupError(
                tr("{path}: was changed since the backup was made; take another one", path=path)
            )
