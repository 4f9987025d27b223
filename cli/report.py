"""`wif report MONTH`: the monthly reports as .xlsx files."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from config.messages import tr, trn

with lazy_imports():
    from cli import context
    from config import files as config_files
    from service import monthly_report, monthly_workbook
    from service.statistics import publish, working_days


def report(
    month: Annotated[str, typer.Argument(help="The month, for example 2026-10.")],
    folder: Annotated[
        Path, typer.Option("--dir", help="Folder to write to; what is there is replaced.")
    ] = Path(),
    unit: Annotated[str | None, typer.Option(help="Only this unit's report.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write the report of each unit, and of all units for the national office (masked)."""
    first = _month(month)
    with context.runtime() as runtime:
        now = runtime.clock()
        if first >= working_days.day_in_paris(now).replace(day=1):
            raise CommandError(tr("{month}: is not over yet", month=month), code=2)
        rules = runtime.rules()
        if unit is None:
            publish.publish_when_due(runtime)
        with runtime.database.read() as connection:
            made = monthly_report.unit_reports(connection, first)
            national = monthly_report.national_report(connection, first)
    files = {
        f"rapport-{month}-{each.unit}.xlsx": monthly_workbook.unit_workbook(each, rules, now)
        for each in made
        if unit in {None, each.unit}
    }
    if unit is None:
        name = f"rapport-{month}-national.xlsx"
        files[name] = monthly_workbook.national_workbook(national, rules, now)
    if not files:
        raise CommandError(
            tr("{unit}: had no dossier in {month} or the month before", unit=unit, month=month)
        )
    for name, content in files.items():
        config_files.write_whole(folder / name, content)
    if as_json:
        context.show_json({"files": [str(folder / name) for name in files]})
        return
    typer.echo(
        trn(
            "{n} report written to {folder}",
            "{n} reports written to {folder}",
            len(files),
            folder=folder,
        )
    )


def _month(text: str) -> date:
    wrong = CommandError(tr("{text}: is no month; for example: 2026-10", text=text), code=2)
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}", text, re.ASCII):
        raise wrong
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise wrong from None
