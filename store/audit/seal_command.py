"""Seals signed by a command: the key lives in a token, a vault or on another machine.

The command gets what is to be signed on its standard input and writes the Ed25519 signature to its
standard output, as 64 bytes or as hex. What it gives is checked before it is used.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from store.audit.seal_keys import PublicKey, SealKeyError, is_signed, read_public_keys

SECONDS = 20.0

SIGNATURE_BYTES = 64


class CommandSigner:
    """Signs by a command.

    Args:
        command: program and arguments; no shell reads them.
        public: the public half of its key, in hex.
        seconds: that the command may take for one signature.
    """

    def __init__(self, command: Sequence[str], public: str, *, seconds: float = SECONDS) -> None:
        self._command = tuple(command)
        self.public = public
        self._seconds = seconds

    def sign(self, message: bytes) -> str:
        """Signature over `message`, 64 bytes in hex.

        Raises:
            SealKeyError: the command failed, took too long, or signed with another key.
        """
        program = self._command[0]
        try:
            done = subprocess.run(
                self._command,
                input=message,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=self._seconds,
                check=True,
            )
        except subprocess.TimeoutExpired:
            raise SealKeyError(
                f"WIF_SEAL_COMMAND: {program} took over {self._seconds:.0f} s"
            ) from None
        except (OSError, subprocess.CalledProcessError) as error:
            raise SealKeyError(
                f"WIF_SEAL_COMMAND: {program} failed ({type(error).__name__}); run it by hand with "
                "a file on its standard input"
            ) from None
        signature = _hex(done.stdout)
        if not is_signed(message, signature=signature, public=self.public):
            raise SealKeyError(
                f"WIF_SEAL_COMMAND: what {program} writes is no Ed25519 signature by the key whose "
                "public half is in WIF_SEAL_KEY_FILE"
            )
        return signature


def _hex(output: bytes) -> str:
    if len(output) == SIGNATURE_BYTES:
        return output.hex()
    return output[: SIGNATURE_BYTES * 2 + 2].decode("ascii", errors="replace").strip().lower()


def load_command_signer(command: Sequence[str], public_key: Path) -> CommandSigner:
    """A signer whose public half is the one key in the PEM file `public_key`.

    Raises:
        SealKeyError: the command is empty, or the file does not hold one public key.
    """
    if not command:
        raise SealKeyError("WIF_SEAL_COMMAND: is empty; for example: /usr/local/bin/sign-seal")
    keys: tuple[PublicKey, ...] = read_public_keys(public_key)
    if len(keys) != 1:
        raise SealKeyError(f"{public_key}: must hold the one public key of WIF_SEAL_COMMAND")
    return CommandSigner(command, keys[0].public)
