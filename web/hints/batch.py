"""A signed batch of events, as Standard Webhooks describe it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from standardwebhooks.webhooks import (
    EmptyWebhookSecretError,
    Webhook,
    WebhookVerificationError,
)

from config.files import read_regular
from connectors.tps.webhooks import EventType
from routing.facts import LARGEST_NUMBER, LARGEST_PROCEDURE
from store.hints import THE_LIST, Event, Tip
from web.hints.form import MalformedHint

MOST_EVENTS = 1_000
"""Ten times what TPS sends at once."""

LARGEST_SECRETS = 4_096
"""Bytes of a file of secrets."""


LISTED = {EventType.DELETED}
"""Events that only the list can confirm: a dossier that is gone cannot be read."""


class UnverifiedBatch(Exception):
    """A batch without a signature of the procedure that it names, or an old one."""


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


def parse(body: bytes, headers: Mapping[str, str], secrets: Path) -> Tip:
    """What a signed batch hints at.

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
    return Tip(
        procedure=batch.demarche_number,
        source=f"webhook:{batch.webhook_id}",
        events=_events(batch.events),
    )


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


def _events(events: Sequence[_Event]) -> tuple[Event, ...]:
    ordered = sorted(events, key=lambda event: event.sequence)
    return tuple(Event(event.sequence, _looks_at(event)) for event in ordered)


def _looks_at(event: _Event) -> int | None:
    """What an event makes worth a look. A type that TPS will add one day counts as heard."""
    if event.type not in set(EventType):
        return None
    return THE_LIST if event.type in LISTED else event.dossier_number or THE_LIST
