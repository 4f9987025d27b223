"""Timestamps of a third party (RFC 3161): proof of when something existed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import requests
from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    TimeStampRequest,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from config.files import read_regular
from connectors.deadline import TooManyBytes, within
from connectors.http import BoundedSession, read_body

SECONDS = 15.0
"""For the whole of one exchange with the authority."""

MOST_BYTES = 100_000
LARGEST_CERTIFICATES = 1_000_000
OK = 200


class TimestampError(ValueError):
    """No timestamp was had, or it is none of what it is said to be of. Its text is a code."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Whose timestamps are taken.

    Attributes:
        certificates: those trusted from outside, roots and intermediates.
    """

    certificates: Sequence[Certificate]

    @classmethod
    def from_file(cls, path: Path) -> "Authority":
        """The certificates in a PEM file.

        Raises:
            TimestampError: it holds none.
        """
        try:
            content = read_regular(path, most=LARGEST_CERTIFICATES, whole=True)
            return cls(load_pem_x509_certificates(content))
        except (OSError, ValueError):
            raise TimestampError("tsa-certificates-unreadable") from None

    def time_of(self, token: bytes, message: bytes, *, nonce: int | None = None) -> datetime:
        """When the authority saw `message`.

        Args:
            token: its answer (DER).
            message: what was stamped.
            nonce: that of the request; None where it is not known any more.

        Raises:
            TimestampError: it is not signed under the certificates, or is of something else.
        """
        try:
            answer = decode_timestamp_response(token)
            builder = VerifierBuilder(roots=self._roots, intermediates=self._others, nonce=nonce)
            builder.build().verify_message(answer, message)
            seen_at: datetime = answer.tst_info.gen_time
        except (VerificationError, ValueError, TypeError):
            raise TimestampError("timestamp-invalid") from None
        return seen_at

    @property
    def _roots(self) -> list[Certificate]:
        return [each for each in self.certificates if each.subject == each.issuer]

    @property
    def _others(self) -> list[Certificate]:
        return [each for each in self.certificates if each.subject != each.issuer]


def fetch_timestamp(url: str, message: bytes, authority: Authority) -> bytes:
    """The authority's answer (DER) for `message`, checked.

    Raises:
        TimestampError: it does not answer in time, refuses, or answers something else.
    """
    request = TimestampRequestBuilder().data(message).hash_algorithm(HashAlgorithm.SHA256).build()
    token = _post(url, request)
    authority.time_of(token, message, nonce=request.nonce)
    return token


def _post(url: str, request: TimeStampRequest) -> bytes:
    headers = {"Content-Type": "application/timestamp-query"}
    try:
        with BoundedSession() as session, within(SECONDS, most_bytes=MOST_BYTES):
            response = session.post(
                url,
                data=request.as_bytes(),
                headers=headers,
                timeout=SECONDS,
                stream=True,
                allow_redirects=False,
            )
            status = response.status_code
            body = read_body(response, most=MOST_BYTES)
    except (requests.RequestException, OSError, TooManyBytes, ValueError):
        raise TimestampError("tsa-unreachable") from None
    if status != OK or not body:
        raise TimestampError("tsa-refused")
    return body
