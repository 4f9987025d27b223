"""A decision: which unit gets a dossier, by which rule of which rule set, and why."""

from dataclasses import dataclass

from routing.facts import Reason
from routing.units import Notify


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The outcome of routing one dossier's facts.

    Attributes:
        units: codes of the units that get the dossier; the fallback unit when unrouted.
        rule: id of the rule that matched, None when none did.
        ruleset: hash of the rule set that decided.
        facts: fingerprint of the facts decided on.
        reasons: why, as codes: those of the facts, then those of the decision.
        routed: False when the dossier went to the fallback unit for want of a competent one.
        inform: codes of the units that are told of it for information.
        notify: how the rule wants `units` to be told, None: as each of them is used to.
    """

    units: tuple[str, ...]
    rule: str | None
    ruleset: str
    facts: str
    reasons: tuple[Reason, ...]
    routed: bool
    inform: tuple[str, ...] = ()
    notify: Notify | None = None
