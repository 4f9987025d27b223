"""The keys that sign seals (Ed25519): a private key in a file, all public keys so far beside it."""

import contextlib
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from config.files import read_regular, write_whole

LARGEST_KEY_FILE = 1_000_000
"""Bytes; a key takes some 120, with its endorsement 280."""

_PUBLIC_PEM = re.compile(
    rb"(?:# endorsed by the key before: ([0-9a-f]{128})\n)?"
    rb"(-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----)",
    re.DOTALL,
)
_ENDORSEMENT = b"wif-seal-key-endorsement "


class SealKeyError(Exception):
    """A key file cannot be used. Its text is one line, without the key."""


class Signer(Protocol):
    """What signs seals.

    Attributes:
        public: the public half of its key, 32 bytes in hex.
    """

    @property
    def public(self) -> str: ...

    def sign(self, message: bytes) -> str:
        """Signature over `message`, 64 bytes in hex."""


class SigningKey:
    """A private key. Its repr shows only the public half.

    Attributes:
        public: the public key, 32 bytes in hex.
    """

    __slots__ = ("_private", "public")

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public: str = private.public_key().public_bytes_raw().hex()

    def __repr__(self) -> str:
        return f"SigningKey({self.public})"

    @property
    def public_pem(self) -> bytes:
        """The public key as others read it."""
        return public_pem(self.public)

    def sign(self, message: bytes) -> str:
        """Signature over `message`, 64 bytes in hex."""
        return self._private.sign(message).hex()


def public_pem(public: str) -> bytes:
    """A public key (32 bytes in hex) as others read it."""
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key (32 bytes in hex) and what the key before it signed when it took over."""

    public: str
    endorsement: str = ""


def is_signed(message: bytes, *, signature: str, public: str) -> bool:
    """Whether `signature` over `message` was made by the key whose public half is `public`."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError, TypeError):
        return False
    # Hex in capitals or with blanks is another text for the same bytes.
    return _is_plain_hex(signature) and _is_plain_hex(public)


def load_or_create_signing_key(path: Path) -> SigningKey:
    """The key in the file `path`; made on first use, with its public half in `public_key_file`.

    Raises:
        SealKeyError: the file is not an Ed25519 private key, or cannot be read or made.
    """
    if path.exists():
        return load_signing_key(path)
    with _writing(path):
        _keep(path, replace=False)
        key = load_signing_key(path)
        _remember(path, key.public)
    return key


def load_signing_key(path: Path) -> SigningKey:
    """The key in the file `path`.

    Raises:
        SealKeyError: the file is not an Ed25519 private key, or cannot be read.
    """
    try:
        private = load_pem_private_key(_content(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SealKeyError(f"{path}: is not a private key in PEM without a password") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise SealKeyError(f"{path}: is a key of another kind than Ed25519")
    return SigningKey(private)


def rotate_signing_key(path: Path) -> SigningKey:
    """Put a new key in the place of the one in `path`, which is gone; its public half is kept.

    Raises:
        SealKeyError: there is no key to replace, or the file cannot be written.
    """
    old = load_signing_key(path)
    with _writing(path):
        _remember(path, old.public)
        _keep(path, replace=True)
        key = load_signing_key(path)
        _remember(path, key.public, old)
    return key


def public_key_file(path: Path) -> Path:
    """Where the public keys of the private key file `path` are kept, oldest first."""
    return path.with_name(f"{path.name}.pub")


def read_public_keys(path: Path) -> tuple["PublicKey", ...]:
    """The public keys in a file of one or more PEM blocks, in their order.

    Raises:
        SealKeyError: the file cannot be read or holds no Ed25519 public key.
    """
    try:
        blocks = [
            (signature.decode(), load_pem_public_key(block))
            for signature, block in _PUBLIC_PEM.findall(_content(path))
        ]
    except (ValueError, UnsupportedAlgorithm):
        raise SealKeyError(f"{path}: holds a damaged public key") from None
    known = [
        PublicKey(key.public_bytes_raw().hex(), endorsement=signature)
        for signature, key in blocks
        if isinstance(key, Ed25519PublicKey)
    ]
    if not known:
        raise SealKeyError(f"{path}: holds no Ed25519 public key in PEM")
    return tuple(known)


def anchored_keys(known: Iterable[PublicKey], pins: Collection[str]) -> frozenset[str]:
    """The public keys that trust from outside reaches.

    Args:
        known: keys as they stand in their file, oldest first; any process may have added one.
        pins: keys (hex) that the verifier knows from elsewhere. One that stands after them in the
            file is trusted when one that is trusted has signed it.
    """
    trusted = set(pins)
    for key in known:
        message = _ENDORSEMENT + key.public.encode()
        if any(is_signed(message, signature=key.endorsement, public=before) for before in trusted):
            trusted.add(key.public)
    return frozenset(trusted)


def trusted_keys(path: Path, pins: Collection[str] = ()) -> frozenset[str]:
    """The public keys that may have signed: those that `pins`, else the first known, reach.

    Raises:
        SealKeyError: a key file is there but cannot be used.
    """
    known = known_keys(path)
    return anchored_keys(known, pins or {each.public for each in known[:1]})


def public_half(path: Path) -> str:
    """The public key (hex) of a key file: of a private key, or of the one public key in it.

    Raises:
        SealKeyError: it holds neither.
    """
    if b"PUBLIC KEY" in _content(path):
        return read_public_keys(path)[0].public
    return load_signing_key(path).public


def known_keys(path: Path) -> tuple[PublicKey, ...]:
    """The public keys known beside the private key file `path`, oldest first.

    None when there is neither file.

    Raises:
        SealKeyError: one of the files is there but cannot be used.
    """
    beside = public_key_file(path)
    known = read_public_keys(beside) if beside.exists() else ()
    if path.exists():
        known = (*known, PublicKey(public_half(path)))
    return known


def _content(path: Path) -> bytes:
    try:
        return read_regular(path, most=LARGEST_KEY_FILE, whole=True)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SealKeyError(f"{path}: cannot be read: {why}") from None


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SealKeyError(f"{path}: cannot be written ({type(error).__name__})") from None


def _keep(path: Path, *, replace: bool) -> None:
    """Write a new key, readable by its owner only."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    write_whole(path, pem, replace=replace)


def endorse(path: Path, public: str, before: Signer) -> None:
    """Let the key that signs now, `before`, vouch for the one that will sign next.

    Args:
        path: the key file beside which the public keys are kept.
        public: the next public key (hex).

    Raises:
        SealKeyError: the file of public keys cannot be written.
    """
    with _writing(path):
        _remember(path, before.public)
        _remember(path, public, before)


def _remember(path: Path, public: str, before: Signer | None = None) -> None:
    beside = public_key_file(path)
    known = b""
    if beside.exists():
        if public in {each.public for each in read_public_keys(beside)}:
            return
        known = _content(beside)
    if before is not None:
        endorsement = before.sign(_ENDORSEMENT + public.encode())
        known += f"# endorsed by the key before: {endorsement}\n".encode()
    # Whole: another process that starts now must not find it empty.
    write_whole(beside, known + public_pem(public), mode=0o644)


def _is_plain_hex(text: str) -> bool:
    return bytes.fromhex(text).hex() == text
