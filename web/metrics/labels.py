"""What may stand in a label: codes that are known beforehand, and one word for all others."""

import re
from collections.abc import Callable, Mapping

from connectors.channels import CHANNELS
from routing.failures import Cause
from routing.incidents import IncidentKind
from routing.ruleset import RuleSet
from routing.territory import departments
from service import queues
from service.guards.breakers import Kind
from store.deliveries import DeliveryState
from store.dossiers import DossierStatus
from store.procedures import ProcedureStatus
from web.hints import counts
from web.metrics.families import Label

NONE = "none"
"""Stands where nothing is known, or nothing applies."""

OTHER = "other"
"""Stands for a value that is not known beforehand: no text gets out by a label."""

PARTS = frozenset({"beat", *queues.ALL})

WAITING = ("unread", "unsent", "unrouted", "quarantined")
EVENTS = ("retried", "lost", "replayed")

_CAUSES = frozenset(cause.value for cause in Cause)

Check = Callable[[str, RuleSet | None], bool]


def _one_of(*values: str) -> Check:
    known = frozenset(values)
    return lambda value, _rules: value in known


def _pattern(expression: str) -> Check:
    form = re.compile(expression, re.ASCII)
    return lambda value, _rules: form.fullmatch(value) is not None


def _either(one: Check, other: Check) -> Check:
    return lambda value, rules: one(value, rules) or other(value, rules)


def _is_procedure(value: str, rules: RuleSet | None) -> bool:
    return rules is not None and value.isdecimal() and int(value) in rules.forms


def _is_permit_type(value: str, rules: RuleSet | None) -> bool:
    return rules is not None and value in {each.code for each in rules.permit_types}


CHECKS: Mapping[Label, Check] = {
    Label.PROCEDURE: _is_procedure,
    Label.PERMIT_TYPE: _is_permit_type,
    Label.DEPARTMENT: lambda value, _rules: value in departments(),
    Label.CHANNEL: _one_of(*CHANNELS),
    Label.OUTCOME: _one_of(
        *(status.value for status in DossierStatus),
        *(state.value for state in DeliveryState),
        "unrouted",
        *EVENTS,
        *(outcome.value for outcome in counts.Outcome),
    ),
    Label.STATUS: _either(
        _one_of(*(status.value for status in ProcedureStatus), *_CAUSES), _pattern(r"[1-5][0-9]{2}")
    ),
    Label.CAUSE: _one_of(*_CAUSES),
    Label.KIND: _one_of(
        *(kind.value for kind in IncidentKind),
        *(kind.value for kind in Kind),
        *(kind.value for kind in counts.Kind),
    ),
    Label.WHAT: _one_of(*WAITING),
    Label.PART: _one_of(*PARTS),
    Label.VERSION: _pattern(r"[0-9]+(\.[0-9]+){0,3}"),
    Label.RULE_SET: _pattern(r"[0-9a-f]{12}"),
}


def shown(label: Label, value: str, rules: RuleSet | None) -> str:
    """`value` as the label shows it."""
    if not value:
        return NONE
    return value if CHECKS[label](value, rules) else OTHER
