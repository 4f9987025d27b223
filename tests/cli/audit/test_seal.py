"""`wif audit seal`: once, by its own key, and never over what was tampered with."""

import os
from pathlib import Path

import pytest

from store.audit.seals import read_seals
from store.engine import Database
from tests.cli.audit.commands import Wif, tamper
from tests.store.audit.samples import write


class TestSeal:
    def test_a_key_file_that_is_a_pipe_is_refused_and_nobody_waits(
        self, wif: Wif, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        os.mkfifo("seal.key")
        monkeypatch.setenv("WIF_SEAL_KEY_FILE", "seal.key")
        outcome = wif("audit", "seal")
        assert (outcome.code, outcome.err) == (
            2,
            "seal.key: cannot be read: is no regular file\n",
        )

    def test_production_needs_a_key(self, wif: Wif, monkeypatch: pytest.MonkeyPatch) -> None:
        given = {
            "WIF_ENV": "production",
            "WIF_TPS_URL": "https://tps.example",
            "WIF_TPS_TOKEN": "token",
            "WIF_BROKER_URL": "redis://redis.example",
            "WIF_SMTP_URL": "smtps://smtp.example",
            "WIF_MAIL_FROM": "wif@wif.example",
        }
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        outcome = wif("audit", "seal")
        assert outcome.code == 2
        assert outcome.err.startswith("WIF_SEAL_KEY_FILE: needed when WIF_ENV=production")
        monkeypatch.setenv("WIF_SEAL_KEY_FILE", "secret/seal.key")
        assert "secret/seal.key: cannot be read" in wif("audit", "seal").err
        assert wif("audit", "seals", "new-key").code == 0
        assert wif("audit", "seal").code == 0

    def test_a_rotation_keeps_old_seals_verifiable(self, wif: Wif, sealed: Database) -> None:
        refused = wif("audit", "seals", "new-key")
        assert (refused.code, refused.err) == (
            2,
            "var/seal.key: is there already; --rotate replaces it\n",
        )
        old = wif("audit", "seals", "public-key").out
        assert wif("audit", "seals", "new-key", "--rotate").code == 0
        both = wif("audit", "seals", "public-key").out
        assert both.startswith(old)
        assert both.count("BEGIN PUBLIC KEY") == 2
        write(sealed, 3)
        assert wif("audit", "seal").code == 0
        assert len({one.public_key for one in read_seals(sealed)}) == 2
        assert wif("audit", "verify").code == 0

    def test_seals_are_exported_to_a_file_or_to_a_pipe(self, wif: Wif, sealed: Database) -> None:
        assert wif("audit", "seals", "export", "a.jsonl").out == "1 seal added to a.jsonl\n"
        assert wif("audit", "seals", "export", "a.jsonl").out == "0 seals added to a.jsonl\n"
        assert wif("audit", "seals", "export", "-").out == Path("a.jsonl").read_text()

    def test_a_file_that_contradicts_the_database(self, wif: Wif, sealed: Database) -> None:
        wif("audit", "seals", "export", "a.jsonl")
        tamper(sealed, "DELETE FROM audit_seals")
        outcome = wif("audit", "seals", "export", "a.jsonl")
        assert outcome.code == 2
        assert "a.jsonl: seal 1 is not the database's" in outcome.err
