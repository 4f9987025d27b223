"""`wif init`: a folder to edit, with the default rules and an example of `.env`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from config.messages import tr, trn

with lazy_imports():
    from cli import context
    from config import json_schemas, schema, settings

ENV = ".env"
ENV_EXAMPLE = ".env.example"
_FIRST = (
    *("tps_url", "tps_token", "smtp_url", "mail_from", "ops_mailbox"),
    *("database_url", "broker_url", "audit_key", "seal_key_file", "env"),
)
"""What an installation sets; the rest has defaults that serve."""


def init(
    folder: Annotated[Path, typer.Argument(help="Folder to make, or an empty one.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a folder to edit: config/ with the default rules, and .env.example.

    Nothing that is there is overwritten.
    """
    files = dict(_files())
    there = [name for name in files if (folder / name).exists()]
    if there:
        raise CommandError(
            tr("{folder}: is there already; give another folder", folder=folder / there[0]), code=2
        )
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if as_json:
        context.show_json({"files": [str(folder / name) for name in files]})
        return
    typer.echo(
        trn(
            "{folder}: {n} file written. Next:",
            "{folder}: {n} files written. Next:",
            len(files),
            folder=folder,
        )
    )
    then = tr("and fill in what it asks for")
    typer.echo(f"  cd {folder} && cp {ENV_EXAMPLE} {ENV}   # {then}")
    typer.echo("  wif rules check && wif doctor")


def _files() -> Iterator[tuple[str, str]]:
    """Each file to write, by its path below the folder."""
    for name in schema.FILES:
        yield f"config/{name}", (settings.HERE / name).read_text(encoding="utf-8")
    for name, text in json_schemas.schemas().items():
        yield f"config/schemas/{name}", text
    yield ENV_EXAMPLE, env_example()


def env_example() -> str:
    """Every setting in a comment with an example: what an installation sets, then the others."""
    lines = [
        tr(
            "# Settings of `wif`, read from the folder in which it is started, in a file {file}.",
            file=ENV,
        ),
        tr("# A secret is better given as a file (…_FILE)."),
        f"{settings.PREFIX}CONFIG_DIR=config",
        f"{settings.PREFIX}VAR_DIR=var",
        "",
        *map(_example, _FIRST),
        "",
        tr("# Everything below has a default that serves."),
    ]
    said = {*_FIRST, "config_dir", "var_dir"}
    lines += [_example(name) for name in settings.Settings.model_fields if name not in said]
    return "\n".join(lines) + "\n"


def _example(name: str) -> str:
    field = settings.Settings.model_fields[name]
    if "SecretStr" in str(field.annotation):
        return f"#{settings.PREFIX}{name.upper()}_FILE=/run/secrets/{name}"
    return f"#{settings.PREFIX}{name.upper()}={settings.example_of(name)}"
