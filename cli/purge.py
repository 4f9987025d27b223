"""`wif purge`: retention."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.lazy import lazy_imports
from config.messages import tr, trn

with lazy_imports():
    from cli import context, progress
    from service import purge


def purge_(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would be removed, and remove nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Remove dossiers that ended longer ago than WIF_RETENTION_DAYS, with their deliveries.

    A dossier ends when its office decides it or TPS deletes it. The schedule does the same
    by itself.
    """
    with context.runtime() as runtime, progress.bars() as bars:
        report = purge.purge(
            runtime, dry_run=dry_run, progress=lambda done: bars.show(tr("dossiers"), done)
        )
        days = runtime.settings.retention_days
    if as_json:
        context.show_json(
            {
                "dry_run": dry_run,
                "ended_before": report.horizon,
                "dossiers": report.dossiers,
                "deliveries": report.deliveries,
            }
        )
        return
    typer.echo(
        tr(
            "{done}: {dossiers}, with {deliveries}",
            done=tr("would be removed") if dry_run else tr("removed"),
            dossiers=trn(
                "{n} dossier that ended more than {ago}",
                "{n} dossiers that ended more than {ago}",
                report.dossiers,
                ago=trn("{n} day ago", "{n} days ago", days),
            ),
            deliveries=trn("{n} delivery", "{n} deliveries", report.deliveries),
        )
    )
