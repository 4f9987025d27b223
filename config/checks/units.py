"""Units: codes and names that agree with what they serve, and nobody left without an office."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache

from config.diagnostics import Code, Diagnostic
from config.loader import Configuration, Located
from config.messages import tr
from config.schema import UnitEntry
from config.values import labelled, unit_code
from routing.territory import departments
from routing.text import normalise

Unit = Located[UnitEntry]

_CODE = re.compile(r"UD(?:0([0-9]{2}|2[AB])|(9[78][0-9])|([0-9]{3}))")
LONGEST_SUCCESSION = 20
"""Units that may follow each other until one is open."""

_NOT_LETTERS = re.compile(r"[^a-z0-9]+")


def check(configuration: Configuration) -> Iterator[Diagnostic]:
    """Everything that is wrong among the units."""
    by_code = {unit.entry.code: unit for unit in configuration.units}
    for unit in configuration.units:
        yield from _repeated(unit)
        yield from _code(unit)
        yield from _name(unit)
        yield from _successor(unit, by_code)
    yield from _served_twice(configuration)
    yield from _left_alone(configuration)
    yield from _fallback(configuration, by_code)


def overlap(one: UnitEntry, other: UnitEntry) -> bool:
    """Whether there is a day on which both are open."""
    begins = max(one.opens or date.min, other.opens or date.min)
    return begins < min(one.closes or date.max, other.closes or date.max)


def is_open(unit: UnitEntry, day: date) -> bool:
    """Whether the unit takes dossiers on `day`."""
    return (unit.opens or date.min) <= day < (unit.closes or date.max)


def _repeated(unit: Unit) -> Iterator[Diagnostic]:
    """A département that is written in two ways, and a list that was emptied."""
    served = unit.entry.departments
    if not served and "departments" in getattr(unit.node, "values", {}):
        proposal = tr("name one, or remove the key if the unit serves none")
        yield unit.mistake(Code.EMPTY_VALUE, ["departments"], tr("is empty"), proposal)
    for code in dict.fromkeys(each for each in served if served.count(each) > 1):
        message = tr("lists {place} twice", place=labelled(code))
        yield unit.mistake(Code.TWICE, ["departments"], message, tr("remove one"), value=code)


def _code(unit: Unit) -> Iterator[Diagnostic]:
    """`UD063` serves 63, and is not written `UD63`."""
    match = _CODE.fullmatch(unit.entry.code)
    code = next(filter(None, match.groups()), None) if match else None
    if (meant := unit_code(unit.entry.code)) != unit.entry.code:
        message = tr("lacks the département on three characters")
        yield unit.mistake(
            Code.WRONG_VALUE, ["code"], message, tr("write `{choice}`", choice=meant)
        )
    if code is None or not unit.entry.departments or code in unit.entry.departments:
        return
    served = ", ".join(map(labelled, unit.entry.departments))
    meant = f"UD{unit.entry.departments[0].zfill(3)}"
    yield unit.mistake(
        Code.UNIT_CODE_DISAGREES,
        ["code"],
        tr("serves {served}, which its code does not say", served=served),
        tr("write `{meant}`, or correct `departments`", meant=meant),
    )


def _name(unit: Unit) -> Iterator[Diagnostic]:
    """A unit of one département is not named after another one."""
    served = unit.entry.departments
    named = _departments_in(unit.entry.name)
    if len(served) == 1 and named and served[0] not in named:
        yield unit.mistake(
            Code.UNIT_NAME_DISAGREES,
            ["name"],
            tr(
                "names {place}, but the unit serves {served}",
                place=labelled(named[0]),
                served=labelled(served[0]),
            ),
            tr("correct the name or `departments`"),
        )


def _departments_in(text: str) -> list[str]:
    """The départements that a text names; `Haute-Savoie` does not name Savoie."""
    rest = f" {_NOT_LETTERS.sub(' ', normalise(text))} "
    found = []
    for key, code in _names():
        if key in rest:
            found.append(code)
            rest = rest.replace(key, " ")
    return found


@lru_cache(maxsize=1)
def _names() -> list[tuple[str, str]]:
    """Names of départements between blanks, the longest first."""
    keys = [
        (f" {_NOT_LETTERS.sub(' ', normalise(department.name))} ", department.code)
        for department in departments().values()
    ]
    return sorted(keys, key=lambda pair: -len(pair[0]))


def _successor(unit: Unit, by_code: Mapping[str, Unit]) -> Iterator[Diagnostic]:
    """The successor is open on the day on which the unit closes."""
    day, path = unit.entry.closes, [unit.entry.code]
    follower = by_code.get(unit.entry.successor or "")
    if day is None or follower is None:
        return
    while not is_open(follower.entry, day):
        path.append(follower.entry.code)
        following = follower.entry.successor or ""
        if len(path) > LONGEST_SUCCESSION:
            message = tr("leads through more than {most} units", most=LONGEST_SUCCESSION)
            yield unit.mistake(Code.SUCCESSOR_LOOP, ["successor"], message)
            return
        if following in path:
            loop = " → ".join([*path, following])
            yield unit.mistake(
                Code.SUCCESSOR_LOOP, ["successor"], tr("leads back: {loop}", loop=loop)
            )
            return
        if following not in by_code:
            message = tr("is not open on {day}, when {code} closes", day=day, code=unit.entry.code)
            yield unit.mistake(Code.SUCCESSOR_CLOSED, ["successor"], message)
            return
        follower = by_code[following]


def _served_twice(configuration: Configuration) -> Iterator[Diagnostic]:
    serving: dict[str, list[Unit]] = defaultdict(list)
    for unit in configuration.units:
        for department in sorted(set(unit.entry.departments)):
            others = serving[department]
            one = next((each for each in others if overlap(each.entry, unit.entry)), None)
            if one is None:
                others.append(unit)
                continue
            yield unit.mistake(
                Code.DEPARTMENT_SERVED_TWICE,
                ["departments"],
                tr(
                    "is served by {code} (line {line}) as well, at the same time",
                    code=one.entry.code,
                    line=one.node.line,
                ),
                tr("give it to one of them, or give them dates that do not overlap"),
                value=department,
            )


def _left_alone(configuration: Configuration) -> Iterator[Diagnostic]:
    """Départements whose unit closes with nobody to follow."""
    serving: dict[str, list[UnitEntry]] = defaultdict(list)
    for unit in configuration.units:
        for department in unit.entry.departments:
            serving[department].append(unit.entry)
    for unit in configuration.units:
        day = unit.entry.closes
        if day is None or unit.entry.successor is not None:
            continue
        alone = [
            department
            for department in unit.entry.departments
            if not any(is_open(other, day) for other in serving[department])
        ]
        if alone:
            names = ", ".join(map(labelled, alone))
            yield unit.mistake(
                Code.DEPARTMENT_NOT_SERVED,
                ["closes"],
                tr("leaves nobody to serve {names} from that day on", names=names),
                tr("name a `successor`; the fallback unit can be one"),
            )


def _fallback(configuration: Configuration, by_code: Mapping[str, Unit]) -> Iterator[Diagnostic]:
    unit = by_code.get(configuration.fallback or "")
    if unit is not None and (unit.entry.opens or unit.entry.closes):
        yield unit.mistake(
            Code.FALLBACK_NOT_ALWAYS_OPEN,
            ["opens" if unit.entry.opens else "closes"],
            tr("{code} is the fallback and must always be open", code=unit.entry.code),
            tr("remove the date, or name another `fallback` in routing.yaml"),
        )
