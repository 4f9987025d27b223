"""What `wif doctor` says of the groups of units in TPS."""

from collections.abc import Iterator, Sequence

from cli.command_error import CommandError
from config.messages import tr, trn
from service import publish_rules, write_back
from service.runtime import Runtime

SHOWN = 5
"""Groups that are named; of more it is said that there are more."""


def compare(runtime: Runtime, procedures: Sequence[int]) -> str:
    """What of the groups is as it should be.

    Raises:
        CommandError: a procedure lacks the group of a unit.
        Failure: TPS does not tell its groups.
    """
    rules = publish_rules.configured_rules(runtime.settings)
    labels = write_back.labels_of(rules)
    followed = write_back.followed_procedures(runtime.settings, rules)
    if not runtime.settings.tps_write_back or not labels:
        if labels:
            return tr("nothing is moved in TPS: WIF_TPS_WRITE_BACK is not true")
        return tr("nothing is moved in TPS: no unit has a `tps_group`")
    numbers = [number for number in procedures if number in followed]
    compared = list(write_back.compare_groups(runtime, numbers, labels))
    grouped = [each for each in compared if each.grouped]
    if missing := list(_missing(grouped)):
        more = " …" if len(missing) > SHOWN else ""
        raise CommandError(
            trn(
                "{n} group is missing: {shown}{more}",
                "{n} groups are missing: {shown}{more}",
                len(missing),
                shown=tr("; ").join(missing[:SHOWN]),
                more=more,
            )
        )
    unmapped = sum(len(each.unmapped) for each in grouped)
    return tr("; ").join(
        (
            trn(
                "{n} procedure has every group of `units.yaml`",
                "{n} procedures have every group of `units.yaml`",
                len(grouped),
            ),
            trn("{n} group that no unit names", "{n} groups that no unit names", unmapped),
            trn(
                "{n} procedure is not followed",
                "{n} procedures are not followed",
                len(procedures) - len(grouped),
            ),
        )
    )


def _missing(grouped: Sequence[write_back.Comparison]) -> Iterator[str]:
    for each in grouped:
        for unit, label in each.missing.items():
            yield tr(
                "{procedure} has no open group « {label} » ({unit})",
                procedure=each.procedure,
                label=label,
                unit=unit,
            )
