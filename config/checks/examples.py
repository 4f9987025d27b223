"""Examples: each rule decides its own as they say."""

from collections.abc import Iterator

from config.checks.rules import compiled
from config.diagnostics import Code, Diagnostic
from config.loader import Configuration, Located
from config.messages import tr
from config.schema import FILES, ExampleEntry, RuleEntry
from routing.case_classes import UNLISTED, Source, sources
from routing.conditions import Case
from routing.facts import Filer
from routing.ruleset import Outcome, RuleSet


def check(configuration: Configuration) -> Iterator[Diagnostic]:
    """The examples that come out otherwise; none where the rest is not sound."""
    if configuration.sound < set(FILES):
        return
    rules = compiled(configuration)
    for rule in configuration.rules:
        if rule.entry.id not in configuration.unreachable:
            for at, example in enumerate(rule.entry.examples):
                yield from _run(rules, rule, at, example)


def case_of(example: ExampleEntry, rules: RuleSet) -> Case:
    """The case that an example gives, completed as an ordinary dossier would be."""
    given = example.given
    procedure = given.procedure
    if procedure is None:
        procedure = _ordinary(rules, given.department, given.permit_type)
    form = rules.forms.get(procedure)
    return Case(
        permit_type=given.permit_type,
        department=given.department,
        procedure=procedure,
        filer=given.filer or (form.filer if form else Filer.UNKNOWN),
        state=given.state,
        filed_on=given.filed or example.decided,
        decided_on=example.decided,
    )


def _ordinary(rules: RuleSet, department: str | None, permit_type: str | None) -> int:
    """A procedure that brings in the permit type: the département's own, where it has one."""
    found = [source for source in sources(rules) if source.permit_type == permit_type]

    def own(source: Source) -> bool:
        form = rules.forms.get(source.procedure)
        return form is not None and form.department == department

    return next((s.procedure for s in sorted(found, key=own, reverse=True)), UNLISTED)


def _run(
    rules: RuleSet, rule: Located[RuleEntry], at: int, example: ExampleEntry
) -> Iterator[Diagnostic]:
    outcome = rules.outcome_of(case_of(example, rules))
    if outcome.rule != rule.entry.id:
        path, message = (
            "given",
            tr("is decided by {by}, not by `{id}`", by=_decider(outcome), id=rule.entry.id),
        )
    elif set(outcome.units) != set(example.unit):
        path, message = (
            "unit",
            tr(
                "goes to {units}, not to {names}",
                units=_receivers(outcome),
                names=", ".join(example.unit),
            ),
        )
    else:
        return
    yield rule.mistake(
        Code.EXAMPLE_WRONG, ["examples", at, path], message, tr("correct the example or the rule")
    )


def _decider(outcome: Outcome) -> str:
    return tr("the rule `{rule}`", rule=outcome.rule) if outcome.rule else tr("no rule")


def _receivers(outcome: Outcome) -> str:
    why = f" ({', '.join(outcome.reasons)})" if outcome.reasons else ""
    return ", ".join(outcome.units) + why
