"""Signed mails: `openssl` finds the signature good, and what is signed is the mail as it was."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given

from connectors.mail.envelope import Envelope
from connectors.mail.message import compose
from connectors.mail.smime import Signer, SigningSender, signer_of
from connectors.mail.smtp import SmtpSender
from connectors.notice import Notice
from tests.connectors.mail.samples import AT, RECIPIENT, SENDER, any_notice, mail, parsed
from tests.fixtures.certificates import Pair, pair, verified
from tests.fixtures.smtp import SmtpServer


def signed(content: bytes, by: Pair | None = None) -> bytes:
    used = by or pair()
    return signer_of(used.certificate, used.key).sign(content)


@cache
def usual_signer() -> Signer:
    """One for many mails: to check a key takes longer than to sign."""
    used = pair()
    return signer_of(used.certificate, used.key)


def reader(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=SMTP)
    assert isinstance(message, EmailMessage)
    return message


@pytest.mark.parametrize("command", ["cms", "smime"])
def test_openssl_finds_the_signature_good(command: str, tmp_path: Path) -> None:
    content = mail().content

    found = verified(signed(content), tmp_path, command=command)

    assert found is not None
    plain, was = reader(found), reader(content)
    for kind in ("plain", "html"):
        theirs, ours = plain.get_body((kind,)), was.get_body((kind,))
        assert theirs is not None
        assert ours is not None
        assert theirs.get_content() == ours.get_content()


def test_an_elliptic_key_and_a_chain_will_do(tmp_path: Path) -> None:
    by = pair(key=ec.generate_private_key(ec.SECP256R1()), chain=True)
    assert verified(signed(mail().content, by), tmp_path) is not None


def test_what_was_changed_on_the_way_is_found_out(tmp_path: Path) -> None:
    changed = signed(mail().content).replace(b"1234567", b"1234568")
    assert verified(changed, tmp_path) is None


def test_another_authority_s_certificate_is_not_good(tmp_path: Path) -> None:
    assert verified(signed(mail().content, pair(by_itself=True)), tmp_path) is None


def test_addresses_and_what_readers_sort_by_stay_where_they_were() -> None:
    content = mail().content

    before, after = reader(content), reader(signed(content))

    moved = {name for name in before if name.lower().startswith("content-")}
    assert [(n, v) for n, v in after.items() if not n.lower().startswith("content-")] == [
        (n, v) for n, v in before.items() if n not in moved
    ]
    assert after.get_content_type() == "multipart/signed"
    assert after.get_param("micalg") == "sha-256"
    assert after.get_param("protocol") == "application/pkcs7-signature"
    inner, signature = after.iter_parts()
    assert inner["Content-Language"] == "fr"
    assert signature.get_content_type() == "application/pkcs7-signature"


def test_a_copy_has_the_same_id_and_the_same_bytes_but_for_the_signature() -> None:
    one, other = (reader(signed(mail().content, pair())) for _ in range(2))

    assert one["Message-ID"] == other["Message-ID"]
    assert next(one.iter_parts()).as_bytes() == next(other.iter_parts()).as_bytes()


def test_it_is_good_after_a_real_server_took_it(smtp: SmtpServer, tmp_path: Path) -> None:
    used = pair()
    server = SmtpSender(smtp.url, sender=SENDER)
    with SigningSender(server, signer_of(used.certificate, used.key)) as sender:
        sender.check()
        sender.send(mail())
        sender.send(mail(key="another", unit_name="Unité\n.départementale"))

    assert smtp.connections == 1
    for received in smtp.messages:
        assert verified(received.raw, tmp_path) is not None


@given(any_notice)
def test_whatever_a_notice_says_is_signed_in_seven_bits_and_read_as_before(told: Notice) -> None:
    plain = compose(told, sender=SENDER, recipient=RECIPIENT, at=AT)

    content = usual_signer().sign(plain.content)

    entity = next(reader(content).iter_parts())
    assert content.isascii()
    was, now = parsed(plain), reader(entity.as_bytes())
    assert [part.get_content() for part in now.iter_parts()] == [
        part.get_content() for part in was.iter_parts()
    ]


def test_what_a_server_may_change_on_its_way_is_not_signed() -> None:
    message = EmailMessage(policy=SMTP)
    message.set_content("é", cte="8bit")
    envelope = Envelope(recipient=RECIPIENT, label="", message=message)
    with pytest.raises(ValueError, match="7 bits"):
        signed(envelope.content)


def test_a_signer_shows_no_key() -> None:
    used = pair()
    assert "PRIVATE" not in repr(signer_of(used.certificate, used.key))
