"""Every check between entries, in its order."""

from config.checks import (
    channels,
    codes,
    escalation,
    examples,
    mailboxes,
    notify,
    permit_types,
    procedures,
    rules,
    separators,
    units,
)
from config.loader import Configuration

CHECKS = (
    codes.check,
    units.check,
    mailboxes.check,
    channels.check,
    procedures.check,
    permit_types.check,
    separators.check,
    rules.check,
    notify.check,
    escalation.check,
    examples.check,
)


def check(configuration: Configuration) -> None:
    """Adds every mistake between entries to the configuration's.

    Each check adds what it finds before the next one runs: proofs and examples are only
    worth their while, and only true, where what they rest on is right.
    """
    for one in CHECKS:
        configuration.add(one(configuration))
