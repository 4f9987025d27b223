"""What TPS posts: signed batches, which are believed to be its own, and forms."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.tps.hints import (
    MOST_EVENTS,
    HintBatch,
    HintedEvent,
    MalformedHint,
    UnverifiedBatch,
    parse_batch,
    parse_form,
)
from connectors.tps.webhooks import EventType
from tests.fixtures.signed_batches import Signed, batch, secret, sign

PROCEDURE = 13760
OLD, NEW, OTHER = secret("old"), secret("new"), secret("other")
FILED = batch(PROCEDURE, (3, "dossier_depose", 42))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / str(PROCEDURE)).write_text(f"{NEW}\n{OLD}\n")
    (tmp_path / "14131").write_text(OTHER)
    return tmp_path


def parsed(signed: Signed, folder: Path) -> HintBatch:
    return parse_batch(signed.body, signed.headers, folder)


def test_events_name_dossiers(folder: Path) -> None:
    document = batch(
        PROCEDURE,
        (9, "dossier_modifie", 43),
        (3, "dossier_depose", 42),
        (11, "dossier_supprime", 44),
        (12, "message_envoye", 45),
        (13, "dossier_accepte", None),
        more="ignored",
    )
    assert parsed(sign(document, NEW), folder) == HintBatch(
        PROCEDURE,
        7,
        (
            HintedEvent(3, EventType.FILED, 42),
            HintedEvent(9, EventType.MODIFIED, 43),
            HintedEvent(11, EventType.DELETED, 44),
            HintedEvent(12, None, 45),
            HintedEvent(13, EventType.ACCEPTED, None),
        ),
    )


@pytest.mark.parametrize("secrets", [(NEW,), (OLD,), (OLD, NEW), (OTHER, NEW)])
def test_any_secret_of_the_procedure_will_do(secrets: tuple[str, ...], folder: Path) -> None:
    assert parsed(sign(FILED, *secrets), folder).events == (HintedEvent(3, EventType.FILED, 42),)


def test_another_procedures_secret_does_not_sign_for_this_one(folder: Path) -> None:
    with pytest.raises(UnverifiedBatch):
        parsed(sign(FILED, OTHER), folder)


def test_a_changed_body_is_not_verified(folder: Path) -> None:
    signed = sign(FILED, NEW)
    with pytest.raises(UnverifiedBatch):
        parse_batch(signed.body.replace(b"42", b"43"), signed.headers, folder)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_replay_is_refused(minutes: int, folder: Path) -> None:
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    with pytest.raises(UnverifiedBatch):
        parsed(sign(FILED, NEW, at=at), folder)
    assert parsed(sign(FILED, NEW, at=at - timedelta(minutes=minutes * 0.5)), folder)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,???"},
        {"webhook-signature": "v2,abcd"},
        {"webhook-signature": "v1,é"},
        {"webhook-timestamp": "nan"},
        {"webhook-timestamp": "soon"},
        {"webhook-id": ""},
    ],
)
def test_headers_that_are_none_are_refused(headers: dict[str, str], folder: Path) -> None:
    signed = sign(FILED, NEW)
    with pytest.raises(UnverifiedBatch):
        parse_batch(signed.body, {**signed.headers, **headers} if headers else {}, folder)


@pytest.mark.parametrize("content", [b"", b"\xff", b"no secret", b"whsec_", b"whsec_???"])
def test_a_file_without_a_secret_verifies_nothing(content: bytes, folder: Path) -> None:
    (folder / str(PROCEDURE)).write_bytes(content)
    with pytest.raises(UnverifiedBatch):
        parsed(sign(FILED, NEW), folder)


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        batch(0, (1, "dossier_depose", 1)),
        batch(2**31, (1, "dossier_depose", 1)),
        batch(PROCEDURE, (-1, "dossier_depose", 1)),
        batch(PROCEDURE, (1, "dossier_depose", -1)),
        batch(PROCEDURE, (1, "dossier_depose", 2**63)),
        batch(PROCEDURE, (1, "x" * 65, 1)),
        batch(PROCEDURE, (1, "dossier_depose", 1), webhook="../7"),
        batch(PROCEDURE, (1, "dossier_depose", 1), webhook="x" * 49),
        batch(PROCEDURE, (1, "dossier_depose", 1), webhook=10**60),
        batch(PROCEDURE, (1, "dossier_depose", 1), webhook=-1),
        batch(PROCEDURE, *[(number, "dossier_depose", 1) for number in range(MOST_EVENTS + 1)]),
    ],
)
def test_what_is_no_batch_is_malformed(document: Any, folder: Path) -> None:  # noqa: ANN401
    with pytest.raises(MalformedHint):
        parsed(sign(document, NEW), folder)


def test_a_form_names_a_dossier() -> None:
    body = b"procedure_id=13760&dossier_id=42&state=en_construction&updated_at=2026-11-23+09%3A00"
    assert parse_form(body) == (13760, 42)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"{}",
        b"procedure_id=1",
        b"dossier_id=1",
        b"procedure_id=1&dossier_id=",
        b"procedure_id=1&dossier_id=x",
        b"procedure_id=1&dossier_id=-1",
        b"procedure_id=1&dossier_id=0",
        b"procedure_id=1&dossier_id=1.0",
        b"procedure_id=1&dossier_id=%D9%A1",
        b"procedure_id=1&dossier_id=1&dossier_id=2",
        b"procedure_id=2147483648&dossier_id=1",
        b"procedure_id=1&dossier_id=9223372036854775808",
        b"procedure_id=1&dossier_id=" + b"1" * 5000,
        b"&".join(b"a%d=1" % number for number in range(100)),
    ],
)
def test_any_other_form_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedHint):
        parse_form(body)
