"""Escalation: a unit that is reminded of what waits at another one can be reached."""

from collections.abc import Iterator

from config.diagnostics import Code, Diagnostic
from config.loader import Configuration, Located
from config.messages import tr
from config.schema import UnitEntry
from connectors.channels import CHANNELS


def check(configuration: Configuration) -> Iterator[Diagnostic]:
    """What is wrong with `escalate_to`."""
    units = {unit.entry.code: unit.entry for unit in configuration.units}
    for unit in configuration.units:
        told = units.get(unit.entry.escalate_to or "")
        if told is not None:
            yield from _unreachable(unit, told)


def _unreachable(unit: Located[UnitEntry], told: UnitEntry) -> Iterator[Diagnostic]:
    at = ["escalate_to"]
    if told.code == unit.entry.code:
        yield unit.mistake(
            Code.ESCALATES_TO_NOBODY,
            at,
            tr("is the unit itself, which is reminded anyway"),
            tr("name the unit of its region, or leave it out"),
        )
    elif not any(CHANNELS[each.kind].carries_many for each in told.channels):
        yield unit.mistake(
            Code.ESCALATES_TO_NOBODY,
            at,
            tr("has no mailbox, and reminders are mails"),
            tr("add `- mail: …` to its channels"),
        )
    elif told.closes is not None and told.successor is None:
        yield unit.mistake(
            Code.CLOSED_UNIT_TARGETED,
            at,
            tr("closes on {day} and has no successor", day=told.closes),
            tr("name its successor, or another unit here"),
        )
