"""Keys that sign seals: kept in files, replaced without losing the old public halves."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from store.audit.seal_keys import (
    SealKeyError,
    is_signed,
    load_or_create_signing_key,
    load_signing_key,
    public_key_file,
    read_public_keys,
    rotate_signing_key,
    trusted_keys,
)


def test_a_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "seal.key"
    made = load_or_create_signing_key(path)
    assert load_or_create_signing_key(path).public == made.public
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(file.name for file in path.parent.iterdir()) == ["seal.key", "seal.key.pub"]


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        for turn in range(20):
            path = tmp_path / str(turn) / "seal.key"
            made = list(pool.map(lambda _, path=path: load_or_create_signing_key(path), range(16)))
            assert {key.public for key in made} == {load_signing_key(path).public}
            assert trusted_keys(path) == {made[0].public}


def test_a_repr_shows_the_public_half_only(tmp_path: Path) -> None:
    key = load_or_create_signing_key(tmp_path / "seal.key")
    assert repr(key) == f"SigningKey({key.public})"


def test_a_rotation_replaces_the_key_and_keeps_every_public_half(tmp_path: Path) -> None:
    path = tmp_path / "seal.key"
    old = load_or_create_signing_key(path)
    new = rotate_signing_key(path)
    newest = rotate_signing_key(path)
    assert load_signing_key(path).public == newest.public
    assert len({old.public, new.public, newest.public}) == 3
    assert trusted_keys(path) == {old.public, new.public, newest.public}


def test_a_rotation_remembers_a_key_that_was_put_there_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "seal.key"
    old = load_or_create_signing_key(path)
    public_key_file(path).unlink()
    new = rotate_signing_key(path)
    assert trusted_keys(path) == {old.public, new.public}


def test_a_key_that_somebody_added_to_the_file_counts_for_nothing(tmp_path: Path) -> None:
    path, foreign = tmp_path / "seal.key", load_or_create_signing_key(tmp_path / "foreign")
    old = load_or_create_signing_key(path)
    new = rotate_signing_key(path)
    with public_key_file(path).open("ab") as file:
        file.write(foreign.public_pem)
    assert trusted_keys(path) == {old.public, new.public}
    assert trusted_keys(path, {old.public}) == {old.public, new.public}
    assert trusted_keys(path, {new.public}) == {new.public}
    assert foreign.public not in trusted_keys(path, {old.public, new.public})


def test_an_endorsement_is_worth_nothing_for_another_key(tmp_path: Path) -> None:
    path, foreign = tmp_path / "seal.key", load_or_create_signing_key(tmp_path / "foreign")
    old = load_or_create_signing_key(path)
    rotate_signing_key(path)
    file = public_key_file(path)
    stolen = next(line for line in file.read_bytes().splitlines() if line.startswith(b"# endorsed"))
    file.write_bytes(old.public_pem + stolen + b"\n" + foreign.public_pem)
    path.unlink()
    assert trusted_keys(path) == {old.public}


def test_without_files_no_key_is_trusted(tmp_path: Path) -> None:
    assert trusted_keys(tmp_path / "seal.key") == frozenset()


def test_the_public_halves_alone_are_enough_to_trust(tmp_path: Path) -> None:
    path = tmp_path / "seal.key"
    key = load_or_create_signing_key(path)
    path.unlink()
    assert trusted_keys(path) == {key.public}


def test_a_signature_holds_for_its_message_and_key_only(tmp_path: Path) -> None:
    key = load_or_create_signing_key(tmp_path / "a")
    other = load_or_create_signing_key(tmp_path / "b")
    signature = key.sign(b"message")
    assert is_signed(b"message", signature=signature, public=key.public)
    assert not is_signed(b"massage", signature=signature, public=key.public)
    assert not is_signed(b"message", signature=signature, public=other.public)
    assert not is_signed(b"message", signature=signature.upper(), public=key.public)
    assert not is_signed(b"message", signature=signature, public=f" {key.public}")
    assert not is_signed(b"message", signature="zz", public=key.public)
    assert not is_signed(b"message", signature=signature, public=key.public[:-2])


DAMAGED_PEM = (
    b"-----BEGIN PRIVATE KEY-----\n"  # pragma: allowlist secret
    b"AAAA\n-----END PRIVATE KEY-----\n"
)


def _foreign_private() -> bytes:
    key = generate_private_key(SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _foreign_public() -> bytes:
    key = generate_private_key(SECP256R1()).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is not a private key in PEM"),
        (DAMAGED_PEM, "is not a private key"),
        (_foreign_private(), "another kind than Ed25519"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_is_no_key_is_refused(
    tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    path = tmp_path / "seal.key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SealKeyError) as caught:
        load_signing_key(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"nothing", "holds no Ed25519 public key"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "damaged"),
        (_foreign_public(), "holds no Ed25519 public key"),
    ],
)
def test_a_file_without_public_keys_is_refused(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "keys.pem"
    path.write_bytes(content)
    with pytest.raises(SealKeyError, match=complaint):
        read_public_keys(path)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SealKeyError, match="cannot be written"):
        load_or_create_signing_key(tmp_path / "file" / "seal.key")
