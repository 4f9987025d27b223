"""`wif rules check`: every mistake in the files, where it is and what to write instead."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.lazy import lazy_imports
from cli.rules.options import (
    MISTAKES,
    UNREADABLE,
    AsJson,
    Day,
    Directory,
    folder,
    is_production,
    short,
    today,
)
from config.messages import tr, trn

with lazy_imports():
    from cli import context
    from config import document, json_schemas, ruleset

if TYPE_CHECKING:
    from config.diagnostics import Diagnostic
    from config.loader import Configuration


def check(
    directory: Directory = None,
    on: Day = None,
    production: Annotated[
        bool | None,
        typer.Option(
            "--production/--trial",
            help="Whether placeholders are refused; as WIF_ENV says when not given.",
        ),
    ] = None,
    schema: Annotated[
        Path | None,
        typer.Option(help="Write the JSON Schemas of the four files into this folder instead."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the files. Exit code 0: no mistake, 1: mistakes, 2: something could not be read."""
    if schema is not None:
        for path in json_schemas.write_schemas(schema):
            typer.echo(path)
        return
    settings = context.settings()
    configuration, mistakes = ruleset.check_directory(
        folder(directory, settings),
        production=is_production(settings) if production is None else production,
        on=on or today(),
    )
    digest = (
        None
        if mistakes
        else document.document_hash(document.write_document(document.document_of(configuration)))
    )
    if as_json:
        warnings = [*configuration.warnings, *configuration.doubts]
        context.show_json({"ruleset": digest, "mistakes": mistakes, "warnings": warnings})
    else:
        _print(configuration, mistakes, digest)
    if any(mistake.unreadable for mistake in mistakes):
        raise typer.Exit(UNREADABLE)
    if mistakes:
        raise typer.Exit(MISTAKES)


def _print(configuration: Configuration, mistakes: list[Diagnostic], digest: str | None) -> None:
    for mistake in mistakes:
        typer.echo(mistake)
    for warning in configuration.warnings:
        typer.echo(tr("warning (a mistake with --production): {warning}", warning=warning))
    for doubt in configuration.doubts:
        typer.echo(tr("warning: {doubt}", doubt=doubt))
    if digest is None:
        context.tell(trn("{n} mistake", "{n} mistakes", len(mistakes)))
        return
    examples = sum(len(rule.entry.examples) for rule in configuration.rules)
    found = ", ".join(
        (
            trn("{n} unit", "{n} units", len(configuration.units)),
            trn("{n} procedure", "{n} procedures", len(configuration.procedures)),
            trn("{n} permit type", "{n} permit types", len(configuration.permit_types)),
            trn("{n} rule", "{n} rules", len(configuration.rules)),
            trn("{n} example", "{n} examples", examples),
        )
    )
    typer.echo(
        tr(
            "{directory}: no mistake in {found} (rule set {hash})",
            directory=configuration.directory,
            found=found,
            hash=short(digest),
        )
    )
