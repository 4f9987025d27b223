"""What codes mean, in the language of the program: reasons of decisions and causes of failures."""

from config.messages import joined, mark, tr
from connectors.channel import SkipReason
from connectors.tps.errors import TpsFailure
from routing.facts import Reason
from routing.failures import TABLE, Failure

REASONS = {
    Reason.RESIDENCE_DIFFERS_FROM_FORM: mark(
        "the département of the residence permit is not that of the form; the permit decides"
    ),
    Reason.RESIDENCE_DIFFERS_FROM_PERMIT: mark(
        "the postal code of residence is in another département than the residence permit's"
    ),
    Reason.ESTABLISHMENT_DIFFERS_FROM_FORM: mark(
        "the employer's establishment is in another département than the form; it decides"
    ),
    Reason.DEPARTMENT_FROM_POSTAL_CODE: mark(
        "no département is given; it was found by the postal code"
    ),
    Reason.DEPARTMENT_LABEL_DISAGREES: mark("code and name of the département do not agree"),
    Reason.DEPARTMENT_MISSING: mark("the département that decides is not given"),
    Reason.DEPARTMENT_UNKNOWN: mark("there is no such département"),
    Reason.DEPARTMENT_ABROAD: mark("the place is abroad"),
    Reason.POSTAL_CODE_AMBIGUOUS: mark("several départements share the postal code"),
    Reason.POSTAL_CODE_UNKNOWN: mark("there is no such postal code"),
    Reason.PERMIT_TYPE_MISSING: mark("the permit type is not given"),
    Reason.PERMIT_TYPE_UNKNOWN: mark("the permit type is none of those that the rules know"),
    Reason.DEPARTMENT_NOT_SERVED: mark("no unit serves the département"),
    Reason.UNIT_CLOSED: mark("the unit that the rules name is closed"),
    Reason.SUCCESSOR_UNIT: mark("the unit is closed, and its successor gets the dossier"),
    Reason.NO_RULE_MATCHES: mark("no rule matches"),
    Reason.PINNED: mark("a person gave it to the unit"),
}
"""Why a dossier was decided as it was."""

SKIPPED = {
    SkipReason.CHOSEN: mark("a person chose another group in TPS: it stays"),
    SkipReason.UNGROUPED: mark(
        "the form has one group for all: there is nowhere to move a dossier to"
    ),
    SkipReason.SUPERSEDED: mark("the dossier has other units by now"),
    SkipReason.SWITCHED_OFF: mark("WIF_TPS_WRITE_BACK is not true"),
}
"""Why a delivery was left alone although nothing failed."""

_MEANINGS = {
    **{reason.value: meaning for reason, meaning in SKIPPED.items()},
    **{reason.value: meaning for reason, meaning in REASONS.items()},
    **{cause.value: verdict.meaning for cause, verdict in TABLE.items()},
}


def explained(code: str) -> str:
    """A code and what it means; the code alone where nothing is known of it."""
    meaning = _MEANINGS.get(code)
    return tr("{code}: {meaning}", code=code, meaning=tr(meaning)) if meaning else code


def failed(failure: Failure) -> str:
    """A call to the outside that failed: its code, what it means and what was asked."""
    status = f" ({failure.status})" if failure.status else ""
    said = tr(
        "{code}: {meaning}",
        code=f"{failure.cause}{status}",
        meaning=tr(TABLE[failure.cause].meaning),
    )
    if not isinstance(failure, TpsFailure):
        return said
    place = failure.place
    about = f"{place.procedure}" if place.number is None else f"{place.procedure}/{place.number}"
    detail = str(failure).partition(str(place))[2]
    return joined((said, " (", tr(place.operation.value), f" {about}{detail})"), "")
