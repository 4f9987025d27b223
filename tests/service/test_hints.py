"""What a post of TPS hints at: dossiers to look at, the list, or nothing."""

from pathlib import Path

from service.hints import read_batch, read_form
from store.hints import FORM, THE_LIST, Event, ReceivedHint
from tests.fixtures.signed_batches import batch, secret, sign

PROCEDURE = 13760


def test_a_form_hints_at_its_dossier() -> None:
    hint = ReceivedHint(procedure=PROCEDURE, source=FORM, numbers=frozenset({42}))
    assert read_form(b"procedure_id=13760&dossier_id=42") == hint


def test_events_hint_at_their_dossiers_or_at_the_list(tmp_path: Path) -> None:
    (tmp_path / str(PROCEDURE)).write_text(secret("new"))
    signed = sign(
        batch(
            PROCEDURE,
            (3, "dossier_depose", 42),
            (11, "dossier_supprime", 44),
            (12, "message_envoye", 45),
            (13, "dossier_accepte", None),
        ),
        secret("new"),
    )
    assert read_batch(signed.body, signed.headers, tmp_path) == ReceivedHint(
        procedure=PROCEDURE,
        source="webhook:7",
        events=(Event(3, 42), Event(11, THE_LIST), Event(12, None), Event(13, THE_LIST)),
    )
