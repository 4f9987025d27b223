"""Seals signed by a command: its key never comes to this process."""

import shutil
import subprocess
from pathlib import Path

import pytest

from store.audit.check import verify
from store.audit.seal_command import CommandSigner, load_command_signer
from store.audit.seal_keys import SealKeyError, endorse, trusted_keys
from store.audit.seals import seal_pending
from store.engine import Database
from tests.fixtures.harness import START
from tests.store.audit.samples import write

OPENSSL = shutil.which("openssl") or "openssl"

SIGN = """#!/bin/sh
# As a wrapper around a token would: the key is the command's affair.
message=$(mktemp) && trap 'rm -f "$message"' EXIT
cat > "$message"
openssl pkeyutl -sign -rawin -in "$message" -inkey "$1"
"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Where the key lives: a folder with the command."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "sign").write_text(SIGN)
    (folder / "sign").chmod(0o755)
    return folder


def make_key(folder: Path, name: str) -> Path:
    """A key there; the file of its public half."""
    private, public = folder / name, folder / f"{name}.public"
    make = [OPENSSL, "genpkey", "-algorithm", "ed25519", "-out", str(private)]
    subprocess.run(make, check=True, capture_output=True)
    show = [OPENSSL, "pkey", "-in", str(private), "-pubout", "-out", str(public)]
    subprocess.run(show, check=True, capture_output=True)
    return public


def signer(folder: Path, name: str = "one") -> CommandSigner:
    public = folder / f"{name}.public"
    if not public.exists():
        make_key(folder, name)
    return load_command_signer([str(folder / "sign"), str(folder / name)], public)


def test_what_the_command_signed_is_verified_with_its_public_key(
    database: Database, elsewhere: Path
) -> None:
    write(database, 3)
    made = seal_pending(database, signer(elsewhere), now=START)
    assert made.lines == 3
    public = signer(elsewhere).public
    assert verify(database, trusted=frozenset({public})).intact


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_the_next_key_is_vouched_for_by_the_one_before(
    database: Database, elsewhere: Path, tmp_path: Path
) -> None:
    one, two = signer(elsewhere, "one"), signer(elsewhere, "two")
    key_file = tmp_path / "seal.public"
    key_file.write_bytes((elsewhere / "one.public").read_bytes())
    for each in (one, two):
        write(database, 2)
        seal_pending(database, each, now=START)
        if each is one:
            endorse(key_file, two.public, one)
    trusted = trusted_keys(key_file, {one.public})
    assert trusted == {one.public, two.public}
    assert verify(database, trusted=trusted).intact


def test_the_signature_may_be_hex(elsewhere: Path, engine_name: str) -> None:
    text = SIGN.replace('"$1"\n', '"$1" | od -An -v -tx1 | tr -d " \\n"\n')
    (elsewhere / "sign").write_text(text)
    assert len(signer(elsewhere).sign(b"message")) == 128


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("exit 3", "failed (CalledProcessError)"),
        ("echo nonsense", "is no Ed25519 signature by the key"),
        ("head -c 64 /dev/zero", "is no Ed25519 signature by the key"),
        ("yes | head -c 1000000", "is no Ed25519 signature by the key"),
    ],
)
def test_what_is_no_signature_seals_nothing(
    database: Database, elsewhere: Path, script: str, says: str
) -> None:
    made = signer(elsewhere)
    (elsewhere / "sign").write_text(f"#!/bin/sh\n{script}\n")
    write(database, 1)
    with pytest.raises(SealKeyError, match=says.replace("(", r"\(").replace(")", r"\)")):
        seal_pending(database, made, now=START)
    assert verify(database).seals == 0


def test_a_command_that_is_not_there_or_hangs_is_said(elsewhere: Path, engine_name: str) -> None:
    make_key(elsewhere, "one")
    absent = CommandSigner([str(elsewhere / "none")], "00" * 32)
    with pytest.raises(SealKeyError, match="FileNotFoundError"):
        absent.sign(b"x")
    hangs = CommandSigner(["sleep", "5"], "00" * 32, seconds=0.05)
    with pytest.raises(SealKeyError, match="sleep took over"):
        hangs.sign(b"x")
