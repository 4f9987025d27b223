"""Certificates for signing mail, by an authority that does not exist, and `openssl` to verify."""

import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

OPENSSL = shutil.which("openssl") or "openssl"
SENDER = "ne-pas-repondre@wif.example"
BEGUN = datetime(2001, 1, 1, tzinfo=UTC)
FAR = datetime(2999, 1, 1, tzinfo=UTC)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: str
    key: str


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def authority_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


AUTHORITY = _name("An authority that does not exist")


@cache
def authority() -> x509.Certificate:
    key = authority_key()
    builder = x509.CertificateBuilder().subject_name(AUTHORITY).issuer_name(AUTHORITY)
    builder = builder.public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(BEGUN).not_valid_after(FAR)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return builder.sign(key, SHA256())


def pair(
    address: str | None = SENDER,
    *,
    key: Key | None = None,
    end: datetime = FAR,
    use: x509.ObjectIdentifier = ExtendedKeyUsageOID.EMAIL_PROTECTION,
    by_itself: bool = False,
    chain: bool = False,
) -> Pair:
    """A certificate for an address; `chain`: with that of the authority behind it."""
    own = key or rsa_key()
    subject = _name("Work In France")
    builder = x509.CertificateBuilder().subject_name(subject)
    builder = builder.issuer_name(subject if by_itself else AUTHORITY)
    builder = builder.public_key(own.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(BEGUN).not_valid_after(end)
    builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    if address is not None:
        names = x509.SubjectAlternativeName([x509.RFC822Name(address)])
        builder = builder.add_extension(names, critical=False)
    made = builder.sign(rsa_key() if by_itself else authority_key(), SHA256())
    pem = made.public_bytes(Encoding.PEM).decode()
    if chain:
        pem += authority().public_bytes(Encoding.PEM).decode()
    return Pair(pem, pem_of(own))


def pem_of(key: Key, password: bytes | None = None) -> str:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


def verified(mail: bytes, folder: Path, *, command: str = "cms") -> bytes | None:
    """What was signed in a mail as `openssl` reads it; None when the signature is not good."""
    (folder / "mail.eml").write_bytes(mail)
    (folder / "authority.pem").write_bytes(authority().public_bytes(Encoding.PEM))
    ran = subprocess.run(
        [
            *(OPENSSL, command, "-verify", "-in", folder / "mail.eml", "-purpose", "smimesign"),
            *("-CAfile", folder / "authority.pem", "-out", folder / "content.eml"),
        ],
        capture_output=True,
        check=False,
    )
    return (folder / "content.eml").read_bytes() if ran.returncode == 0 else None
