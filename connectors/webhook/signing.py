"""Signatures by the Standard Webhooks specification, with secrets read from one file a unit.

Each line of the file is one of them, `whsec_` and base64 for HMAC-SHA256 (`v1`) or `whsk_` and
base64 for Ed25519 (`v1a`). A message carries a signature of each, the first line's first: a
receiver that knows any of them verifies it. So a secret is rotated with overlap: put the new one
on the first line, hand it to the unit, and take the old one out when the unit has it.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config.files import read_regular
from routing.failures import Cause, Failure

HMAC_PREFIX = "whsec_"
ED25519_PREFIX = "whsk_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a secret for HMAC."""

_SEED = 32
_LARGEST_FILE = 16_384
_MOST_SECRETS = 8

Key = Callable[[bytes], str]
"""Signs a content: gives version and signature as they stand in the header."""


def read_secrets(folder: Path | None, unit: str) -> tuple[Key, ...]:
    """The secrets of a unit, in the order of their lines.

    They are read anew for each message, so that a rotation needs no restart.

    Args:
        folder: with a file for each unit, None where the settings name none.
        unit: its code.

    Raises:
        Failure: there are none, or one line is not a secret (`WEBHOOK_UNSIGNED`).
    """
    if folder is None:
        raise Failure(Cause.WEBHOOK_UNSIGNED)
    try:
        text = read_regular(folder / unit, most=_LARGEST_FILE, whole=True).decode("ascii")
        lines = [line.strip() for line in text.splitlines()]
        keys = [parse_key(line) for line in lines if line and not line.startswith("#")]
    except (OSError, ValueError):
        keys = []
    if not 0 < len(keys) <= _MOST_SECRETS:
        raise Failure(Cause.WEBHOOK_UNSIGNED)
    return tuple(keys)


def parse_key(line: str) -> Key:
    """The key that a line of a file is.

    Raises:
        ValueError: it is none. The line is not repeated.
    """
    if line.startswith(HMAC_PREFIX):
        secret = _decoded(line.removeprefix(HMAC_PREFIX))
        if not SHORTEST <= len(secret) <= LONGEST:
            raise ValueError(f"a secret for HMAC has {SHORTEST} to {LONGEST} bytes")
        return lambda content: _written("v1", hmac.digest(secret, content, hashlib.sha256))
    if line.startswith(ED25519_PREFIX):
        seed = _decoded(line.removeprefix(ED25519_PREFIX))
        if len(seed) not in {_SEED, 2 * _SEED}:
            raise ValueError("a key for Ed25519 has 32 bytes, or 64 with its public half")
        private = Ed25519PrivateKey.from_private_bytes(seed[:_SEED])
        return lambda content: _written("v1a", private.sign(content))
    raise ValueError("a secret begins with whsec_ or whsk_")


def signed_headers(
    keys: Sequence[Key], message_id: str, at: datetime, body: bytes
) -> dict[str, str]:
    """The three headers of a message.

    Args:
        keys: that sign, the first one first.
        message_id: the same at every attempt; holds no full stop.
        at: instant of the attempt.
        body: exactly as it is sent.
    """
    timestamp = str(int(at.timestamp()))
    content = b".".join((message_id.encode("ascii"), timestamp.encode("ascii"), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(sign(content) for sign in keys),
    }


def _written(version: str, signature: bytes) -> str:
    return f"{version},{base64.b64encode(signature).decode('ascii')}"


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise ValueError("what follows the prefix is not base64") from None
