"""`wif stats`: the public statistics, published and written as one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.command_error import CommandError
from cli.lazy import lazy_imports
from config.messages import tr, trn

with lazy_imports():
    from cli import context
    from config import foreign_messages
    from service.statistics import publish

if TYPE_CHECKING:
    from service.runtime import Runtime


def stats(
    html: Annotated[
        Path | None, typer.Option(help="Write the public page as one file that a browser opens.")
    ] = None,
    month: Annotated[
        str | None, typer.Option(help="YYYY-MM; the latest public one when not given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Publish the months that are over, and say which months are public."""
    with context.runtime() as runtime:
        report = publish.publish_when_due(runtime)
        page, months = write_page(runtime, month)
    if html is not None:
        _write(html, page)
    if as_json:
        context.show_json({"published": report.published, "months": months})
        return
    if html is not None:
        typer.echo(html)
    elif months:
        typer.echo(
            trn(
                "{n} month is public: {first}",
                "{n} months are public: {first} to {last}",
                len(months),
                first=months[0],
                last=months[-1],
            )
        )
    else:
        typer.echo(tr("no month is public yet: it takes one with five dossiers that is over"))


def write_page(runtime: Runtime, month: str | None = None) -> tuple[str, list[str]]:
    """The public page as one file, and the months that are public.

    Raises:
        CommandError: `month` is not one of them.
    """
    from web.stats import page, public_figures, selection, view, wording  # noqa: PLC0415

    asked = {} if month is None else {"mois": month}
    choices = public_figures.read_choices(runtime)
    try:
        chosen = selection.read_selection(asked, choices)
    except selection.UnknownChoice:
        raise CommandError(
            tr("--month: {month} is not public, or not YYYY-MM", month=month), code=2
        ) from None
    found = public_figures.read_public_figures(runtime, chosen)
    shown = view.view(found, chosen) if found.months else None
    return page.standalone(shown, found), [wording.month_code(each) for each in choices.months]


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise CommandError(
            tr(
                "{path}: cannot be written ({why})",
                path=path,
                why=foreign_messages.translated(error.strerror or type(error).__name__),
            )
        ) from None
