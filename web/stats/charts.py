"""The geometry of the two bar charts, in units of the drawing."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log10

WIDTH = 360
"""Of both drawings: as wide as a phone, so that letters stay readable on one."""

HEIGHT = 190
_LEFT, _TOP, _BOTTOM = 38, 16, 158
"""The frame of the columns: room for numbers at the left, for months below."""

ROW = 36
_BAR = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A month in the first chart; `height` is None where its number is not published."""

    x: float
    y: float
    width: float
    height: float | None
    label: str
    tip: str
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A line across a chart and the number that stands beside it."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnChart:
    """Columns over their axis."""

    columns: Sequence[Column]
    ticks: Sequence[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    bottom: int = _BOTTOM


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A line of the second chart: a name above two bars, each None where not published."""

    y: float
    label: str
    median: float | None
    p90: float | None
    tip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BarChart:
    """Bars from the left, with a line at the target."""

    bars: Sequence[Bar]
    ticks: Sequence[Tick]
    target: float
    height: int
    width: int = WIDTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What a column shows."""

    value: int | None
    label: str
    tip: str
    current: bool


def column_chart(points: Sequence[Point]) -> ColumnChart:
    """Columns for `points`, from left to right."""
    top = nice_top(max((point.value or 0 for point in points), default=0))
    scale = (_BOTTOM - _TOP) / top
    step = (WIDTH - _LEFT) / max(1, len(points))
    columns = [
        Column(
            x=round(_LEFT + step * (at + 0.12), 1),
            y=round(_BOTTOM - scale * (point.value or 0), 1),
            width=round(step * 0.76, 1),
            height=None if point.value is None else round(scale * point.value, 1),
            label=point.label,
            tip=point.tip,
            current=point.current,
        )
        for at, point in enumerate(points)
    ]
    ticks = [
        Tick(at=round(_BOTTOM - scale * value, 1), label=_short(value))
        for value in (0, top // 2, top)
    ]
    return ColumnChart(columns=columns, ticks=ticks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What a line of the second chart shows, in working days."""

    label: str
    median: int | None
    p90: int | None
    tip: str


def bar_chart(spans: Sequence[Span], *, target: int) -> BarChart:
    """Bars for `spans`, from top to bottom."""
    longest = max((max(span.median or 0, span.p90 or 0) for span in spans), default=0)
    top = nice_top(max(longest, 2 * target))
    scale = (WIDTH - 24) / top
    bars = [
        Bar(
            y=at * ROW + _BAR,
            label=span.label,
            median=None if span.median is None else round(scale * span.median, 1),
            p90=None if span.p90 is None else round(scale * span.p90, 1),
            tip=span.tip,
        )
        for at, span in enumerate(spans)
    ]
    ticks = [
        Tick(at=round(scale * value, 1), label=str(value))
        for value in sorted({0, target, top // 2, top})
    ]
    return BarChart(
        bars=bars, ticks=ticks, target=round(scale * target, 1), height=len(spans) * ROW + 22
    )


def nice_top(largest: int) -> int:
    """The end of an axis: the next of 10, 20, 40, 60, 100, 200 …"""
    if largest <= 10:  # noqa: PLR2004
        return 10
    unit: int = 10 ** int(log10(largest))
    return next(step * unit for step in (1, 2, 4, 6, 10) if step * unit >= ceil(largest))


def _short(value: int) -> str:
    """A number for an axis: `12 k` for thousands."""
    return f"{value // 1000}\u202fk" if value >= 1000 and value % 1000 == 0 else str(value)  # noqa: PLR2004
