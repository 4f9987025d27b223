"""`wif audit`: what a person types, what it says, and the exit codes that scripts rely on."""

import base64
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from cli.main import main
from config import settings
from store.audit.log import AuditEntry, AuditLog, Step
from store.audit.seal_keys import load_or_create_signing_key
from store.audit.seals import read_seals, seal_pending
from store.engine import Database
from tests.fixtures.json_documents import check_json
from tests.fixtures.processes import umask_restored
from tests.store.audit.samples import SECRET, START, tampering, write

UNSTAMPED = "no timestamp of a third party: whoever has database and key can rewrite the past"
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "audit.md"


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401
        return json.loads(self.out)


Wif = Callable[..., Outcome]


@pytest.fixture
def wif(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[Wif]:
    """Runs the command in a folder of its own, on a database of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WIF_DATABASE_URL", database_url)
    monkeypatch.setenv("WIF_AUDIT_KEY", base64.b64encode(SECRET).decode())

    def run(*arguments: object) -> Outcome:
        settings.load.cache_clear()
        monkeypatch.setattr(sys, "argv", ["wif", *map(str, arguments)])
        capfd.readouterr()
        with umask_restored(), pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        if "--json" in arguments and said.out:
            check_json([str(each) for each in arguments], said.out)
        return Outcome(int(ended.value.code or 0), said.out, said.err)

    yield run
    settings.load.cache_clear()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    yield made
    made.close()


@pytest.fixture
def sealed(wif: Wif, database: Database) -> Database:
    """Thirty lines under a seal."""
    write(database, 30)
    assert wif("audit", "seal").out == "30 lines sealed under 1 seals\n"
    return database


def tamper(database: Database, statement: str) -> None:
    with tampering(database) as connection:
        connection.execute(text(statement))


def _seal_anew(database: Database, key: Path) -> None:
    """What somebody does who owns the database and some key of their own."""
    with tampering(database) as connection:
        connection.execute(text("DELETE FROM audit_seals"))
    seal_pending(database, load_or_create_signing_key(key), now=START)


class TestVerify:
    def test_an_intact_log(self, wif: Wif, sealed: Database) -> None:
        write(sealed, 2)
        outcome = wif("audit", "verify")
        assert outcome.code == 0
        assert outcome.out.splitlines() == [
            "30 lines under 1 seals checked, against var/seals.jsonl",
            "2 lines from 31 on (2026-01-05 08:00:00.000000 UTC) are not sealed yet",
            "NOT ANCHORED, nothing from outside vouches for it; missing: "
            "a key: give --pin, --public-key, or set WIF_SEAL_PUBLIC_KEYS",
            "NOT ANCHORED, nothing from outside vouches for it; missing: "
            "a seal: give --head or --against with what was mailed or kept elsewhere",
            UNSTAMPED,
            "INTACT",
        ]

    def test_a_log_that_is_anchored_outside(self, wif: Wif, sealed: Database) -> None:
        first = wif("audit", "seals", "public-key", "--hex").out.strip()
        (seal,) = read_seals(sealed)
        outcome = wif("audit", "verify", "--pin", first, "--head", f"1:{seal.hash}")
        assert outcome.code == 0
        assert "NOT ANCHORED" not in outcome.out
        pinned = wif("audit", "verify", "--pin", first, "--json").json
        assert (pinned["intact"], pinned["anchored"]) == (True, False)

    def test_a_log_sealed_anew_under_a_key_that_was_added_to_the_file(
        self, wif: Wif, sealed: Database, tmp_path: Path
    ) -> None:
        foreign = load_or_create_signing_key(tmp_path / "foreign")
        with (tmp_path / "var" / "seal.key.pub").open("ab") as file:
            file.write(foreign.public_pem)
        _seal_anew(sealed, tmp_path / "foreign")
        (tmp_path / "var" / "seals.jsonl").unlink()
        outcome = wif("audit", "verify")
        assert outcome.code == 1
        assert "seal 1: seal-key-unknown" in outcome.out

    def test_a_log_sealed_anew_under_another_first_key_shows_against_the_pinned_one(
        self, wif: Wif, sealed: Database, tmp_path: Path
    ) -> None:
        first = wif("audit", "seals", "public-key", "--hex").out.strip()
        for name in ("seal.key", "seal.key.pub", "seals.jsonl"):
            (tmp_path / "var" / name).unlink()
        load_or_create_signing_key(tmp_path / "var" / "seal.key")
        _seal_anew(sealed, tmp_path / "var" / "seal.key")
        blind = wif("audit", "verify")
        assert (blind.code, "NOT ANCHORED" in blind.out) == (0, True)
        assert "seal 1: seal-key-unknown" in wif("audit", "verify", "--pin", first).out

    def test_a_log_cut_off_with_its_seals_and_journal_shows_against_the_mailed_seal(
        self, wif: Wif, sealed: Database, tmp_path: Path
    ) -> None:
        write(sealed, 5)
        wif("audit", "seal")
        newest = list(read_seals(sealed))[-1]
        with tampering(sealed) as connection:
            connection.execute(text("DELETE FROM audit_lines WHERE id > 30"))
            connection.execute(text("DELETE FROM audit_seals WHERE number = 2"))
        (tmp_path / "var" / "seals.jsonl").unlink()
        assert wif("audit", "verify").code == 0
        outcome = wif("audit", "verify", "--head", f"2:{newest.hash}")
        assert outcome.code == 1
        assert "seal 2: seal-missing" in outcome.out

    def test_a_head_that_is_none(self, wif: Wif, sealed: Database) -> None:
        assert wif("audit", "verify", "--head", "12").code == 2

    def test_a_log_without_seals_is_said_to_be_so(self, wif: Wif, database: Database) -> None:
        write(database, 2)
        outcome = wif("audit", "verify")
        assert outcome.code == 0
        assert outcome.out.splitlines()[-1] == "INTACT, but nothing is sealed yet"

    def test_a_tampered_log(self, wif: Wif, sealed: Database) -> None:
        tamper(sealed, "UPDATE audit_lines SET unit = 'UD093' WHERE id = 14")
        outcome = wif("audit", "verify")
        assert outcome.code == 1
        assert outcome.out.splitlines()[1:] == ["seal 1: line-edited 14", UNSTAMPED, "TAMPERED"]

    def test_as_json(self, wif: Wif, sealed: Database) -> None:
        tamper(sealed, "DELETE FROM audit_lines WHERE id IN (7, 8, 20)")
        outcome = wif("audit", "verify", "--json")
        assert outcome.code == 1
        found = outcome.json
        assert found["intact"] is False
        assert found["findings"] == [{"problem": "line-deleted", "seal": 1, "lines": "7-8,20"}]
        assert (found["lines"], found["seals"], found["head"]["number"]) == (27, 1, 1)

    def test_a_log_that_was_cut_off_with_its_seals(self, wif: Wif, sealed: Database) -> None:
        write(sealed, 5)
        wif("audit", "seal")
        tamper(sealed, "DELETE FROM audit_lines WHERE id > 30")
        tamper(sealed, "DELETE FROM audit_seals WHERE number = 2")
        outcome = wif("audit", "verify")
        assert (outcome.code, outcome.out.splitlines()[1]) == (1, "seal 2: seal-missing")
        Path("var/seals.jsonl").unlink()
        assert wif("audit", "verify").code == 0, "the control: nothing else tells"

    def test_a_log_rewritten_with_the_stolen_key(
        self, wif: Wif, sealed: Database, tmp_path: Path
    ) -> None:
        assert wif("audit", "seals", "export", "elsewhere.jsonl").code == 0
        tamper(sealed, "UPDATE audit_lines SET unit = 'UD093' WHERE id = 14")
        tamper(sealed, "DELETE FROM audit_seals")
        stolen = load_or_create_signing_key(Path("var/seal.key"))
        seal_pending(sealed, stolen, now=START)
        Path("var/seals.jsonl").unlink()
        assert wif("audit", "verify").code == 0
        outcome = wif("audit", "verify", "--against", "elsewhere.jsonl")
        assert outcome.code == 1
        assert "seal 1: seal-differs-from-exported" in outcome.out

    def test_seals_kept_elsewhere_that_were_edited(self, wif: Wif, sealed: Database) -> None:
        path = Path("var/seals.jsonl")
        path.write_text(path.read_text().replace('"size":30', '"size":29'))
        outcome = wif("audit", "verify")
        assert (outcome.code, outcome.out.splitlines()[1]) == (1, "seal 1: exported-seal-edited")

    def test_a_key_that_is_not_trusted(self, wif: Wif, sealed: Database) -> None:
        assert wif("audit", "seals", "new-key", "other.key").code == 0
        outcome = wif("audit", "verify", "--public-key", "other.key.pub")
        assert outcome.code == 1
        assert "seal 1: seal-key-unknown" in outcome.out
        both = ("--public-key", "other.key.pub", "--public-key", "var/seal.key.pub")
        assert wif("audit", "verify", *both).code == 0

    def test_without_public_keys_those_that_signed_are_named(
        self, wif: Wif, sealed: Database
    ) -> None:
        key = load_or_create_signing_key(Path("var/seal.key"))
        for name in ("seal.key", "seal.key.pub"):
            Path("var", name).unlink()
        outcome = wif("audit", "verify")
        assert outcome.code == 0
        assert key.public in outcome.out
        assert "no public key was given" in outcome.out

    @pytest.mark.parametrize(
        ("options", "complaint"),
        [
            (["--file", "none"], "none: cannot be read: No such file or directory"),
            (["--against", "none"], "none: cannot be read: No such file or directory"),
            (["--public-key", "none"], "none: cannot be read: No such file or directory"),
            (["--file", "text"], "text: does not begin as a version 1 audit export does"),
            (["--against", "text"], "text, line 1: is not an exported seal"),
            (["--public-key", "text"], "text: holds no Ed25519 public key in PEM"),
            (["--file", "pipe"], "pipe: cannot be read: is no regular file"),
            (["--against", "pipe"], "pipe: cannot be read: is no regular file"),
            (["--public-key", "pipe"], "pipe: cannot be read: is no regular file"),
        ],
    )
    def test_what_could_not_be_checked(self, wif: Wif, options: list[str], complaint: str) -> None:
        Path("text").write_text("text\n")
        os.mkfifo("pipe")
        outcome = wif("audit", "verify", *options)
        assert (outcome.code, outcome.out, outcome.err) == (2, "", f"{complaint}\n")

    def test_a_database_that_is_away(self, wif: Wif, monkeypatch: pytest.MonkeyPatch) -> None:
        url = "postgresql://wif:geheim@127.0.0.1:1/wif"  # pragma: allowlist secret
        monkeypatch.setenv("WIF_DATABASE_URL", url)
        outcome = wif("audit", "verify")
        assert outcome.code == 2
        assert outcome.err.count("\n") == 1
        assert "geheim" not in outcome.err


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
        assert wif("audit", "seals", "export", "a.jsonl").out == "1 seals added to a.jsonl\n"
        assert wif("audit", "seals", "export", "a.jsonl").out == "0 seals added to a.jsonl\n"
        assert wif("audit", "seals", "export", "-").out == Path("a.jsonl").read_text()

    def test_a_file_that_contradicts_the_database(self, wif: Wif, sealed: Database) -> None:
        wif("audit", "seals", "export", "a.jsonl")
        tamper(sealed, "DELETE FROM audit_seals")
        outcome = wif("audit", "seals", "export", "a.jsonl")
        assert outcome.code == 2
        assert "a.jsonl: seal 1 is not the database's" in outcome.err


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
            "13760/2: no line under the 1 known keys; "
            "lines under 1 unknown keys cannot be tied to a dossier\n"
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
        assert outcome.err == "20 lines under 1 seals, 0 not sealed yet, 10 withheld; signed\n"
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
