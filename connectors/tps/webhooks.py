"""The webhooks by which TPS tells what to look at, as every version of the API has them."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import SecretStr


class EventType(StrEnum):
    """The events that tell of a dossier; others are ignored."""

    FILED = "dossier_depose"
    UNDER_REVIEW = "dossier_en_instruction"
    ACCEPTED = "dossier_accepte"
    REFUSED = "dossier_refuse"
    CLOSED_WITHOUT_ACTION = "dossier_sans_suite"
    BACK_TO_FILED = "dossier_repasse_en_construction"
    BACK_UNDER_REVIEW = "dossier_repasse_en_instruction"
    MODIFIED = "dossier_modifie"
    GROUP_CHANGED = "groupe_instructeur_change"
    RESTORED = "dossier_restaure"
    DELETED = "dossier_supprime"


@dataclass(frozen=True, slots=True)
class TpsWebhook:
    """A webhook as the server has it.

    Attributes:
        id: its id.
        label: what its owner called it.
        url: where it sends.
        enabled: False for one that the server has switched off, as it does after days of failures.
    """

    id: str
    label: str | None
    url: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A secret that is shown once; it signs from now on."""

    webhook: str
    secret: SecretStr
