"""The certificate and the key that mails are signed with: whether they fit, and fit the sender.

Libraries are imported where they are used: most commands need none of them.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

SMALLEST_RSA = 2_048
"""Bits."""

EXPIRES_SOON = timedelta(days=30)
"""So long before its end a certificate is warned of."""


class SmimeError(ValueError):
    """Certificate or key will not do.

    Attributes:
        setting: name of the wrong setting, without its prefix.
    """

    def __init__(self, setting: str, text: str) -> None:
        self.setting = setting
        super().__init__(text)


def check_pair(certificate: str | None, key: str | None, sender: str, *, production: bool) -> None:
    """Accept a certificate chain and a key (PEM) with which mails of `sender` can be signed.

    Args:
        certificate: the sender's own one first; None without signatures.
        key: its private key, not encrypted; None likewise.
        sender: mailbox that mails come from.
        production: refuse also what no reader would trust.

    Raises:
        SmimeError: what is wrong; neither is repeated.
    """
    if certificate is None and key is None:
        return
    if certificate is None:
        raise SmimeError("smime_certificate", "is needed with WIF_SMIME_KEY")
    if key is None:
        raise SmimeError("smime_key", "is needed with WIF_SMIME_CERTIFICATE")
    own = own_certificate(certificate)
    _check_key(own, key)
    _check_use(own, sender)
    if production and own.issuer == own.subject:
        raise SmimeError(
            "smime_certificate", "is signed by itself alone: no mail reader would trust it"
        )


def own_certificate(pem: str) -> "Certificate":
    """The first certificate of a chain.

    Raises:
        SmimeError: there is none.
    """
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415

    try:
        return load_pem_x509_certificates(pem.encode())[0]
    except (ValueError, IndexError):
        raise SmimeError("smime_certificate", "holds no certificate in PEM") from None


def expires_at(pem: str) -> datetime:
    """When the first certificate of a chain, or one that vouches for it, is valid no more."""
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415

    return min(each.not_valid_after_utc for each in load_pem_x509_certificates(pem.encode()))


def _check_key(own: "Certificate", pem: str) -> None:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except TypeError:
        raise SmimeError(
            "smime_key", "is encrypted: nobody is there to type its password"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise SmimeError("smime_key", "is no private key in PEM") from None
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise SmimeError("smime_key", "is neither RSA nor elliptic: mail readers know no other")
    if isinstance(key, RSAPrivateKey) and key.key_size < SMALLEST_RSA:
        raise SmimeError("smime_key", f"has less than {SMALLEST_RSA} bits")
    if key.public_key() != own.public_key():
        raise SmimeError("smime_key", "is not the key of the first certificate")


def _check_use(own: "Certificate", sender: str) -> None:
    """It is for mail, and for this sender: mail readers warn of any other."""
    from cryptography.x509 import ExtendedKeyUsage, ExtensionNotFound  # noqa: PLC0415
    from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415

    from routing.mailbox import Mailbox  # noqa: PLC0415

    try:
        uses = own.extensions.get_extension_for_class(ExtendedKeyUsage).value
    except ExtensionNotFound:
        uses = None
    if uses is not None and ExtendedKeyUsageOID.EMAIL_PROTECTION not in uses:
        raise SmimeError("smime_certificate", "is not for signing mail (emailProtection)")
    if Mailbox.parse(sender).address.casefold() not in _addresses(own):
        raise SmimeError("smime_certificate", "is not for the address in WIF_MAIL_FROM")


def _addresses(own: "Certificate") -> set[str]:
    from cryptography.x509 import (  # noqa: PLC0415
        ExtensionNotFound,
        RFC822Name,
        SubjectAlternativeName,
    )
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    found = [each.value for each in own.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)]
    try:
        names = own.extensions.get_extension_for_class(SubjectAlternativeName).value
    except ExtensionNotFound:
        names = None
    found += names.get_values_for_type(RFC822Name) if names is not None else []
    return {str(each).casefold() for each in found}
