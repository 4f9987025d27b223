"""A certificate and a key with which mails cannot be signed are refused at start, by name."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from config.settings import Settings, SettingsError, read
from config.smime import expires_at
from tests.fixtures.certificates import SENDER, Pair, pair, pem_of, rsa_key

MAIL_FROM = f"Work In France <{SENDER}>"


def given(certificate: str | None, key: str | None, **others: object) -> Settings:
    return read(smime_certificate=certificate, smime_key=key, mail_from=MAIL_FROM, **others)


@pytest.mark.parametrize("address", [SENDER, SENDER.upper()])
def test_a_pair_for_the_sender_will_do(address: str) -> None:
    used = pair(address, chain=True)
    assert given(used.certificate, used.key).smime_key is not None


def test_without_either_nothing_is_signed() -> None:
    assert given(None, None).smime_certificate is None


GOOD = pair()


@pytest.mark.parametrize(
    ("used", "name", "said"),
    [
        (Pair(GOOD.certificate, ""), "SMIME_KEY", "PEM"),
        (Pair("", GOOD.key), "SMIME_CERTIFICATE", "PEM"),
        (Pair("-----BEGIN nonsense", GOOD.key), "SMIME_CERTIFICATE", "PEM"),
        (Pair(GOOD.certificate, pem_of(rsa_key(), b"word")), "SMIME_KEY", "encrypted"),
        (Pair(GOOD.certificate, pem_of(generate_private_key(65537, 2048))), "SMIME_KEY", "first"),
        (pair(key=Ed25519PrivateKey.generate()), "SMIME_KEY", "RSA"),
        (pair(key=generate_private_key(65537, 1024)), "SMIME_KEY", "2048"),  # noqa: S505
        (pair("moe@ud75.example"), "SMIME_CERTIFICATE", "WIF_MAIL_FROM"),
        (pair(None), "SMIME_CERTIFICATE", "WIF_MAIL_FROM"),
        (pair(use=ExtendedKeyUsageOID.SERVER_AUTH), "SMIME_CERTIFICATE", "emailProtection"),
    ],
)
def test_a_pair_that_will_not_do_is_refused_by_name_and_not_repeated(
    used: Pair, name: str, said: str
) -> None:
    with pytest.raises(SettingsError, match=f"WIF_{name}: .*{said}") as refused:
        given(used.certificate, used.key)
    assert "for example: " in str(refused.value)
    assert "BEGIN" not in str(refused.value)


def test_one_without_the_other_is_refused() -> None:
    with pytest.raises(SettingsError, match="WIF_SMIME_KEY: is needed"):
        given(GOOD.certificate, None)
    with pytest.raises(SettingsError, match="WIF_SMIME_CERTIFICATE: is needed"):
        given(None, GOOD.key)


def test_production_refuses_a_certificate_that_nobody_vouches_for() -> None:
    production = {
        "env": "production",
        "role": "deliver",
        "tps_url": "https://tps.example",
        "database_url": "postgresql://wif@db.example/wif",
        "broker_url": "redis://redis.example",
        "audit_key": "A" * 44,
        "smtp_url": "smtps://smtp.example",
    }
    used = pair(by_itself=True)
    given(used.certificate, used.key)
    with pytest.raises(SettingsError, match="WIF_SMIME_CERTIFICATE: is signed by itself"):
        given(used.certificate, used.key, **production)
    assert given(GOOD.certificate, GOOD.key, **production).in_production


def test_a_chain_is_good_until_the_first_of_its_certificates_ends() -> None:
    end = datetime(2030, 2, 3, tzinfo=UTC)
    assert expires_at(pair(end=end, chain=True).certificate) == end
