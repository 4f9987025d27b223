"""What a claimed delivery says, in the words of the rule set in force, and where it goes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from config import logs
from connectors.notice import Notice, Office, Placement
from routing.assignment import Event
from routing.facts import Reason
from routing.failures import Cause, Failure
from routing.ruleset import RuleSet
from routing.territory import departments
from routing.units import Unit
from service.runtime import Runtime
from service.tps import dossier_url
from store.delivery_claims import ClaimedDelivery
from store.disabled_addresses import Disabled
from store.groups import Key, KnownPlace

log = logs.get_logger("tasks")


@dataclass(frozen=True, slots=True)
class Job:
    """A delivery that is ready to be made.

    Attributes:
        delivery: the claimed one.
        notice: what it says.
        address: where it goes, as the rules in force have it now.
    """

    delivery: ClaimedDelivery
    notice: Notice
    address: str


@dataclass(frozen=True, slots=True)
class Unmade:
    """A delivery that cannot be made, and why."""

    delivery: ClaimedDelivery
    failure: Failure


def prepare(
    runtime: Runtime,
    rules: RuleSet,
    delivery: ClaimedDelivery,
    disabled: Mapping[tuple[str, str], Disabled],
    places: Mapping[Key, KnownPlace],
) -> Job | Unmade:
    """What `delivery` says and where it goes, looked up now: an address may have changed."""
    unit = rules.units.get(delivery.unit)
    address = address_of(unit, delivery.channel)
    if unit is None or address is None:
        return Unmade(delivery, Failure(Cause.CHANNEL_MISSING))
    if (found := disabled.get((delivery.channel, delivery.unit))) is not None:
        return Unmade(delivery, Failure(Cause(found.reason)))
    try:
        describe = _digest if delivery.is_digest else _describe
        notice = describe(runtime, rules, delivery, unit)
        place = places.get((delivery.procedure, delivery.number))
        if place is not None:
            notice = replace(notice, placement=_placement(rules, delivery, place))
        return Job(delivery, notice, address)
    except Exception:
        # One delivery that our own code cannot describe must not keep the others.
        log.exception("delivery-failed", delivery=delivery.id)
        return Unmade(delivery, Failure(Cause.INTERNAL))


def address_of(unit: Unit | None, channel: str) -> str | None:
    """The address of a unit on a channel, None when it has no such channel."""
    if unit is None:
        return None
    return next((known.address for known in unit.channels if known.kind == channel), None)


def _placement(rules: RuleSet, delivery: ClaimedDelivery, place: KnownPlace) -> Placement:
    labels = [address_of(rules.units.get(unit), delivery.channel) for unit in place.begun]
    return Placement(
        current=place.assignment == delivery.assignment,
        known=place.group,
        begun=tuple(label for label in labels if label is not None),
    )


def _digest(runtime: Runtime, rules: RuleSet, delivery: ClaimedDelivery, unit: Unit) -> Notice:
    """A digest: what it carries, each as it would be told by itself."""
    told = tuple(_describe(runtime, rules, each, unit) for each in delivery.carried)
    oldest_first = tuple(sorted(told, key=lambda notice: notice.filed_at))
    return replace(
        oldest_first[0],
        event=delivery.event,
        procedure=0,
        number=0,
        key=delivery.key,
        counterpart=None,
        carried=oldest_first,
    )


def _describe(runtime: Runtime, rules: RuleSet, delivery: ClaimedDelivery, unit: Unit) -> Notice:
    labels = {permit.code: permit.label for permit in rules.permit_types}
    department = departments().get(delivery.department or "")
    form = rules.forms.get(delivery.procedure)
    return Notice(
        event=delivery.event,
        procedure=delivery.procedure,
        number=delivery.number,
        unit=unit.code,
        unit_name=unit.name,
        permit_type=delivery.permit_type,
        permit_label=labels.get(delivery.permit_type or ""),
        department=delivery.department,
        department_name=department.name if department else None,
        filed_at=_filed_at(delivery),
        rule_why=_why(runtime, delivery),
        reasons=tuple(Reason(code) for code in delivery.reasons),
        routed=not delivery.unrouted,
        counterpart=_office(rules, _counterpart(delivery)),
        dossier_url=dossier_url(runtime.settings, delivery.procedure, delivery.number),
        key=delivery.key,
        decided_at=delivery.created_at,
        form_name=form.name if form else None,
        moved_why=rules.reasons.get(delivery.pinned_reason or ""),
        contact=unit.contact or runtime.settings.contact,
        prefix=runtime.settings.subject_prefix,
    )


def _counterpart(delivery: ClaimedDelivery) -> str | None:
    """The other unit of a reassignment as it was planned, else the one that has the dossier."""
    if delivery.event in {Event.INFORMED, Event.LATE} and delivery.unit not in delivery.units:
        return next(iter(delivery.units), None)
    return delivery.counterpart


def _filed_at(delivery: ClaimedDelivery) -> datetime:
    if delivery.filed_at is None:
        raise LookupError("a delivery without a dossier that was read")
    return delivery.filed_at


def _why(runtime: Runtime, delivery: ClaimedDelivery) -> str | None:
    """The sentence of the rule that decided, in the rule set that decided."""
    if delivery.rule is None or delivery.ruleset is None:
        return None
    rule = runtime.rule_sets.get(delivery.ruleset).rule(delivery.rule)
    return rule.why if rule else None


def _office(rules: RuleSet, code: str | None) -> Office | None:
    if code is None:
        return None
    unit = rules.units.get(code)
    return Office(code, unit.name if unit else code)
