"""The facts of a dossier: the only thing that leaves a TPS connector.

`Facts` is an allow-list. Whatever is not a field of it, personal data above all,
does not exist outside the connector that read the answer.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from json.encoder import encode_basestring_ascii

LARGEST_NUMBER = 2**63 - 1
"""Of a dossier; what the database can store."""

LARGEST_PROCEDURE = 2**31 - 1
"""The largest id of a procedure; what the database can store."""


class DossierState(StrEnum):
    """The states of a dossier in TPS, by their v1 names."""

    INITIATED = "initiated"
    RECEIVED = "received"
    CLOSED = "closed"
    REFUSED = "refused"
    WITHOUT_CONTINUATION = "without_continuation"

    @property
    def ended(self) -> bool:
        """Whether its office decided on it or dropped it. An ended dossier can be reopened."""
        return self not in {DossierState.INITIATED, DossierState.RECEIVED}


class Filer(StrEnum):
    """Who fills in the form of a procedure."""

    STUDENT = "student"
    EMPLOYER = "employer"
    UNKNOWN = "unknown"


class Competence(StrEnum):
    """Which place decides who is competent (Code du travail R5221-15 and R5221-16)."""

    RESIDENCE_PERMIT = "residence-permit"
    ESTABLISHMENT = "establishment"


class DepartmentSource(StrEnum):
    """Where the département of competence was read."""

    RESIDENCE_PERMIT = "residence-permit"
    RESIDENCE_POSTAL_CODE = "residence-postal-code"
    ESTABLISHMENT_INSEE = "establishment-insee"
    ESTABLISHMENT_POSTAL_CODE = "establishment-postal-code"
    NONE = "none"


class Reason(StrEnum):
    """Codes that explain a classification or a decision. Never free text."""

    # cross-checks and gaps found while classifying
    RESIDENCE_DIFFERS_FROM_FORM = "residence-differs-from-form"
    RESIDENCE_DIFFERS_FROM_PERMIT = "residence-differs-from-permit"
    ESTABLISHMENT_DIFFERS_FROM_FORM = "establishment-differs-from-form"
    DEPARTMENT_FROM_POSTAL_CODE = "department-from-postal-code"
    DEPARTMENT_LABEL_DISAGREES = "department-label-disagrees"
    DEPARTMENT_MISSING = "department-missing"
    DEPARTMENT_UNKNOWN = "department-unknown"
    DEPARTMENT_ABROAD = "department-abroad"
    POSTAL_CODE_AMBIGUOUS = "postal-code-ambiguous"
    POSTAL_CODE_UNKNOWN = "postal-code-unknown"
    PERMIT_TYPE_MISSING = "permit-type-missing"
    PERMIT_TYPE_UNKNOWN = "permit-type-unknown"
    # found while deciding
    DEPARTMENT_NOT_SERVED = "department-not-served"
    UNIT_CLOSED = "unit-closed"
    SUCCESSOR_UNIT = "successor-unit"
    NO_RULE_MATCHES = "no-rule-matches"
    PINNED = "pinned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What routing needs to know of one dossier.

    Attributes:
        procedure: id of the TPS procedure (form).
        number: number of the dossier.
        state: state in TPS.
        filed_at: instant of deposit, timezone-aware, UTC.
        changed_at: instant of TPS's last change, timezone-aware, UTC.
        permit_type: code of the permit type, None when it was not recognised.
        department: code of the département of competence (`75`, `2A`, `971`), None when unknown.
        department_source: where the département was read.
        filer: who filed.
        reasons: what the classification found on its way, in the order of `Reason`.
    """

    procedure: int
    number: int
    state: DossierState
    filed_at: datetime
    changed_at: datetime
    permit_type: str | None
    department: str | None
    department_source: DepartmentSource
    filer: Filer
    reasons: tuple[Reason, ...] = ()

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of everything that can change a decision.

        `changed_at` is left out: TPS moves it for messages and opinions too.
        """
        reasons = ",".join(map(_quoted, self.reasons))
        content = (
            f"[{self.procedure},{self.number},{_quoted(self.state)},"
            f"{_quoted(self.filed_at.isoformat())},{_optional(self.permit_type)},"
            f"{_optional(self.department)},{_quoted(self.department_source)},"
            f"{_quoted(self.filer)},[{reasons}]]"
        )
        return hashlib.sha256(content.encode()).hexdigest()


# A JSON list written out by hand: three times as fast as an encoder, on every decision.
_quoted = encode_basestring_ascii


def _optional(text: str | None) -> str:
    return "null" if text is None else _quoted(text)
