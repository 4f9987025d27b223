"""Writing back to TPS: of which procedures dossiers are moved, and whether their groups fit."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from config.settings import Settings
from connectors.tps.groups import Group, named
from routing.ruleset import RuleSet
from routing.units import GROUP_CHANNEL
from service.connections import Connections
from service.tps import write_port


def followed_procedures(settings: Settings, rules: RuleSet) -> frozenset[int]:
    """Ids of the procedures whose dossiers are moved, in TPS, to the group of their unit.

    None while the setting is off; none that is read by a version that can change nothing.
    """
    if not settings.tps_write_back:
        return frozenset()
    by_default = settings.tps_api
    return frozenset(
        number for number, form in rules.forms.items() if (form.api or by_default).writes
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The groups of units beside those that a procedure has.

    Attributes:
        procedure: its id.
        grouped: whether it has several groups; one that has not is not followed.
        missing: the label of each unit, by its code, that none of its groups has, or several have.
        unmapped: numbers of its groups that no unit names.
    """

    procedure: int
    grouped: bool
    missing: Mapping[str, str]
    unmapped: tuple[int, ...]


def labels_of(rules: RuleSet) -> Mapping[str, str]:
    """The label of the group of each unit that has one, by its code."""
    return {
        unit.code: channel.address
        for unit in rules.units.values()
        for channel in unit.channels
        if channel.kind == GROUP_CHANNEL
    }


def compare_groups(
    runtime: Connections, procedures: Iterable[int], labels: Mapping[str, str]
) -> Iterator[Comparison]:
    """Compare the groups of units with those of each procedure in TPS: a request a procedure.

    Args:
        runtime: of this process.
        procedures: their ids.
        labels: of units, by code.

    Raises:
        Failure: the groups of a procedure cannot be told.
        SettingsError: there is no address or no token.
    """
    with write_port(runtime.settings) as tps:
        for procedure in procedures:
            runtime.write_throttle.take()
            yield _compared(procedure, tps.groups(procedure), labels)


def _compared(procedure: int, groups: tuple[Group, ...], labels: Mapping[str, str]) -> Comparison:
    found = {code: named(groups, label) for code, label in labels.items()}
    taken = {group.number for group in found.values() if group is not None}
    return Comparison(
        procedure=procedure,
        grouped=len(groups) > 1,
        missing={code: labels[code] for code, group in found.items() if group is None},
        unmapped=tuple(group.number for group in groups if group.number not in taken),
    )
