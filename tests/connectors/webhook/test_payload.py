"""What a webhook carries: numbers and codes, by a published schema."""

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from connectors.notice import Notice, Office, Trial
from connectors.webhook.payload import message_id, schema, write_payload, written_schema
from routing.assignment import Event
from routing.facts import Reason

PUBLISHED = Path(__file__).resolve().parents[3] / "docs" / "schemas" / "webhook.json"
AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
NOTICE = Notice(
    event=Event.FILED,
    procedure=13760,
    number=1_000_001,
    unit="UD075",
    unit_name="Unité départementale de Paris",
    permit_type="apprentissage",
    permit_label="Contrat d’apprentissage",
    department="75",
    department_name="Paris",
    filed_at=AT,
    rule_why="Le titre de séjour est de Paris.",
    reasons=(Reason.DEPARTMENT_FROM_POSTAL_CODE,),
    routed=True,
    counterpart=None,
    dossier_url="https://tps.example/procedures/13760/dossiers/1000001",
    key="13760.1000001.filed.UD075.webhook.1",
    contact="Cellule nationale",
)
MOVED = dataclasses.replace(
    NOTICE, event=Event.REASSIGNED_FROM, counterpart=Office("UD093", "Seine-Saint-Denis")
)
BARE = dataclasses.replace(
    NOTICE,
    permit_type=None,
    permit_label=None,
    department=None,
    department_name=None,
    reasons=(),
    routed=False,
)
TRIAL = Trial(unit="UD075", unit_name="Paris", sent_at=AT, key="trial.UD075.webhook.1")


@pytest.mark.parametrize("message", [NOTICE, MOVED, BARE, TRIAL])
def test_every_document_keeps_to_the_schema(message: Notice | Trial) -> None:
    Draft202012Validator.check_schema(schema())
    Draft202012Validator(schema()).validate(json.loads(write_payload(message)))


@pytest.mark.parametrize("event", Event)
def test_every_event_has_a_type(event: Event) -> None:
    document = json.loads(write_payload(dataclasses.replace(NOTICE, event=event)))
    assert document["type"] == f"dossier.{event.value}"
    Draft202012Validator(schema()).validate(document)


def test_the_schema_is_published_as_it_is() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == written_schema()


def test_the_schema_refuses_what_is_not_one_of_ours() -> None:
    document = json.loads(write_payload(NOTICE))
    del document["data"]["dossier"]
    assert not Draft202012Validator(schema()).is_valid(document)


def test_it_holds_numbers_and_codes_and_no_sentence() -> None:
    written = write_payload(MOVED).decode()
    assert json.loads(written)["data"] == {
        "procedure": 13760,
        "dossier": 1_000_001,
        "unit": "UD075",
        "permit_type": "apprentissage",
        "department": "75",
        "unrouted": False,
        "reasons": ["department-from-postal-code"],
        "counterpart": "UD093",
    }
    assert " " not in written
    assert "tps.example" not in written


def test_the_timestamp_is_the_one_of_the_event() -> None:
    decided = dataclasses.replace(NOTICE, decided_at=AT.replace(hour=9))
    assert json.loads(write_payload(decided))["timestamp"] == "2026-11-23T09:00:00Z"
    assert json.loads(write_payload(NOTICE))["timestamp"] == "2026-11-23T08:00:00Z"


def test_the_id_belongs_to_the_delivery() -> None:
    again = dataclasses.replace(NOTICE, unit_name="renamed since")
    other = dataclasses.replace(NOTICE, key="13760.1000001.filed.UD075.webhook.2")
    assert message_id(NOTICE) == message_id(again) != message_id(other)
    assert "." not in message_id(NOTICE)
