"""S/MIME: mails signed with the service's certificate, as RFC 8551 says (`multipart/signed`).

What is signed is what was written before, byte for byte: a mail reader that knows no S/MIME shows
the mail as ever, with an attachment `smime.p7s`.
"""

import re
from base64 import encodebytes
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import (
    PKCS7Options,
    PKCS7SignatureBuilder,
)
from cryptography.x509 import Certificate, load_pem_x509_certificates

from connectors.closing import Closing
from connectors.mail.envelope import Envelope

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7PrivateKeyTypes

    from connectors.mail.sender import Sender

_BOUNDARY = b"=_wif-signed"
"""Cannot occur in a quoted-printable or base64 part."""

_OUTER = (
    b'Content-Type: multipart/signed; protocol="application/pkcs7-signature";\r\n'
    b' micalg=sha-256; boundary="%(boundary)s"\r\n\r\n'
    b"This is a signed message in MIME format.\r\n\r\n"
    b"--%(boundary)s\r\n%(entity)s\r\n--%(boundary)s\r\n"
    b'Content-Type: application/pkcs7-signature; name="smime.p7s"\r\n'
    b"Content-Transfer-Encoding: base64\r\n"
    b'Content-Disposition: attachment; filename="smime.p7s"\r\n\r\n'
    b"%(signature)s--%(boundary)s--\r\n"
)
_FIELD = re.compile(rb"^[^ \t].*\r\n(?:[ \t].*\r\n)*", re.MULTILINE)


class Signer:
    """A key with its certificates, its own one first. Its repr shows neither."""

    __slots__ = ("_chain", "_key")

    def __init__(self, key: "PKCS7PrivateKeyTypes", chain: list[Certificate]) -> None:
        self._key = key
        self._chain = chain

    def sign(self, content: bytes) -> bytes:
        """A mail, header and body with CRLF, as a signed one; only the signature ever differs.

        Raises:
            ValueError: it holds bytes that a server on the way may change.
        """
        header, _, body = content.partition(b"\r\n\r\n")
        fields = _FIELD.findall(header + b"\r\n")
        inner = [field for field in fields if field.lower().startswith(b"content-")]
        entity = b"".join(inner) + b"\r\n" + body
        if not entity.isascii():
            raise ValueError("what is signed must be written in 7 bits")
        values = {
            b"boundary": _BOUNDARY,
            b"entity": entity,
            b"signature": encodebytes(self._signature(entity)).replace(b"\n", b"\r\n"),
        }
        outer = b"".join(field for field in fields if field not in inner)
        return outer + _OUTER % values

    def _signature(self, entity: bytes) -> bytes:
        builder = PKCS7SignatureBuilder().set_data(entity)
        builder = builder.add_signer(self._chain[0], self._key, SHA256())
        for certificate in self._chain[1:]:
            builder = builder.add_certificate(certificate)
        # Binary: line ends are CRLF already, and nothing else is to be touched.
        options = [PKCS7Options.DetachedSignature, PKCS7Options.Binary]
        return builder.sign(Encoding.DER, options)


@lru_cache(maxsize=2)
def signer_of(certificate: str, key: str) -> Signer:
    """The signer of a certificate chain and a key in PEM, which the settings have checked.

    Raises:
        ValueError: they are none.
    """
    private = load_pem_private_key(key.encode(), password=None)
    return Signer(private, load_pem_x509_certificates(certificate.encode()))  # type: ignore[arg-type]


class SigningSender(Closing):
    """Hands messages over to another sender, signed."""

    def __init__(self, sender: "Sender", signer: Signer) -> None:
        self._sender = sender
        self._signer = signer

    def check(self) -> None:
        """See `SmtpSender.check`."""
        self._sender.check()

    def send(self, envelope: Envelope) -> None:
        """Sign `envelope` and hand it over."""
        self._sender.send(envelope.with_content(self._signer.sign(envelope.content)))

    def close(self) -> None:
        """Let go of what is open."""
        self._sender.close()
