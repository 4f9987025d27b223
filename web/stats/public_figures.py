"""Reads what is public from the database, as a page or a file needs it."""

from collections.abc import Mapping

from routing.territory import departments
from service.runtime import Runtime
from service.statistics.month import UNKNOWN
from service.statistics.suppression import ALL
from store import published_figures
from store.published_figures import StoredFigure
from web.stats.selection import Choices, Selection
from web.stats.view import PublicFigures


def read_public_figures(runtime: Runtime, selection: Selection) -> PublicFigures:
    """What is public of the month, the permit type and the département of a selection."""
    with runtime.database.read() as connection:
        months = published_figures.months(connection)
        month = selection.month or (months[-1] if months else None)
        figures = published_figures.figures(connection, month=month) if month else []
        series = published_figures.figures(
            connection, department=selection.department, permit_type=selection.permit_type
        )
    return PublicFigures(
        months=months,
        labels=permit_labels(runtime),
        figures={(each.department, each.permit_type): each for each in figures},
        series={each.month: each for each in series},
    )


def read_figures(runtime: Runtime, selection: Selection) -> list[StoredFigure]:
    """The lines of a file: those of what was chosen, and all where nothing was."""
    kind, place = selection.permit_type, selection.department
    with runtime.database.read() as connection:
        found = published_figures.figures(
            connection,
            month=selection.month,
            department=None if place == ALL else place,
            permit_type=None if kind == ALL else kind,
        )
    return list(found)


def read_choices(runtime: Runtime) -> Choices:
    """What a visitor can choose."""
    with runtime.database.read() as connection:
        months = published_figures.months(connection)
        known = published_figures.permit_types(connection)
    return Choices(
        months=months,
        permit_types={*known, *permit_labels(runtime)} - {ALL, UNKNOWN},
        departments=departments().keys(),
    )


def permit_labels(runtime: Runtime) -> Mapping[str, str]:
    """The names of permit types by code, in the order of the rules in force."""
    digest = runtime.rule_sets.active()
    if digest is None:
        return {}
    return {kind.code: kind.label for kind in runtime.rule_sets.get(digest).permit_types}
