"""Everything that the public page says, as values: the template only writes it down."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from routing.territory import departments
from service.statistics.month import UNKNOWN
from service.statistics.suppression import ALL
from service.statistics.working_days import TARGET
from store.published_figures import StoredFigure
from web.stats import france, wording
from web.stats.charts import BarChart, ColumnChart, Point, Span, bar_chart, column_chart
from web.stats.france import Map
from web.stats.selection import Picture, Selection

MONTHS_SHOWN = 13
"""Months in the chart: the same month a year before is the first."""

PICTURES = {
    Picture.REQUESTS: "demandes déposées",
    Picture.MEDIAN: "délai médian, en jours ouvrés",
    Picture.LATE: "part des décisions au-delà de cinq jours ouvrés",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Something that can be chosen."""

    label: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of a table: a name, the link that chooses it, and what is said of it."""

    label: str
    url: str
    figure: StoredFigure
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFigures:
    """What is public, as far as a page needs it.

    Attributes:
        months: all that are public, in order.
        labels: of permit types by code.
        figures: of the month that is shown, by département and permit type.
        series: of the département and permit type that are shown, by month.
    """

    months: Sequence[date]
    labels: Mapping[str, str]
    figures: Mapping[tuple[str, str], StoredFigure]
    series: Mapping[date, StoredFigure]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The page.

    Attributes:
        timed: whether durations are published of what was chosen: not of a permit type within
            a département.
    """

    selection: Selection
    month: date
    what: str
    where: str
    timed: bool
    figure: StoredFigure
    months: Sequence[Link]
    permit_types: Sequence[Link]
    departments: Sequence[Link]
    earlier: Link | None
    later: Link | None
    columns: ColumnChart
    series: Sequence[Row]
    bars: BarChart
    by_type: Sequence[Row]
    types_timed: bool
    france: Map
    pictures: Sequence[Link]
    picture: str
    by_department: Sequence[Row]
    departments_timed: bool
    hidden_departments: int


def view(public: PublicFigures, selection: Selection) -> View:
    """The page of a selection. There is at least one month."""
    month = selection.month or public.months[-1]
    kind, place = selection.permit_type, selection.department
    series = [*_series(public, selection, month)]
    by_type = [*_by_type(public, selection, month)]
    by_department = [*_by_department(public, selection)]
    picture = selection.picture if kind == ALL else Picture.REQUESTS
    at = public.months.index(month)
    months = [*_months(public.months, selection, month)]
    return View(
        selection=selection,
        month=month,
        what=wording.kind_name(kind, public.labels),
        where=wording.place_name(place),
        timed=ALL in {kind, place},
        figure=_figure(public, month, place, kind),
        months=months[::-1],
        permit_types=[*_permit_types(public, selection)],
        departments=[*_departments(selection)],
        earlier=months[at - 1] if at else None,
        later=months[at + 1] if at + 1 < len(months) else None,
        columns=column_chart([_point(row, month) for row in series]),
        series=series[::-1],
        bars=bar_chart([_span(row) for row in by_type], target=TARGET),
        by_type=by_type,
        types_timed=place == ALL,
        france=_map(by_department, picture),
        pictures=[*_pictures(selection, picture)],
        picture=PICTURES[picture],
        by_department=by_department,
        departments_timed=kind == ALL,
        hidden_departments=len(departments())
        - sum(row.figure.department != UNKNOWN for row in by_department),
    )


def _figure(public: PublicFigures, month: date, place: str, kind: str) -> StoredFigure:
    found = public.figures.get((place, kind))
    return found or StoredFigure(month=month, department=place, permit_type=kind)


def _series(public: PublicFigures, selection: Selection, month: date) -> Iterator[Row]:
    end = public.months.index(month) + 1
    for each in public.months[max(0, end - MONTHS_SHOWN) : end]:
        empty = StoredFigure(
            month=each, department=selection.department, permit_type=selection.permit_type
        )
        yield Row(
            label=wording.month_name(each),
            url=selection.choose(month=each).url(),
            figure=public.series.get(each, empty),
            current=each == month,
        )


