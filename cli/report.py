"""`wif report MONTH`: the monthly reports as .xlsx files."""

import re
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from cli import context
from cli.command_error import CommandError
from config.files import write_whole
from config.messages import tr
from service.monthly_report import monthly_reports
from service.monthly_workbook import national_workbook, unit_workbook
from service.statistics.publish import next_month
from service.statistics.working_days import day_in_paris


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
        if next_month(first) > day_in_paris(now):
            raise CommandError(tr("{month}: is not over yet", month=month), code=2)
        rules = runtime.rules()
        with runtime.database.read() as connection:
            made = monthly_reports(connection, rules, first)
    files = {
        f"rapport-{month}-{each.unit}.xlsx": unit_workbook(each, rules, now)
        for each in made.units
        if unit in {None, each.unit}
    }
    if unit is None:
        name = f"rapport-{month}-national.xlsx"
        files[name] = national_workbook(made.national, rules, now)
    if not files:
        raise CommandError(
            tr("{unit}: had no dossier in {month} or the month before", unit=unit, month=month)
        )
    for name, content in files.items():
        write_whole(folder / name, content)
    if as_json:
        context.show_json({"files": [str(folder / name) for name in files]})
        return
    typer.echo(tr("{count} reports written to {folder}", count=len(files), folder=folder))


def _month(text: str) -> date:
    wrong = CommandError(tr("{text}: is no month; for example: 2026-10", text=text), code=2)
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}", text, re.ASCII):
        raise wrong
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise wrong from None
