"""A simulated dossier: what is particular to it, and the truth about what it means."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from routing.facts import DossierState
from simulator.form import FieldPath, FormLike

DEFECTS = ("id", "state", "initiated_at", "champs", "etablissement", "dossier")
"""Promises of the protocol that a dossier can break, by the keys of v1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a reader must find out about a dossier.

    Attributes:
        procedure: id of its form.
        number: its number.
        state: its state.
        permit_type: code of its permit type, None when it shows none that is known.
        department: code of its département of competence, None when it shows none.
        readable: False for a dossier that breaks the protocol, from which no facts can be had.
    """

    procedure: int
    number: int
    state: DossierState
    permit_type: str | None
    department: str | None
    readable: bool


@dataclass(slots=True, kw_only=True)
class SimulatedDossier:
    """One dossier of the simulated TPS. The person behind it is made up from its number.

    Attributes:
        form: the form that was filled in.
        number: its number.
        state: its state.
        filed_at: instant of deposit.
        changed_at: instant of the last change.
        permit_type: the truth about its permit type.
        department: the truth about its département of competence.
        contract: what stands in « Type de contrat ».
        nationality: what stands in « Nationalité ».
        permit_department: what stands in « Département qui figure sur le titre de séjour ».
        home: where the worker lives.
        work: where the employer's establishment is.
        values: for a label, what stands in its field instead; the truth is not told of it.
        defect: which promise of the protocol it breaks, None for none.
        body: the whole answer of v1 instead, None to make one; v2 cannot read it then.
        revision: index of the revision of the form that was filled in.
        group: number of its *groupe d'instructeurs*, None for the form's first one.
        archived: whether the office archived it.
    """

    form: FormLike
    number: int
    state: DossierState
    filed_at: datetime
    changed_at: datetime
    permit_type: str | None
    department: str | None
    contract: str | None
    nationality: str | None
    permit_department: str | None
    home: FieldPath
    work: FieldPath
    values: Mapping[str, object] = field(default_factory=dict)
    defect: str | None = None
    body: bytes | None = None
    revision: int = 0
    group: int | None = None
    archived: bool = False

    @property
    def truth(self) -> Truth:
        """What a reader must find out."""
        return Truth(
            procedure=self.form.procedure,
            number=self.number,
            state=self.state,
            permit_type=self.permit_type,
            department=self.department,
            readable=self.defect is None and self.body is None,
        )

    @property
    def begun_at(self) -> datetime:
        """When the draft was begun."""
        return self.filed_at - timedelta(minutes=19)

    @property
    def received_at(self) -> datetime | None:
        """When an office took it up, None while none has."""
        waiting = self.state is DossierState.INITIATED
        return None if waiting else self.filed_at + timedelta(hours=20)

    @property
    def processed_at(self) -> datetime | None:
        """When it was decided, None while it is not."""
        return self.filed_at + timedelta(hours=45) if self.state.ended else None
