"""Reminders: what waits for a decision beyond its working days, in one mail a unit and day.

Each working day on which a dossier still waits has its own row of the outbox, whose uniqueness
makes the reminder of that day once, however often and by however many processes this runs.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from config.settings import Settings
from routing.assignment import Event, Notification
from routing.calendar import paris_day
from routing.office_days import is_working_day, working_days_between, zone_of
from routing.ruleset import RuleSet
from routing.units import Unit
from service.runtime import Runtime
from store import deliveries
from store.audit.log import AuditEntry, Step
from store.deliveries import Order
from store.dossiers import BACKLOG
from store.waiting_dossiers import WaitingDossier, read_waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderTerms:
    """When whom is reminded.

    Attributes:
        after: working days after which the unit itself is.
        escalate_after: working days after which another unit is, too; None: never.
        escalate_to: code of that unit, for units that do not name their own.
        at: time of the day, by the clock of each unit.
    """

    after: int
    escalate_after: int | None
    escalate_to: str
    at: time


def terms_of(settings: Settings, rules: RuleSet) -> ReminderTerms | None:
    """The terms of the settings; None when nobody is to be reminded."""
    if settings.remind_after is None:
        return None
    return ReminderTerms(
        after=settings.remind_after,
        escalate_after=settings.escalate_after,
        escalate_to=settings.escalate_to or rules.fallback,
        at=time.fromisoformat(settings.remind_at),
    )


def units_without_mailbox(rules: RuleSet, today: date) -> list[str]:
    """Codes of the units, not closed on `today`, that no reminder reaches: reminders are mails."""
    return sorted(
        unit.code
        for unit in rules.units.values()
        if not unit.closed_on(today) and not unit.carriers
    )


def queue_reminders(runtime: Runtime) -> int:
    """Queue what is due today; returns how many reminders are in the outbox for today.

    Nothing is queued for a unit before its hour, nor on a day on which it does not work. What
    was decided meanwhile is not read any more, and so no longer reminded of.
    """
    rules = runtime.rules()
    terms = terms_of(runtime.settings, rules)
    if terms is None:
        return 0
    now = runtime.clock()
    with runtime.database.begin() as connection:
        waiting = read_waiting(connection, filed_before=now - timedelta(days=terms.after))
        orders = list(dict.fromkeys(due_today(waiting, rules, terms, now)))
        new = deliveries.queue_new(connection, orders, now)
        runtime.audit.append(connection, now, map(_queued, new))
    return len(orders)


def _queued(order: Order) -> AuditEntry:
    return AuditEntry(
        step=Step.QUEUED,
        procedure=order.procedure,
        number=order.number,
        event=order.notification.event.value,
        unit=order.notification.unit,
        channel=order.channel,
    )


def due_today(
    waiting: Iterable[WaitingDossier], rules: RuleSet, terms: ReminderTerms, now: datetime
) -> Iterator[Order]:
    """The reminders of today: of each dossier to its units, and to whom it is escalated."""
    for dossier in waiting:
        for code in dossier.units:
            unit = rules.units.get(code)
            if unit is None:
                continue
            passed = working_days_between(dossier.filed_at, now, unit.place)
            if passed >= terms.after:
                yield from _orders(dossier, unit, terms, now)
            if terms.escalate_after is not None and passed >= terms.escalate_after:
                other = escalated_to(unit, rules, terms, now)
                if other is not None:
                    yield from _orders(dossier, other, terms, now)


def escalated_to(unit: Unit, rules: RuleSet, terms: ReminderTerms, now: datetime) -> Unit | None:
    """Who is told of what waits too long at a unit: whom it names, or the same as for all.

    None when that is the unit itself, as for the fallback unit or the successor of its region:
    its own reminder is all then.
    """
    today = paris_day(now)
    # The configuration is refused when the fallback unit is ever closed.
    for code in (unit.escalate_to, terms.escalate_to, rules.fallback):
        if (found := rules.in_office(code, today)) is not None:
            return None if found.code == unit.code else found
    return None


def _orders(
    dossier: WaitingDossier, unit: Unit, terms: ReminderTerms, now: datetime
) -> Iterator[Order]:
    local = now.astimezone(zone_of(unit.place))
    if local.time() < terms.at or not is_working_day(local.date(), unit.place):
        return
    for channel in unit.carriers:
        yield Order(
            procedure=dossier.procedure,
            number=dossier.number,
            notification=Notification(Event.LATE, unit.code),
            channel=channel,
            # A day of reminders is one row: the same dossier is not in two of its messages.
            assignment=local.date().toordinal(),
            lane=int(BACKLOG),
            digest_at=now,
        )
