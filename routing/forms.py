"""Forms (TPS procedures) and permit types, as the configuration describes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Self

from routing.facts import Competence, Filer


class Field(StrEnum):
    """The few fields of a form that routing reads."""

    RESIDENCE_PERMIT_DEPARTMENT = "residence_permit_department"
    RESIDENCE_POSTAL_CODE = "residence_postal_code"
    RESIDENCE_COMMUNE = "residence_commune"
    CONTRACT_TYPE = "contract_type"
    NATIONALITY = "nationality"


class TpsApi(StrEnum):
    """A version of the API of TPS, and what is known of it; a later one is the better.

    Attributes:
        requests_per_minute: that TPS allows; of v1 no limit is known, v2's is for each token.
        page: dossiers of a page, at most.
        writes: whether it can change something in TPS: make webhooks, move dossiers.
    """

    requests_per_minute: int
    page: int
    writes: bool

    def __new__(cls, value: str, requests_per_minute: int, page: int, writes: bool) -> Self:  # noqa: FBT001
        made = str.__new__(cls, value)
        made._value_ = value
        made.requests_per_minute = requests_per_minute
        made.page = page
        made.writes = writes
        return made

    V1 = ("v1", 6_000, 1000, False)
    V2 = ("v2", 400, 100, True)

    @classmethod
    def writing(cls) -> Self:
        """The version by which something is changed, whichever reads: the newest that can."""
        return [api for api in cls if api.writes][-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One TPS procedure.

    Attributes:
        procedure: its id in TPS.
        department: the département whose form it is, None for a national one.
        kind: code of the kind of form (`apt-etudiant`, `introduction-salarie`).
        filer: who fills it in.
        competence: which place decides while the permit type is unknown.
        labels: for each field the labels by which it may go; compared normalised.
        field_ids: for a field, the id of its `type_de_champ`; wins over labels.
        notify_since: dossiers filed before this day (Europe/Paris) are recorded and routed
            but no unit is notified; None: units are notified of all.
        name: what it is called, that of its kind; None where it is not known.
        api: the version of the API that it is read with; None: that of the settings.
    """

    procedure: int
    department: str | None
    kind: str
    filer: Filer
    competence: Competence
    labels: Mapping[Field, tuple[str, ...]]
    field_ids: Mapping[Field, str] = field(default_factory=dict)
    notify_since: date | None = None
    name: str | None = None
    api: TpsApi | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """How a dossier shows its permit type: all that is given must hold.

    Attributes:
        kinds: kinds of form that carry the type; empty for any.
        field: the field that tells, None when the kind of form is enough.
        equals: values of that field, compared normalised.
        contains: words or phrases of which one must stand in the value as whole words,
            compared normalised.
    """

    kinds: frozenset[str] = frozenset()
    field: Field | None = None
    equals: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitType:
    """One type of permit; a dossier's type is the first configured one that it shows."""

    code: str
    label: str
    competence: Competence
    recognition: Recognition
