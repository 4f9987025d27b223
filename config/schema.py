"""What may stand in the four files, entry by entry; the JSON Schemas are made from this.

A value is read into one form whichever way it was written (`75 - Paris` or "75", one label
or a list of them), so that an entry dumps to the same JSON however an admin writes it.
"""

from datetime import date
from typing import Annotated, Self

from pydantic import (
    BeforeValidator,
    Field,
    model_validator,
)

from config.channel_entries import AnyChannelEntry
from config.condition_schema import ConditionEntry, _as_list, in_order
from config.diagnostics import Code
from config.entry import Entry
from config.messages import tr
from config.values import (
    Article,
    ClockTime,
    Department,
    ProcedureId,
    Slug,
    Target,
    Text,
    UnitCode,
    refusal,
)
from routing import forms
from routing.facts import Competence, DossierState, Filer
from routing.ruleset import DEPARTMENT_UNIT
from routing.units import DigestDays, Notify

Labels = Annotated[
    list[Text],
    Field(min_length=1),
    BeforeValidator(_as_list, json_schema_input_type=Text | list[Text]),
]


class DigestEntry(Entry):
    """When a unit gets one mail with all that is new."""

    at: Annotated[list[ClockTime], Field(min_length=1, max_length=24)] = Field(
        description='Heures du récapitulatif, à l\'heure du service : ["08:30", "14:00"].'
    )
    days: DigestDays = Field(
        default=DigestDays.WORKING, description="working : jours ouvrés ; all : tous les jours."
    )
    on_request: bool | None = Field(
        default=None,
        description="true : seulement pour les règles qui disent `notify: digest`.",
    )


