"""The public page as HTML: served with a stylesheet beside it, or as one file."""

import hashlib
from base64 import b64encode
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from store.published_figures import StoredFigure
from web.stats import wording
from web.stats.exports import COLUMNS, LICENCE, LICENCE_URL, as_csv, as_json
from web.stats.selection import PATH, Selection
from web.stats.view import PublicFigures, View

STYLESHEET = f"{PATH}/style.css"
TITLE = "Autorisations de travail : statistiques - Work In France"


@cache
def stylesheet() -> str:
    """The style of the page."""
    return files("web.stats").joinpath("style.css").read_text(encoding="utf-8")


@cache
def stylesheet_url() -> str:
    """Where the style is; a new one has a new address, so that it can be kept for long."""
    return f"{STYLESHEET}?{hashlib.sha256(stylesheet().encode()).hexdigest()[:12]}"


def served(view: View | None) -> str:
    """The page as it is served; `None` where nothing is public."""
    selection = view.selection if view else Selection()
    month = selection.choose(month=view.month) if view else selection
    return _template().render(
        **_common(view),
        links=True,
        style="",
        stylesheet=stylesheet_url(),
        downloads=[
            ("cette sélection, en CSV", month.url(f"{PATH}.csv"), ""),
            ("cette sélection, en JSON", month.url(f"{PATH}.json"), ""),
            ("tous les mois, en CSV", f"{PATH}.csv", ""),
            ("tous les mois, en JSON", f"{PATH}.json", ""),
        ],
    )


def standalone(view: View | None, public: PublicFigures) -> str:
    """The page as one file that loads nothing else."""
    style = stylesheet()
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    figures = [*public.figures.values()]
    return _template().render(
        **_common(view),
        links=False,
        style=Markup(style),  # noqa: S704 - our own file
        style_hash=f"sha256-{digest}",
        downloads=_downloads(figures, public, view.month if view else None),
    )


def _downloads(
    figures: list[StoredFigure], public: PublicFigures, month: object
) -> list[tuple[str, str, str]]:
    name = f"autorisations-de-travail-{str(month)[:7]}"
    return [
        (f"ce mois, en {kind.upper()}", f"data:{media};base64,{_base64(text)}", f"{name}.{kind}")
        for kind, media, text in (
            ("csv", "text/csv;charset=utf-8", as_csv(figures, public.labels)),
            ("json", "application/json", as_json(figures, public.labels)),
        )
    ]


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def _common(view: View | None) -> dict[str, object]:
    return {
        "view": view,
        "title": TITLE if view is None else f"{wording.month_name(view.month)} - {TITLE}",
        "columns": COLUMNS,
        "licence": LICENCE,
        "licence_url": LICENCE_URL,
    }


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(
        number=wording.number,
        days=wording.days,
        percent=wording.percent,
        month_name=wording.month_name,
    )
    source = files("web.stats").joinpath("page.html.j2").read_text(encoding="utf-8")
    return environment.from_string(source)
