"""What forms of the old kind hint at."""

import pytest

from store.hints import FORM, Tip
from web.hints.form import MalformedHint, parse


def test_a_form_names_a_dossier() -> None:
    body = b"procedure_id=13760&dossier_id=42&state=en_construction&updated_at=2026-11-23+09%3A00"
    assert parse(body) == Tip(procedure=13760, source=FORM, numbers=frozenset({42}))


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
def test_anything_else_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedHint):
        parse(body)
