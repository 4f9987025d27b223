"""`wif keys`: how old keys and secrets are, and rotating the audit key."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.lazy import lazy_imports
from config.messages import tr

with lazy_imports():
    from cli import context, tables
    from service import clock, secret_age
    from service import rotate_audit_key as rotation

app = typer.Typer(
    no_args_is_help=True, help="Keys and secrets: how old they are, and rotating them."
)


@app.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show when the file of each secret was written; never what is in it."""
    settings = context.settings()
    ages = list(secret_age.secret_ages(settings, clock.utc_now()))
    if as_json:
        context.show_json(ages)
        return
    rows = [(age.setting, age.written_at, age.days) for age in ages]
    tables.show_table(tr("Secrets in files"), ("setting", "written", "days"), rows)


@app.command("rotate-audit")
def rotate_audit(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a new audit key; the one before stays among WIF_AUDIT_PREVIOUS_KEYS.

    Workers take it on at their next task. Back up the new key.
    """
    made = rotation.rotate_audit_key(context.settings())
    if as_json:
        context.show_json({"key": made})
        return
    typer.echo(
        tr("audit key {made} is in force; the one before is kept to find older lines", made=made)
    )
