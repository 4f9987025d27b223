"""How long a decision takes, however many rules there are.

The same rules and the same dossiers are put to the compiled rule set, to a loop that
tries one rule after the other, and to a general rule engine.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice, product
from random import Random
from statistics import median

import rule_engine

from benchmarks.result import Figure, Result
from config import settings
from config.ruleset import load_directory
from routing.conditions import AllOf, Attribute, OneOf
from routing.facts import DepartmentSource, DossierState, Facts, Filer
from routing.ruleset import Rule, RuleSet
from routing.territory import departments

TODAY = date(2026, 11, 23)
GOALS = {100: 10.0, 10_000: 12.0}
"""Microseconds for a decision, by the number of rules."""

REPEATS = 7

Choice = tuple[str, str, Filer, DossierState]


def run() -> Result:
    """Both numbers of rules."""
    figures: list[Figure] = []
    for count, goal in GOALS.items():
        figures += _compared(count, goal)
    hundred, many = (figures[at].value for at in (0, 3))
    figures.append(Figure(name="10,000 rules over 100 rules", value=many / hundred, unit="x"))
    return Result("decision", figures)


def _compared(count: int, goal: float) -> list[Figure]:
    choices = _choices(count)
    facts = _facts(choices, 2_000)
    rules = _rule_set(choices)
    ours = _each(lambda each: rules.decide(each, TODAY), facts)
    few = facts[: max(20, 20_000 // count)]
    plain = _each(_loop(choices), few)
    general = _each(_engine(choices), few[: max(5, 2_000 // count)])
    label = f"{count:,} rules"
    return [
        Figure(name=f"{label}: a decision", value=ours, unit="µs", goal=goal),
        Figure(name=f"{label}: over a first-match loop", value=ours / plain, unit="x"),
        Figure(name=f"{label}: over rule-engine", value=ours / general, unit="x"),
    ]


def _choices(count: int) -> list[Choice]:
    """What each rule chooses; no two choose the same."""
    types = [permit.code for permit in load_directory(settings.HERE).permit_types]
    every = list(product(types, departments(), Filer, DossierState))
    Random(1).shuffle(every)
    return list(islice(every, count))


def _rule_set(choices: Sequence[Choice]) -> RuleSet:
    shipped = load_directory(settings.HERE)
    return RuleSet(
        hash="0" * 64,
        units=shipped.units,
        forms=shipped.forms,
        permit_types=shipped.permit_types,
        rules=tuple(_rule(at, choice) for at, choice in enumerate(choices)),
        fallback=shipped.fallback,
    )


def _rule(at: int, choice: Choice) -> Rule:
    chosen = zip(
        (Attribute.PERMIT_TYPE, Attribute.DEPARTMENT, Attribute.FILER, Attribute.STATE),
        choice,
        strict=True,
    )
    when = AllOf(tuple(OneOf(attribute, frozenset({value})) for attribute, value in chosen))
    return Rule(id=f"rule-{at}", why="Essai.", when=when)


def _facts(choices: Sequence[Choice], count: int) -> list[Facts]:
    """Dossiers that some rule matches, evenly spread over the rules."""
    filed = datetime(2026, 11, 1, 8, tzinfo=UTC)
    random = Random(2)
    found = []
    for number in range(count):
        permit_type, department, filer, state = random.choice(choices)
        found.append(
            Facts(
                procedure=13760,
                number=1_000_000 + number,
                state=state,
                filed_at=filed + timedelta(minutes=number),
                changed_at=filed + timedelta(minutes=number),
                permit_type=permit_type,
                department=department,
                department_source=DepartmentSource.RESIDENCE_PERMIT,
                filer=filer,
            )
        )
    return found


def _loop(choices: Sequence[Choice]) -> Callable[[Facts], object]:
    sets = [tuple(frozenset({value}) for value in choice) for choice in choices]

    def decide(facts: Facts) -> object:
        for at, (types, places, filers, states) in enumerate(sets):
            if (
                facts.permit_type in types
                and facts.department in places
                and facts.filer in filers
                and facts.state in states
            ):
                return at
        return None

    return decide


def _engine(choices: Sequence[Choice]) -> Callable[[Facts], object]:
    names = ("permit_type", "department", "filer", "state")
    rules = [
        rule_engine.Rule(
            " and ".join(
                f'{name} == "{value!s}"' for name, value in zip(names, choice, strict=True)
            )
        )
        for choice in choices
    ]

    def decide(facts: Facts) -> object:
        case = {name: str(getattr(facts, name)) for name in names}
        return next((at for at, rule in enumerate(rules) if rule.matches(case)), None)

    return decide


def _each(decide: Callable[[Facts], object], facts: Sequence[Facts]) -> float:
    """Microseconds of processor time for one, the median over the repeats."""
    taken = []
    for _ in range(REPEATS):
        started_at = time.process_time_ns()
        for each in facts:
            decide(each)
        taken.append((time.process_time_ns() - started_at) / len(facts) / 1000)
    return median(taken)
