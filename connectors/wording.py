"""What offices read of a notice, in French, over any channel that has words for people.

One table for events, one for reasons; each is total.
"""

from dataclasses import dataclass

from routing.assignment import Event
from routing.facts import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """How one event is told.

    Attributes:
        subject: in a few words; the number of the dossier follows.
        heading: the title.
        lead: what happened, in one sentence.
        office: how the other unit of a reassignment is introduced.
        expected: what the reader is expected to do.
    """

    subject: str
    heading: str
    lead: str
    office: str = "Autre service concerné"
    expected: str


EVENTS: dict[Event, Phrases] = {
    Event.FILED: Phrases(
        subject="Nouveau dossier",
        heading="Nouveau dossier à instruire",
        lead="Une demande d’autorisation de travail a été déposée et relève de votre service.",
        expected="Vous pouvez l’instruire dès maintenant dans TPS.",
    ),
    Event.REASSIGNED_TO: Phrases(
        subject="Dossier réaffecté",
        heading="Dossier réaffecté à votre service",
        lead="Une demande d’autorisation de travail, d’abord adressée à un autre service, "
        "relève désormais du vôtre.",
        office="Service précédent",
        expected="Vous pouvez l’instruire dès maintenant dans TPS.",
    ),
    Event.REASSIGNED_FROM: Phrases(
        subject="Dossier retiré",
        heading="Dossier réaffecté à un autre service",
        lead="Une demande d’autorisation de travail qui vous avait été adressée "
        "ne relève plus de votre service.",
        office="Nouveau service",
        expected="Aucune action n’est attendue de votre part sur ce dossier.",
    ),
    Event.LATE: Phrases(
        subject="Relance",
        heading="Dossiers en attente au-delà du délai",
        lead="Ces demandes d’autorisation de travail attendent une décision au-delà du délai "
        "prévu. Ce rappel est envoyé chaque jour ouvré tant qu’elles attendent.",
        expected="Merci de les instruire en priorité dans TPS.",
    ),
    Event.INFORMED: Phrases(
        subject="Pour information",
        heading="Dossier porté à votre connaissance",
        lead="Pour information : une demande d’autorisation de travail a été déposée. "
        "Elle est instruite par le service indiqué ci-dessous, et non par le vôtre.",
        office="Service compétent",
        expected="Aucune action n’est attendue de votre part sur ce dossier.",
    ),
    Event.DIGEST: Phrases(
        subject="Récapitulatif",
        heading="Récapitulatif des dossiers de votre service",
        lead="Ces demandes d’autorisation de travail concernent votre service "
        "depuis le récapitulatif précédent.",
        expected="Ceux qui relèvent de votre service peuvent être instruits dès maintenant "
        "dans TPS.",
    ),
}

UNROUTED = Phrases(
    subject="Dossier à orienter",
    heading="Dossier sans service compétent identifié",
    lead="Aucun service compétent n’a pu être déterminé pour une demande d’autorisation de "
    "travail. Elle vous est adressée parce que votre service reçoit ces dossiers par défaut.",
    expected="À faire : ouvrir le dossier dans TPS, y chercher le département du titre de séjour "
    "ou de l’établissement, puis demander la réaffectation au service compétent à l’administrateur "
    "des règles d’aiguillage{whom}, en donnant le numéro du dossier et le code du service.",
)
"""What the fallback unit reads in place of `Event.FILED` and `Event.REASSIGNED_TO`; `{whom}` is
who is named for questions."""

ESCALATED = "Le service indiqué entre parenthèses est relancé lui aussi."
"""What is expected of one that is told of what waits at others."""

REASONS: dict[Reason, str] = {
    Reason.RESIDENCE_DIFFERS_FROM_FORM: "Le département du titre de séjour n’est pas celui du "
    "formulaire utilisé ; c’est le titre de séjour qui détermine le service compétent.",
    Reason.RESIDENCE_DIFFERS_FROM_PERMIT: "Le code postal de résidence se trouve dans un autre "
    "département que celui du titre de séjour.",
    Reason.ESTABLISHMENT_DIFFERS_FROM_FORM: "L’établissement de l’employeur se trouve dans un "
    "autre département que celui du formulaire utilisé ; c’est l’établissement qui détermine "
    "le service compétent.",
    Reason.DEPARTMENT_FROM_POSTAL_CODE: "Le département n’est pas indiqué ; il a été déduit du "
    "code postal.",
    Reason.DEPARTMENT_LABEL_DISAGREES: "Le code et le nom du département indiqués ne "
    "correspondent pas.",
    Reason.DEPARTMENT_MISSING: "Le département qui détermine le service compétent n’est pas "
    "indiqué.",
    Reason.DEPARTMENT_UNKNOWN: "Le département indiqué n’existe pas dans la liste officielle.",
    Reason.DEPARTMENT_ABROAD: "Le lieu indiqué se trouve à l’étranger.",
    Reason.POSTAL_CODE_AMBIGUOUS: "Le code postal est commun à plusieurs départements.",
    Reason.POSTAL_CODE_UNKNOWN: "Le code postal n’existe pas dans la liste officielle.",
    Reason.PERMIT_TYPE_MISSING: "Le type d’autorisation n’est pas indiqué.",
    Reason.PERMIT_TYPE_UNKNOWN: "Le type d’autorisation indiqué n’est pas reconnu.",
    Reason.DEPARTMENT_NOT_SERVED: "Aucun service n’est ouvert pour ce département.",
    Reason.UNIT_CLOSED: "Le service désigné par les règles de répartition est fermé.",
    Reason.SUCCESSOR_UNIT: "Le service initialement compétent est fermé ; le dossier revient à "
    "celui qui lui succède.",
    Reason.NO_RULE_MATCHES: "Aucune règle de répartition ne s’applique à ce dossier.",
    Reason.PINNED: "Le dossier a été affecté manuellement.",
}
"""What each reason tells an office; nothing of the dossier is in the sentence."""

UNKNOWN_PERMIT = "Type non déterminé"
UNKNOWN_DEPARTMENT = "Département non déterminé"