class UnitEntry(Entry):
    """An office."""

    code: UnitCode = Field(description="Code de l'unité : UD075.")
    name: Text = Field(description="Nom montré aux agents.")
    departments: list[Department] = Field(
        default=[], description="Départements desservis ; aucun pour la cellule de repli."
    )
    channels: Annotated[list[AnyChannelEntry], Field(min_length=1)] = Field(
        description="Par où l'unité est prévenue."
    )
    opens: date | None = Field(default=None, description="Premier jour d'ouverture.")
    closes: date | None = Field(default=None, description="Premier jour de fermeture.")
    successor: UnitCode | None = Field(
        default=None, description="Code de l'unité qui reprend les dossiers à la fermeture."
    )
    contact: Text | None = Field(
        default=None,
        description="À qui les agents s'adressent : un service, jamais une personne.",
    )
    digest: DigestEntry | None = Field(
        default=None,
        description="Un récapitulatif par courriel au lieu d'un message par dossier.",
    )
    escalate_to: UnitCode | None = Field(
        default=None,
        description="Code de l'unité, régionale par exemple, relancée elle aussi des retards "
        "d'ici ; à défaut WIF_ESCALATE_TO.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.successor is not None and self.closes is None:
            raise refusal(
                Code.SUCCESSOR_WITHOUT_CLOSING,
                tr("succeeds a unit without closing date"),
                tr("add `closes`"),
                at=("successor",),
            )
        return in_order(self, self.opens, self.closes, at="closes")


Fields = Annotated[
    dict[forms.Field, Labels],
    Field(description="Pour chaque champ lu, son libellé dans le formulaire (ou plusieurs)."),
]


class KindEntry(Entry):
    """A kind of form: what its procedures have in common."""

    code: Slug = Field(description="Code du genre de formulaire.")
    label: Text = Field(description="Nom en français.")
    competence: Competence = Field(
        description="Lieu qui décide tant que le type de permis est inconnu."
    )
    fields: Fields = Field(default={})


class ProcedureEntry(Entry):
    """One TPS procedure."""

    id: ProcedureId = Field(description="Numéro de la procédure dans TPS.")
    department: Department | None = Field(
        default=None, description="Département du formulaire ; aucun s'il est national."
    )
    kind: Slug = Field(description="Genre de formulaire, défini sous `kinds`.")
    filer: Filer = Field(description="Qui remplit : student, employer, ou unknown.")
    fields: Fields = Field(default={})
    field_ids: dict[forms.Field, Text] = Field(
        default={}, description="Pour un champ, son identifiant TPS : il l'emporte sur le libellé."
    )
    notify_since: date | None = Field(
        default=None, description="Les dossiers déposés avant ce jour sont routés sans avis."
    )
    api: forms.TpsApi | None = Field(
        default=None, description="Version de l'API de TPS ; à défaut, celle de WIF_TPS_API."
    )
    opens: date | None = Field(default=None, description="Premier jour du formulaire.")
    closes: date | None = Field(default=None, description="Premier jour où il n'est plus ouvert.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        return in_order(self, self.opens, self.closes, at="closes")


class RecognitionEntry(Entry):
    """How a dossier shows its permit type: all that is given must hold."""

    kinds: list[Slug] = Field(default=[], description="Genres de formulaire qui le portent.")
    field: forms.Field | None = Field(default=None, description="Champ qui le dit.")
    equals: Labels | None = Field(default=None, description="Valeurs du champ, entières.")
    contains: Labels | None = Field(
        default=None, description="Mots dont l'un figure dans la valeur du champ."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        values = self.equals or self.contains
        if not self.kinds and self.field is None:
            raise refusal(Code.WRONG_VALUE, tr("recognises nothing: it needs `kinds` or `field`"))
        if (self.field is None) is not (values is None):
            raise refusal(
                Code.WRONG_VALUE, tr("needs `field` together with `equals` or `contains`")
            )
        return self


class PermitTypeEntry(Entry):
    """One type of permit."""

    code: Slug = Field(description="Code du type de permis.")
    label: Text = Field(description="Nom en français, montré aux agents.")
    competence: Competence = Field(
        description="Lieu qui décide : residence-permit (titre de séjour) ou establishment."
    )
    recognised_by: RecognitionEntry = Field(description="À quoi un dossier le montre.")


class GivenEntry(Entry):
    """The facts of an example; what is left out is as it is in an ordinary dossier."""

    permit_type: Slug | None = None
    department: Department | None = None
    procedure: ProcedureId | None = Field(
        default=None, description="À défaut, la première procédure du département qui convienne."
    )
    filer: Filer | None = Field(default=None, description="À défaut, qui remplit la procédure.")
    state: DossierState = DossierState.INITIATED
    filed: date | None = Field(default=None, description="À défaut, le jour de la décision.")


class ExampleEntry(Entry):
    """A case that its rule must decide, and how."""

    given: GivenEntry = Field(description="Les faits du dossier.")
    decided: date = Field(description="Le jour de la décision.")
    unit: Annotated[
        list[UnitCode],
        Field(min_length=1),
        BeforeValidator(_as_list, json_schema_input_type=UnitCode | list[UnitCode]),
    ] = Field(description="L'unité (ou les unités) qui doit recevoir le dossier.")


class RuleEntry(Entry):
    """One rule."""

    id: Slug = Field(description="Nom de la règle, dans les journaux.")
    why: Text = Field(description="Une phrase qui dit à l'unité pourquoi le dossier lui revient.")
    article: Article | None = Field(default=None, description="Article du Code du travail.")
    when: ConditionEntry = Field(
        default=ConditionEntry(), description="Condition ; sans elle la règle vaut pour tous."
    )
    send_to: Annotated[
        list[Target],
        Field(min_length=1),
        BeforeValidator(_as_list, json_schema_input_type=Target | list[Target]),
    ] = Field(description=f"Code d'unité, ou {DEPARTMENT_UNIT}, ou une liste.")
    inform: (
        Annotated[
            list[Target],
            Field(min_length=1),
            BeforeValidator(_as_list, json_schema_input_type=Target | list[Target]),
        ]
        | None
    ) = Field(
        default=None,
        description=f"Unités prévenues pour information : codes, ou {DEPARTMENT_UNIT}.",
    )
    notify: Notify | None = Field(
        default=None,
        description="digest : par le récapitulatif de l'unité ; instant : tout de suite.",
    )
    valid_from: date | None = Field(default=None, description="Premier jour d'application.")
    valid_before: date | None = Field(
        default=None, description="Premier jour où elle n'est plus appliquée."
    )
    examples: Annotated[list[ExampleEntry], Field(min_length=1)] = Field(
        description="Cas que la règle doit décider ; ils sont vérifiés à chaque contrôle."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        return in_order(self, self.valid_from, self.valid_before, at="valid_before")


class UnitsFile(Entry):
    """units.yaml: the offices."""

    units: Annotated[list[UnitEntry], Field(min_length=1)]


class ProceduresFile(Entry):
    """procedures.yaml: the TPS procedures and the kinds of form."""

    kinds: Annotated[list[KindEntry], Field(min_length=1)]
    procedures: Annotated[list[ProcedureEntry], Field(min_length=1)]


class PermitTypesFile(Entry):
    """permit_types.yaml: the types of permit, in the order in which they are recognised."""

    permit_types: Annotated[list[PermitTypeEntry], Field(min_length=1)]


class ReasonEntry(Entry):
    """Why a person gives a dossier to another unit."""

    code: Slug = Field(description="Code donné à `wif dossiers reassign --reason`.")
    label: Text = Field(description="Le motif en mots, montré aux deux services.")


class RoutingFile(Entry):
    """routing.yaml: the rules, in the order in which they are tried."""

    fallback: UnitCode = Field(description="Unité qui reçoit ce qu'aucune règle ne place.")
    rules: Annotated[list[RuleEntry], Field(min_length=1)]
    reasons: list[ReasonEntry] = Field(
        default=[], description="Motifs d'une réaffectation manuelle ; à défaut, ceux fournis."
    )


FILES: dict[str, type[Entry]] = {
    "units.yaml": UnitsFile,
    "procedures.yaml": ProceduresFile,
    "permit_types.yaml": PermitTypesFile,
    "routing.yaml": RoutingFile,
}
