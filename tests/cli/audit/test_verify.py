"""`wif audit verify`: what it says of an intact log and of every other, and its exit codes."""

import os
from pathlib import Path

import pytest
from sqlalchemy import text

from store.audit.seal_keys import load_or_create_signing_key
from store.audit.seals import read_seals, seal_pending
from store.engine import Database
from tests.cli.audit.commands import Wif, tamper
from tests.store.audit.samples import START, tampering, write

UNSTAMPED = "no timestamp of a third party: whoever has database and key can rewrite the past"


def _seal_anew(database: Database, key: Path) -> None:
    """What somebody does who owns the database and some key of their own."""
    with tampering(database) as connection:
        connection.execute(text("DELETE FROM audit_seals"))
    seal_pending(database, load_or_create_signing_key(key), now=START)


def test_an_intact_log(wif: Wif, sealed: Database) -> None:
    write(sealed, 2)
    outcome = wif("audit", "verify")
    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        "30 lines under 1 seal checked, against var/seals.jsonl",
        "2 lines from 31 on (2026-01-05 08:00:00.000000 UTC) are not sealed yet",
        "NOT ANCHORED, nothing from outside vouches for it; missing: "
        "a key: give --pin, --public-key, or set WIF_SEAL_PUBLIC_KEYS",
        "NOT ANCHORED, nothing from outside vouches for it; missing: "
        "a seal: give --head or --against with what was mailed or kept elsewhere",
        UNSTAMPED,
        "INTACT",
    ]


def test_a_log_that_is_anchored_outside(wif: Wif, sealed: Database) -> None:
    first = wif("audit", "seals", "public-key", "--hex").out.strip()
    (seal,) = read_seals(sealed)
    outcome = wif("audit", "verify", "--pin", first, "--head", f"1:{seal.hash}")
    assert outcome.code == 0
    assert "NOT ANCHORED" not in outcome.out
    pinned = wif("audit", "verify", "--pin", first, "--json").json
    assert (pinned["intact"], pinned["anchored"]) == (True, False)


def test_a_log_sealed_anew_under_a_key_that_was_added_to_the_file(
    wif: Wif, sealed: Database, tmp_path: Path
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
    wif: Wif, sealed: Database, tmp_path: Path
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
    wif: Wif, sealed: Database, tmp_path: Path
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


def test_a_head_that_is_none(wif: Wif, sealed: Database) -> None:
    assert wif("audit", "verify", "--head", "12").code == 2


def test_a_log_without_seals_is_said_to_be_so(wif: Wif, database: Database) -> None:
    write(database, 2)
    outcome = wif("audit", "verify")
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1] == "INTACT, but nothing is sealed yet"


def test_a_tampered_log(wif: Wif, sealed: Database) -> None:
    tamper(sealed, "UPDATE audit_lines SET unit = 'UD093' WHERE id = 14")
    outcome = wif("audit", "verify")
    assert outcome.code == 1
    assert outcome.out.splitlines()[1:] == ["seal 1: line-edited 14", UNSTAMPED, "TAMPERED"]


def test_as_json(wif: Wif, sealed: Database) -> None:
    tamper(sealed, "DELETE FROM audit_lines WHERE id IN (7, 8, 20)")
    outcome = wif("audit", "verify", "--json")
    assert outcome.code == 1
    found = outcome.json
    assert found["intact"] is False
    assert found["findings"] == [{"problem": "line-deleted", "seal": 1, "lines": "7-8,20"}]
    assert (found["lines"], found["seals"], found["head"]["number"]) == (27, 1, 1)


def test_a_log_that_was_cut_off_with_its_seals(wif: Wif, sealed: Database) -> None:
    write(sealed, 5)
    wif("audit", "seal")
    tamper(sealed, "DELETE FROM audit_lines WHERE id > 30")
    tamper(sealed, "DELETE FROM audit_seals WHERE number = 2")
    outcome = wif("audit", "verify")
    assert (outcome.code, outcome.out.splitlines()[1]) == (1, "seal 2: seal-missing")
    Path("var/seals.jsonl").unlink()
    assert wif("audit", "verify").code == 0, "the control: nothing else tells"


def test_a_log_rewritten_with_the_stolen_key(wif: Wif, sealed: Database, tmp_path: Path) -> None:
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


def test_seals_kept_elsewhere_that_were_edited(wif: Wif, sealed: Database) -> None:
    path = Path("var/seals.jsonl")
    path.write_text(path.read_text().replace('"size":30', '"size":29'))
    outcome = wif("audit", "verify")
    assert (outcome.code, outcome.out.splitlines()[1]) == (1, "seal 1: exported-seal-edited")


def test_a_key_that_is_not_trusted(wif: Wif, sealed: Database) -> None:
    assert wif("audit", "seals", "new-key", "other.key").code == 0
    outcome = wif("audit", "verify", "--public-key", "other.key.pub")
    assert outcome.code == 1
    assert "seal 1: seal-key-unknown" in outcome.out
    both = ("--public-key", "other.key.pub", "--public-key", "var/seal.key.pub")
    assert wif("audit", "verify", *both).code == 0


def test_without_public_keys_those_that_signed_are_named(wif: Wif, sealed: Database) -> None:
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
def test_what_could_not_be_checked(wif: Wif, options: list[str], complaint: str) -> None:
    Path("text").write_text("text\n")
    os.mkfifo("pipe")
    outcome = wif("audit", "verify", *options)
    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"{complaint}\n")


def test_a_database_that_is_away(wif: Wif, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql://wif:geheim@127.0.0.1:1/wif"  # pragma: allowlist secret
    monkeypatch.setenv("WIF_DATABASE_URL", url)
    outcome = wif("audit", "verify")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "geheim" not in outcome.err
