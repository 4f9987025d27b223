"""What a webhook carries: the event, numbers and codes, and nothing else of the dossier.

`docs/schemas/webhook.json` is its JSON Schema, made by `python -m connectors.webhook.payload`.
"""

import hashlib
import json
import sys
from datetime import UTC, datetime
from typing import Any

from connectors.notice import Message, Notice, Trial
from routing.assignment import Event
from routing.facts import Reason

TRIAL = "trial"
_DOSSIER = "dossier."


def message_id(message: Message) -> str:
    """The `webhook-id`: the same at every attempt, by the key of what is told."""
    digest = hashlib.sha256(message.key.encode("utf-8", "surrogatepass")).hexdigest()
    return f"msg_{digest[:40]}"


def write_payload(message: Message) -> bytes:
    """`message` as a JSON document."""
    document = _of_trial(message) if isinstance(message, Trial) else _of_notice(message)
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def _of_trial(trial: Trial) -> dict[str, Any]:
    return {"type": TRIAL, "timestamp": _instant(trial.sent_at), "data": {"unit": trial.unit}}


def _of_notice(notice: Notice) -> dict[str, Any]:
    return {
        "type": f"{_DOSSIER}{notice.event.value}",
        "timestamp": _instant(notice.decided_at or notice.filed_at),
        "data": {
            "procedure": notice.procedure,
            "dossier": notice.number,
            "unit": notice.unit,
            "permit_type": notice.permit_type,
            "department": notice.department,
            "unrouted": not notice.routed,
            "reasons": [reason.value for reason in notice.reasons],
            "counterpart": notice.counterpart.code if notice.counterpart else None,
        },
    }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


_UNIT = {"type": "string", "maxLength": 32, "pattern": "^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$"}
_TIMESTAMP = {"type": "string", "format": "date-time", "description": "Instant of the event, UTC."}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    # Receivers must pass over what they do not know: fields may be added.
    return {"type": "object", "required": list(properties), "properties": properties}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


def schema() -> dict[str, Any]:
    """The JSON Schema of every document."""
    dossier = {
        "procedure": {"type": "integer", "description": "Number of the procedure in TPS."},
        "dossier": {"type": "integer", "description": "Number of the dossier in TPS."},
        "unit": {**_UNIT, "description": "The unit that is told."},
        "permit_type": _or_null(
            {"type": "string", "description": "Code of the permit type, null if not recognised."}
        ),
        "department": _or_null(
            {
                "type": "string",
                "pattern": "^([0-9]{2,3}|2[AB])$",
                "description": "Code of the département of competence, null if unknown.",
            }
        ),
        "unrouted": {
            "type": "boolean",
            "description": "Whether the unit is the fallback, for want of a competent one.",
        },
        "reasons": {
            "type": "array",
            "items": {"type": "string", "examples": sorted(reason.value for reason in Reason)},
            "description": "Codes of what was found on the way to the decision; may grow.",
        },
        "counterpart": _or_null(
            {
                **_UNIT,
                "description": "The other unit of a reassignment, or the one that has a dossier "
                "that is told for information; else null.",
            }
        ),
    }
    events = [f"{_DOSSIER}{event.value}" for event in Event]
    told = {"type": {"enum": events}, "timestamp": _TIMESTAMP, "data": _object(dossier)}
    trial = {"type": {"const": TRIAL}, "timestamp": _TIMESTAMP, "data": _object({"unit": _UNIT})}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Work In France webhook",
        "oneOf": [
            {"title": "An event of a dossier", **_object(told)},
            {"title": "A trial, about no dossier", **_object(trial)},
        ],
    }


def written_schema() -> str:
    """The JSON Schema as it is published."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(written_schema())
