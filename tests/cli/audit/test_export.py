"""`wif audit export`, `prove` and `trace`: what leaves the database, and what it proves."""

import base64
import json
import re
from pathlib import Path

import pytest
from sqlalchemy import text

from store.audit.log import AuditEntry, AuditLog, Step
from store.engine import Database
from tests.cli.audit.commands import Wif
from tests.store.audit.samples import SECRET, START, tampering, write

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "audit.md"


class TestProve:
    def test_a_line(self, wif: Wif, sealed: Database) -> None:
        proof = wif("audit", "prove", 14).json
        assert (proof["line"]["id"], proof["index"], proof["seal"]["number"]) == (14, 13, 1)

    def test_a_line_that_is_not_there(self, wif: Wif, sealed: Database) -> None:
        outcome = wif("audit", "prove", 99)
        assert (outcome.code, outcome.err) == (1, "line 99: there is none with this id\n")


class TestTrace:
    def test_the_life_of_a_dossier(self, wif: Wif, sealed: Database) -> None:
        write(sealed, 6)
        life = wif("audit", "trace", "13760/1", "--json").json
        assert [line["id"] for line in life] == [1, 7, 13, 19, 25, 31]
        assert [line["sealed"] for line in life] == [True] * 5 + [False]
        shown = wif("audit", "trace", "13760/1")
        assert "13760/1: 6 lines" in shown.out
        assert "2026-01-05 09:00:00" in shown.out, "instants are shown in Paris time"

    def test_a_rotation_keeps_old_lines_traceable_and_a_destroyed_key_does_not(
        self, wif: Wif, sealed: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        new = bytes(32)
        with sealed.begin() as connection:
            line = AuditEntry(step=Step.SENT, procedure=13760, number=1)
            AuditLog([new, SECRET]).append(connection, START, [line])
        old = wif("audit", "trace", "13760/1", "--json").json
        assert [line["id"] for line in old] == [1, 7, 13, 19, 25]
        monkeypatch.setenv("WIF_AUDIT_KEY", base64.b64encode(new).decode())
        monkeypatch.setenv("WIF_AUDIT_PREVIOUS_KEYS", base64.b64encode(SECRET).decode())
        rotated = wif("audit", "trace", "13760/1", "--json").json
        assert [line["id"] for line in rotated] == [1, 7, 13, 19, 25, 31]
        monkeypatch.delenv("WIF_AUDIT_PREVIOUS_KEYS")
        destroyed = wif("audit", "trace", "13760/1", "--json").json
        assert [line["id"] for line in destroyed] == [31]
        outcome = wif("audit", "trace", "13760/2")
        assert outcome.code == 1
        assert outcome.err == (
            "13760/2: no line under the 1 known key; "
            "lines under 1 unknown key cannot be tied to a dossier\n"
        )
        assert wif("audit", "verify").code == 0, "seals need no audit key"

    @pytest.mark.parametrize("dossier", ["13760", "a/b", "1/2/3", "١/٢"])
    def test_what_is_no_dossier(self, wif: Wif, dossier: str) -> None:
        assert wif("audit", "trace", dossier).code == 2


class TestExport:
    def test_a_period_is_checked_offline(
        self, wif: Wif, sealed: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        since = "2026-01-05T09:00:01"
        outcome = wif("audit", "export", "--since", since, "--out", "export.jsonl")
        assert outcome.err == "20 lines under 1 seal, 0 not sealed yet, 10 withheld; signed\n"
        monkeypatch.setenv("WIF_DATABASE_URL", "postgresql://127.0.0.1:1/away")
        checked = wif("audit", "verify", "--file", "export.jsonl")
        assert (checked.code, checked.out.splitlines()[-1]) == (0, "INTACT")
        content = Path("export.jsonl").read_text()
        Path("export.jsonl").write_text(content.replace("13760", "13761", 1))
        changed = wif(
            "audit", "verify", "--file", "export.jsonl", "--public-key", "var/seal.key.pub"
        )
        assert changed.code == 1
        assert re.search(r"seal 1: line-edited \d+", changed.out)

    def test_days_are_those_of_paris_and_the_last_is_included(
        self, wif: Wif, database: Database
    ) -> None:
        write(database, 10)
        day = ("--since", "2026-01-05", "--until", "2026-01-05")
        assert wif("audit", "export", *day).err.startswith("0 lines under 0 seals, 10 not sealed")
        before = ("--until", "2026-01-05T08:00:00Z")
        assert wif("audit", "export", *before).err.startswith("0 lines under 0 seals, 0 not sealed")

    def test_an_unsigned_export_says_so(self, wif: Wif, database: Database) -> None:
        write(database, 1)
        assert wif("audit", "export", "--out", "a.jsonl").err.endswith("not signed\n")
        outcome = wif("audit", "verify", "--file", "a.jsonl")
        assert outcome.code == 3
        assert outcome.out.splitlines()[-1].startswith("UNSIGNED")
        assert wif("audit", "verify", "--file", "a.jsonl", "--allow-unsigned").code == 0

    def test_an_export_whose_signature_was_removed(self, wif: Wif, sealed: Database) -> None:
        wif("audit", "export", "--out", "a.jsonl")
        keys = ("--public-key", "var/seal.key.pub")
        assert wif("audit", "verify", "--file", "a.jsonl", *keys).code == 0
        path = Path("a.jsonl")
        *rest, end = path.read_text().splitlines()
        bare = {**json.loads(end), "signature": None, "public_key": None}
        path.write_text("\n".join([*rest, json.dumps(bare)]) + "\n")
        assert wif("audit", "verify", "--file", "a.jsonl", *keys).code == 3

    def test_lines_withheld_inside_the_period_are_counted(self, wif: Wif, sealed: Database) -> None:
        with tampering(sealed) as connection:
            connection.execute(text("DELETE FROM audit_seals"))
            connection.execute(
                text("UPDATE audit_lines SET at = '2025-12-01 00:00:00+00:00' WHERE id IN (7, 8)")
                if sealed.dialect == "postgresql"
                else text(
                    "UPDATE audit_lines SET at = '2025-12-01 00:00:00.000000' WHERE id IN (7, 8)"
                )
            )
        Path("var/seals.jsonl").unlink()
        wif("audit", "seal")
        wif("audit", "export", "--since", "2026-01-01", "--out", "a.jsonl")
        outcome = wif("audit", "verify", "--file", "a.jsonl", "--json").json
        assert (outcome["intact"], outcome["withheld"], outcome["withheld_inside"]) == (True, 2, 2)

    def test_the_schema(self, wif: Wif) -> None:
        assert wif("audit", "export", "--schema").json["title"] == "One line of an audit export"

    @pytest.mark.parametrize("given", ["yesterday", "2026-13-01", "2026-01-31T25:00:00", ""])
    def test_what_is_no_instant(self, wif: Wif, given: str) -> None:
        outcome = wif("audit", "export", "--since", given)
        assert outcome.code == 2
        assert outcome.err.startswith("--since: is neither a day nor an instant; for example")

    def test_a_file_that_cannot_be_written(self, wif: Wif, database: Database) -> None:
        outcome = wif("audit", "export", "--out", "none/export.jsonl")
        assert outcome.code == 2
        assert outcome.err == "none/export.jsonl: cannot be written (FileNotFoundError)\n"


def test_every_command_of_the_documentation_exists(wif: Wif) -> None:
    commands = re.findall(r"`wif (audit [a-z -]+?)(?: [^a-z`].*?| FILE.*?)?`", DOCUMENT.read_text())
    assert len(commands) > 9
    for command in sorted({one.split(" --")[0].strip() for one in commands}):
        assert wif(*command.split(), "--help").code == 0, command
