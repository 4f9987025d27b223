"""What a call to TPS can end in, by what is done next.

The text of an error is its cause, TPS's status and the place: an operation and
numbers. It never holds a URL, a token or anything that TPS answered.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from routing.failures import TABLE, Action, Cause, Failure
from routing.form_fields import FieldMismatch
from routing.forms import Field


class Operation(StrEnum):
    """What was asked of TPS."""

    LIST = "list dossiers of procedure"
    READ = "read dossier"
    LOOK_UP = "look up procedure"
    WEBHOOKS = "manage webhooks of procedure"
    GROUPS = "list groups of procedure"
    MOVE = "move dossier"


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Where a call failed, in numbers.

    Attributes:
        operation: what was asked.
        procedure: id of the procedure that was asked about.
        number: number of the dossier, None where none was asked about.
    """

    operation: Operation
    procedure: int
    number: int | None = None

    def __str__(self) -> str:
        about = f"{self.procedure}" if self.number is None else f"{self.procedure}/{self.number}"
        return f"{self.operation.value} {about}"


class MalformedReason(StrEnum):
    """Which promise of the protocol an answer broke. Names of keys, never their values."""

    ROOT = "root"
    DOSSIER = "dossier"
    NUMBER = "id"
    STATE = "state"
    FILED_AT = "initiated_at"
    ESTABLISHMENT = "etablissement"
    FIELDS = "champs"
    FIELD = "type_de_champ"
    VALUE = "value"
    DOSSIERS = "dossiers"
    PAGINATION = "pagination"
    DATA = "data"
    PROCEDURE = "demarche"
    REVISION = "revision"
    GROUP = "groupeInstructeur"
    UNFORESEEN = "unforeseen"


class TpsFailure(Failure):
    """A call to TPS that failed.

    Attributes:
        place: what was asked, and about which dossier or procedure.
    """

    def __init__(
        self,
        cause: Cause,
        place: RequestContext,
        *,
        retry_after: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(cause, retry_after=retry_after, status=status)
        self.place = place

    def __str__(self) -> str:
        return f"{super().__str__()}: {self.place}"

    def __reduce__(self) -> tuple[Callable[..., "TpsFailure"], tuple[object, ...]]:
        return _again, (type(self), self.cause, self.place, self.retry_after, self.status)


class RetryLater(TpsFailure):
    """Nothing is wrong with what was asked: ask again, not before `retry_after` if it is given."""


class GiveUpOnDossier(TpsFailure):
    """Asking again now would be answered the same; the others of the page are not concerned."""


class StopProcedure(TpsFailure):
    """Nothing of this procedure can be had until a person acts: the token, the address, the id."""

    @property
    def action(self) -> Action:
        """Stop, also for a cause that would concern one dossier only: the list is refused."""
        return Action.STOP_PROCEDURE


class MalformedResponse(TpsFailure):
    """TPS answered something that is not what its protocol promises.

    Attributes:
        reason: the first promise that was found broken, None when the whole was too large.
    """

    def __init__(
        self,
        cause: Cause,
        place: RequestContext,
        *,
        retry_after: float | None = None,
        status: int | None = None,
        reason: MalformedReason | None = None,
    ) -> None:
        super().__init__(cause, place, retry_after=retry_after, status=status)
        self.reason = reason

    def __str__(self) -> str:
        return super().__str__() + (f": {self.reason}" if self.reason else "")

    def __reduce__(self) -> tuple[Callable[..., TpsFailure], tuple[object, ...]]:
        return _malformed_again, (self.cause, self.place, self.reason)


class FormChanged(TpsFailure):
    """A form no longer has a field that routing reads, or has two of that label.

    Attributes:
        field: the field.
        mismatch: what is wrong with it.
    """

    def __init__(self, place: RequestContext, field: Field, mismatch: FieldMismatch) -> None:
        super().__init__(Cause.TPS_FORM_CHANGED, place)
        self.field = field
        self.mismatch = mismatch

    @property
    def reason(self) -> str:
        """The cause and the field, as the reason of the procedure that is paused."""
        return f"{self.cause}:{self.field}"

    def __str__(self) -> str:
        return f"{super().__str__()}: {self.field} {self.mismatch}"

    def __reduce__(self) -> tuple[Callable[..., TpsFailure], tuple[object, ...]]:
        return FormChanged, (self.place, self.field, self.mismatch)


_MALFORMED = frozenset({Cause.TPS_OVERSIZED, Cause.TPS_MALFORMED})

_CLASSES: dict[Action, type[TpsFailure]] = {
    Action.RETRY: RetryLater,
    Action.THROTTLED: RetryLater,
    Action.PERMANENT: GiveUpOnDossier,
    Action.STOP_PROCEDURE: StopProcedure,
}


def failure(
    cause: Cause,
    place: RequestContext,
    *,
    retry_after: float | None = None,
    status: int | None = None,
) -> TpsFailure:
    """The error of a cause at a place, of the class that says what to do."""
    if cause in _MALFORMED:
        return MalformedResponse(cause, place, status=status)
    action = TABLE[cause].action
    if action is Action.PERMANENT and place.operation is not Operation.READ:
        action = Action.STOP_PROCEDURE
    return _CLASSES[action](cause, place, retry_after=retry_after, status=status)


def malformed(reason: MalformedReason, place: RequestContext) -> MalformedResponse:
    """The error of an answer that breaks a promise of the protocol."""
    return MalformedResponse(Cause.TPS_MALFORMED, place, reason=reason)


def _again(
    kind: type[TpsFailure],
    cause: Cause,
    place: RequestContext,
    retry_after: float | None,
    status: int | None,
) -> TpsFailure:
    return kind(cause, place, retry_after=retry_after, status=status)


def _malformed_again(
    cause: Cause, place: RequestContext, reason: MalformedReason | None
) -> MalformedResponse:
    return MalformedResponse(cause, place, reason=reason)
