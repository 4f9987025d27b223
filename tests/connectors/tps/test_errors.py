"""Errors say what to do and where, and can be carried from one process to another."""

import pickle

import pytest

from connectors.tps.errors import (
    FormChanged,
    GiveUpOnDossier,
    MalformedReason,
    MalformedResponse,
    Operation,
    RequestContext,
    RetryLater,
    StopProcedure,
    TpsFailure,
    failure,
    malformed,
)
from routing.failures import TABLE, Action, Cause
from routing.form_fields import FieldMismatch
from routing.forms import Field

CAUSES = [
    cause
    for cause in Cause
    if cause.name.startswith("TPS_") and cause is not Cause.TPS_FORM_CHANGED
]
"""All but the one that needs to know which field."""

READ = RequestContext(Operation.READ, 3272, 4501)
LIST = RequestContext(Operation.LIST, 3272)

CLASSES: dict[Action, type[TpsFailure]] = {
    Action.RETRY: RetryLater,
    Action.THROTTLED: RetryLater,
    Action.PERMANENT: GiveUpOnDossier,
    Action.STOP_PROCEDURE: StopProcedure,
}


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_has_the_class_that_says_what_to_do(cause: Cause) -> None:
    error = failure(cause, READ, status=599, retry_after=1.5)
    if cause in {Cause.TPS_MALFORMED, Cause.TPS_OVERSIZED}:
        assert isinstance(error, MalformedResponse)
    else:
        assert type(error) is CLASSES[TABLE[cause].action]
        assert error.retry_after == 1.5
    assert error.action is TABLE[cause].action


def test_a_form_that_changed_pauses_its_procedure_and_names_the_field() -> None:
    error = FormChanged(LIST, Field.CONTRACT_TYPE, FieldMismatch.MISSING)
    assert error.action is Action.PAUSE_PROCEDURE
    assert error.reason == "tps-form-changed:contract_type"
    assert pickle.loads(pickle.dumps(error)).reason == error.reason  # noqa: S301 - our own bytes


@pytest.mark.parametrize("cause", [Cause.TPS_NOT_FOUND, Cause.TPS_REJECTED])
def test_a_refused_list_stops_its_procedure(cause: Cause) -> None:
    error = failure(cause, LIST, status=404)
    assert isinstance(error, StopProcedure)
    assert error.action is Action.STOP_PROCEDURE


def test_the_text_is_cause_status_and_place() -> None:
    assert str(failure(Cause.TPS_UNAVAILABLE, READ, status=503)) == (
        "tps-unavailable (503): read dossier 3272/4501"
    )
    assert str(failure(Cause.TPS_TIMEOUT, LIST)) == "tps-timeout: list dossiers of procedure 3272"
    assert (
        str(malformed(MalformedReason.STATE, READ))
        == "tps-malformed: read dossier 3272/4501: state"
    )


@pytest.mark.parametrize(
    "error",
    [
        failure(Cause.TPS_THROTTLED, READ, status=429, retry_after=30.0),
        failure(Cause.TPS_NOT_FOUND, LIST, status=404),
        failure(Cause.TPS_OVERSIZED, READ),
        malformed(MalformedReason.FIELDS, READ),
    ],
)
def test_an_error_survives_a_pickle(error: TpsFailure) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own)
    assert type(again) is type(error)
    assert vars(again) == vars(error)
    assert str(again) == str(error)
