"""The map of France: shapes, insets for what is small or far away, and a shade for each value."""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from web.stats.wording import HIDDEN, place_name

SHADES = 5
WIDTH, HEIGHT = 613, 762
"""Of the drawing: metropolitan France, and two rows of insets below."""

_INSETS_FROM = 594
_INSET_STEP = 102
_INSET_ROW = 84
_PER_ROW = 6
_INNER_PARIS = (8, 12)
"""Where Paris and its neighbours are drawn a second time, in the sea."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A département: its outline, where it stands, its shade (0: not published) and its tip."""

    code: str
    path: str
    x: int = 0
    y: int = 0
    shade: int
    tip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """The whole drawing and its legend."""

    metropole: Sequence[Shape]
    inner_paris: Sequence[Shape]
    overseas: Sequence[Shape]
    legend: Sequence[tuple[int, str]]
    width: int = WIDTH
    height: int = HEIGHT


def draw(values: Mapping[str, float], say: Callable[[float], str]) -> Map:
    """The map of `values` by code of département.

    Args:
        values: those that are published.
        say: how a value is written.
    """
    limits = _limits(sorted(values.values()))

    def shape(code: str, path: str, x: int = 0, y: int = 0) -> Shape:
        value = values.get(code)
        return Shape(
            code=code,
            path=path,
            x=x,
            y=y,
            shade=0 if value is None else bisect_right(limits, value),
            tip=f"{place_name(code)} ({code}) : {HIDDEN if value is None else say(value)}",
        )

    shapes = _shapes()
    return Map(
        metropole=[shape(code, path) for code, path in shapes["metropole"].items()],
        inner_paris=[
            shape(code, path, *_INNER_PARIS) for code, path in shapes["inner_paris"].items()
        ],
        overseas=[shape(code, path, *place) for code, path, place in _insets()],
        legend=[*_legend(limits, sorted(values.values()), say)],
    )


def _limits(values: Sequence[float]) -> list[float]:
    """The lowest value of each shade: about as many départements in each."""
    distinct = sorted(set(values))
    if len(distinct) <= SHADES:
        return distinct
    return sorted({values[len(values) * at // SHADES] for at in range(SHADES)})


def _legend(
    limits: Sequence[float], values: Sequence[float], say: Callable[[float], str]
) -> Iterator[tuple[int, str]]:
    for shade, lowest in enumerate(limits, 1):
        highest = max(value for value in values if bisect_right(limits, value) == shade)
        between = say(lowest) if lowest == highest else f"de {say(lowest)} à {say(highest)}"
        yield shade, between
    yield 0, f"{HIDDEN} : secret statistique"


def _insets() -> Iterator[tuple[str, str, tuple[int, int]]]:
    for at, (code, path) in enumerate(_shapes()["overseas"].items()):
        row, column = divmod(at, _PER_ROW)
        yield code, path, (column * _INSET_STEP + 2, _INSETS_FROM + row * _INSET_ROW)


@cache
def _shapes() -> Mapping[str, Mapping[str, str]]:
    folder = files("web.stats.data")
    shapes: dict[str, dict[str, str]] = json.loads(folder.joinpath("map.json").read_bytes())
    return {**shapes, "overseas": json.loads(folder.joinpath("overseas.json").read_bytes())}
