"""Batches as TPS signs them."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from standardwebhooks.webhooks import Webhook


def secret(seed: str) -> str:
    """A secret that signs; the same for the same seed."""
    return "whsec_" + base64.b64encode(seed.encode().ljust(32, b".")).decode()


@dataclass(frozen=True)
class Signed:
    """A body and the headers that go with it."""

    body: bytes
    headers: dict[str, str]


def batch(
    procedure: int,
    *events: tuple[int, str, int | None],
    webhook: object = 7,
    **more: Any,  # noqa: ANN401
) -> dict[str, Any]:
    """The document of a batch; an event is a sequence, a type and a dossier."""
    return {
        "webhook_id": webhook,
        "demarche_number": procedure,
        "events": [
            {
                "sequence": sequence,
                "type": kind,
                "dossier_number": number,
                "timestamp": "2026-11-23T09:00:00Z",
            }
            for sequence, kind, number in events
        ],
        **more,
    }


def sign(document: object, *secrets: str, at: datetime | None = None) -> Signed:
    """`document` signed with each of `secrets`, now or at another instant."""
    body = json.dumps(document).encode()
    at = at or datetime.now(UTC)
    signatures = [Webhook(each).sign("msg_7_1_9", at, body.decode()) for each in secrets]
    headers = {
        "webhook-id": "msg_7_1_9",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
        "Content-Type": "application/json",
    }
    return Signed(body, headers)
