"""`wif audit seals`: seals for safekeeping elsewhere, and the key that signs them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from config.foreign_messages import translated
from config.messages import tr, trn

with lazy_imports():
    import sqlalchemy

    from cli import context, database_error
    from cli import timestamps as cli_timestamps
    from service import runtime as runtimes
    from service import seal
    from store.audit import export_check, seal_file, seal_keys


app = typer.Typer(no_args_is_help=True, help="Seals for safekeeping elsewhere, and their key.")

KeyFile = Annotated[Path | None, typer.Argument(help="Key file; by default the configured one.")]


@contextmanager
def foreseen() -> Iterator[None]:
    """What keeps a command from being carried out ends it in one line and exit code 2."""
    try:
        yield
    except (seal_keys.SealKeyError, seal_file.SealFileError, export_check.ExportFileError) as error:
        raise CommandError(translated(str(error)), code=2) from None
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise CommandError(database_error.explained(error), code=2) from None


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="File to extend or make; - for standard output.")],
) -> None:
    """Write every seal that FILE lacks. Keep it where the owner of the database cannot write."""
    with foreseen(), context.runtime() as runtime:
        if str(file) == "-":
            seal_file.write_seals(runtime.database, sys.stdout.buffer)
            return
        count = seal_file.extend_seals(runtime.database, file)
    typer.echo(trn("{n} seal added to {file}", "{n} seals added to {file}", count, file=file))


@app.command("timestamps")
def timestamps(
    folder: Annotated[Path, typer.Argument(help="Folder to write them to.")],
) -> None:
    """Write the timestamps of a third party for `openssl ts -verify`; docs/audit.md says how."""
    with foreseen(), context.runtime() as runtime:
        count = cli_timestamps.export(runtime, folder)
    typer.echo(
        trn(
            "{n} timestamp written to {folder}",
            "{n} timestamps written to {folder}",
            count,
            folder=folder,
        )
    )


@app.command("public-key")
def public_key(
    file: KeyFile = None,
    as_hex: Annotated[
        bool, typer.Option("--hex", help="One line of hex for each, oldest first.")
    ] = False,
) -> None:
    """Print the public keys that have signed so far, as PEM: what an inspector needs."""
    path = _key_file(file)
    with foreseen():
        if as_hex:
            typer.echo("\n".join(dict.fromkeys(key.public for key in seal_keys.known_keys(path))))
            return
        pem = seal_keys.public_pem(seal_keys.public_half(path))
        beside = seal_keys.public_key_file(path)
        typer.echo((beside.read_bytes() if beside.exists() else pem).decode(), nl=False)


@app.command("new-key")
def new_key(
    file: KeyFile = None,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Replace the key that is there.")
    ] = False,
) -> None:
    """Make the key that signs seals. After a rotation old seals stay verifiable."""
    path = _key_file(file)
    if file is None and context.settings().seal_command:
        raise CommandError(
            tr(
                "WIF_SEAL_COMMAND: its key is made where it lives; wif audit seals endorse names it"
            ),
            code=2,
        )
    if path.exists() and not rotate:
        raise CommandError(tr("{path}: is there already; --rotate replaces it", path=path), code=2)
    with foreseen():
        key = (
            seal_keys.rotate_signing_key(path)
            if rotate
            else seal_keys.load_or_create_signing_key(path)
        )
    typer.echo(tr("{path}: new key, whose public half is {public}", path=path, public=key.public))
    typer.echo(
        tr(
            "{file}: every public key so far; give it to inspectors",
            file=seal_keys.public_key_file(path),
        )
    )


@app.command("endorse")
def endorse_(
    file: Annotated[Path, typer.Argument(help="PEM file of the public key that will sign next.")],
) -> None:
    """Let the key that signs now vouch for the next one, where a command or a token signs.

    Then let WIF_SEAL_COMMAND and WIF_SEAL_KEY_FILE name the next one: old seals stay verifiable.
    """
    path = _key_file(None)
    with foreseen():
        following = seal_keys.read_public_keys(file)[0].public
        runtime = runtimes.Runtime(context.settings())
        seal_keys.endorse(path, following, seal.signing_key(runtime))
    typer.echo(
        tr(
            "{file}: {following} is endorsed by the key that signs now",
            file=seal_keys.public_key_file(path),
            following=following,
        )
    )


def _key_file(file: Path | None) -> Path:
    path = file or context.settings().seal_key
    if path is None:
        raise CommandError(
            tr("WIF_SEAL_KEY_FILE: is not set; for example /run/secrets/seal.key"), code=2
        )
    return path
