"""What the webhooks of TPS post: forms of the old kind, and signed batches (Standard Webhooks)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from standardwebhooks.webhooks import (
    EmptyWebhookSecretError,
    Webhook,
    WebhookVerificationError,
)

from config.files import read_regular
from connectors.tps.webhooks import EventType
from routing.facts import LARGEST_NUMBER, LARGEST_PROCEDURE

MOST_FIELDS = 20
LONGEST_NUMBER = 19

MOST_EVENTS = 1_000
"""Ten times what TPS sends at once."""

LARGEST_SECRETS = 4_096
"""Bytes of a file of secrets."""


class MalformedHint(Exception):
    """A request that hints at nothing that can exist."""


class UnverifiedBatch(Exception):
    """A batch without a signature of the procedure that it names, or an old one."""


@dataclass(frozen=True, slots=True)
class HintedEvent:
    """An event of a signed batch.

    Attributes:
        sequence: of its webhook.
        type: what happened; None for a type that does not tell of a dossier, or not yet.
        number: of the dossier; None where the event names none.
    """

    sequence: int
    type: EventType | None
    number: int | None


@dataclass(frozen=True, slots=True)
class HintBatch:
    """A signed batch: its procedure, the id of the webhook, the events in ascending sequence."""

    procedure: int
    webhook: int | str
    events: tuple[HintedEvent, ...]


def parse_form(body: bytes) -> tuple[int, int]:
    """The procedure and the dossier of a form; its state and date are not looked at.

    Raises:
        MalformedHint: it does not name one procedure and one dossier.
    """
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=MOST_FIELDS, strict_parsing=True)
    except ValueError:
        raise MalformedHint from None
    return (
        _number(fields.get("procedure_id"), LARGEST_PROCEDURE),
        _number(fields.get("dossier_id"), LARGEST_NUMBER),
    )


def _number(values: list[str] | None, largest: int) -> int:
    text = values[0] if values and len(values) == 1 else ""
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        raise MalformedHint
    if not 0 < int(text) <= largest:
        raise MalformedHint
    return int(text)


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    sequence: Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
    type: Annotated[str, StringConstraints(max_length=64)]
    dossier_number: Annotated[int, Field(gt=0, le=LARGEST_NUMBER)] | None = None


class _Batch(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    webhook_id: (
        Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
        | Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_=-]{1,48}$")]
    )
    demarche_number: Annotated[int, Field(gt=0, le=LARGEST_PROCEDURE)]
    events: Annotated[list[_Event], Field(max_length=MOST_EVENTS)]


def parse_batch(body: bytes, headers: Mapping[str, str], secrets: Path) -> HintBatch:
    """A batch that TPS has signed.

    Args:
        body: as it was signed.
        headers: of the request.
        secrets: the folder of secrets, a file for each procedure, a secret on each line.

    Raises:
        MalformedHint: it is no batch.
        UnverifiedBatch: none of the procedure's secrets signed it within five minutes.
    """
    try:
        batch = _Batch.model_validate_json(body)
    except ValidationError:
        raise MalformedHint from None
    _verify(body, headers, _secrets(secrets / str(batch.demarche_number)))
    ordered = sorted(batch.events, key=lambda event: event.sequence)
    return HintBatch(batch.demarche_number, batch.webhook_id, tuple(map(_event, ordered)))


def _event(event: _Event) -> HintedEvent:
    known = EventType(event.type) if event.type in set(EventType) else None
    return HintedEvent(event.sequence, known, event.dossier_number)


def _secrets(path: Path) -> Sequence[str]:
    """Read at each request: a secret that was changed is in force at once."""
    try:
        lines = read_regular(path, most=LARGEST_SECRETS, whole=True).decode("ascii").split()
    except (OSError, UnicodeDecodeError):
        return ()
    return [line for line in lines if line.startswith("whsec_")]


def _verify(body: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> None:
    if not any(_is_signed(body, headers, secret) for secret in secrets):
        raise UnverifiedBatch


def _is_signed(body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except (EmptyWebhookSecretError, WebhookVerificationError, ValueError):
        # A ValueError is a header, or a secret, that is not of the form that it should have.
        return False
    return True
