"""`wif status`, once or again and again: a page that is drawn anew in its place until Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.live import Live
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from cli import context, tables
from config.messages import mark, tr

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True, kw_only=True)
class Look:
    """The status at one moment: for scripts, for a person, and whether all is well."""

    document: dict[str, Any]
    parts: tuple[RenderableType, ...]
    well: bool


def show(shown: Look, *, as_json: bool, one_line: bool = False) -> None:
    """Print one look."""
    if as_json:
        context.show_json(shown.document, one_line=one_line)
    else:
        console = tables.console()
        for part in shown.parts:
            console.print(part, soft_wrap=isinstance(part, Text))


def watch(look: Callable[[], Look], interval: float, *, as_json: bool) -> Look:
    """Look every `interval` seconds until Ctrl-C; the last look, which stays on the terminal.

    A terminal shows one page, drawn in its place; where the output goes into a file or a pipe,
    each look follows the one before.
    """
    console = tables.console()
    if as_json or not console.is_terminal:
        # What reads this must not take what was seen last for what is.
        return _repeat(look, interval, lambda shown: show(shown, as_json=as_json, one_line=True))
    look = _bearing_outages(look)
    with Live(console=console, screen=True, auto_refresh=False) as page:
        last = _repeat(look, interval, lambda shown: page.update(Group(*shown.parts), refresh=True))
    show(last, as_json=False)
    return last


def _bearing_outages(look: Callable[[], Look]) -> Callable[[], Look]:
    """`look`, which shows what was seen last while the database does not answer."""
    last: Look | None = None

    def again() -> Look:
        nonlocal last
        try:
            last = look()
        except SQLAlchemyError as error:
            if last is None:
                raise
            said = mark("THE DATABASE DOES NOT ANSWER ({kind}); this was seen last:")
            warning = Text(tr(said, kind=type(error).__name__), style="bold red")
            return replace(last, parts=(warning, *last.parts), well=False)
        return last

    return again


def _repeat(look: Callable[[], Look], interval: float, draw: Callable[[Look], None]) -> Look:
    shown, never = look(), Event()
    try:
        while True:
            draw(shown)
            never.wait(interval)
            shown = look()
    except KeyboardInterrupt:
        return shown