def _by_type(public: PublicFigures, selection: Selection, month: date) -> Iterator[Row]:
    for kind in [ALL, *_kinds(public), UNKNOWN]:
        name = wording.kind_name(kind, public.labels)
        yield Row(
            label=name[0].upper() + name[1:],
            url="" if kind == UNKNOWN else selection.choose(permit_type=kind).url(),
            figure=_figure(public, month, selection.department, kind),
            current=kind == selection.permit_type,
        )


def _by_department(public: PublicFigures, selection: Selection) -> Iterator[Row]:
    """The départements of which something is published."""
    for place in [*departments(), UNKNOWN]:
        figure = public.figures.get((place, selection.permit_type))
        if figure is None:
            continue
        name = wording.place_name(place)
        yield Row(
            label=f"{place} {name}" if place else name[0].upper() + name[1:],
            url=selection.choose(department=place).url() if place else "",
            figure=figure,
            current=place == selection.department,
        )


def _kinds(public: PublicFigures) -> list[str]:
    """Permit types in the order of the rules, then those that the rules know no more."""
    others = {kind for _, kind in public.figures} - {ALL, UNKNOWN} - public.labels.keys()
    return [*public.labels, *sorted(others)]


def _months(months: Sequence[date], selection: Selection, month: date) -> Iterator[Link]:
    for each in months:
        url = selection.choose(month=each).url()
        yield Link(label=wording.month_name(each), url=url, current=each == month)


def _permit_types(public: PublicFigures, selection: Selection) -> Iterator[Link]:
    for kind in [ALL, *_kinds(public)]:
        name = wording.kind_name(kind, public.labels)
        yield Link(
            label=name[0].upper() + name[1:],
            url=selection.choose(permit_type=kind).url(),
            current=kind == selection.permit_type,
        )


def _departments(selection: Selection) -> Iterator[Link]:
    for place in [ALL, *departments()]:
        name = wording.place_name(place)
        yield Link(
            label=name[0].upper() + name[1:] if place == ALL else f"{place} {name}",
            url=selection.choose(department=place).url(),
            current=place == selection.department,
        )


def _pictures(selection: Selection, shown: Picture) -> Iterator[Link]:
    if selection.permit_type != ALL:
        return
    for picture, label in PICTURES.items():
        url = selection.choose(picture=picture).url() + "#carte"
        yield Link(label=label, url=url, current=picture is shown)


def _point(row: Row, month: date) -> Point:
    at = row.figure.month
    return Point(
        value=row.figure.requests,
        label=wording.SHORT_MONTHS[at.month - 1][0].upper(),
        tip=f"{row.label} : {wording.number(row.figure.requests)}",
        current=at == month,
    )


def _span(row: Row) -> Span:
    figure = row.figure
    return Span(
        label=row.label,
        median=figure.median,
        p90=figure.p90,
        tip=f"{row.label} : médiane {wording.days(figure.median)}, "
        f"neuf sur dix en {wording.days(figure.p90)}",
    )


def _map(rows: Sequence[Row], picture: Picture) -> Map:
    read, say = _PICTURED[picture]
    values = {row.figure.department: read(row.figure) for row in rows if row.figure.department}
    return france.draw({code: value for code, value in values.items() if value is not None}, say)


def _share(figure: StoredFigure) -> float | None:
    found = wording.share(figure.late, figure.decisions)
    return None if found is None else round(found)


_PICTURED: Mapping[
    Picture, tuple[Callable[[StoredFigure], float | None], Callable[[float], str]]
] = {
    Picture.REQUESTS: (lambda figure: figure.requests, lambda value: wording.number(int(value))),
    Picture.MEDIAN: (lambda figure: figure.median, lambda value: wording.number(int(value))),
    Picture.LATE: (_share, lambda value: f"{value:.0f}{wording.NO_BREAK}%"),
}
