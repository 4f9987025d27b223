"""The URL of an SMTP server says everything, and its errors say nothing secret."""

from pathlib import Path

import pytest
from hypothesis import given

from connectors.mail.target import Security, SmtpTarget
from tests.connectors.mail.samples import any_text


@pytest.mark.parametrize(
    ("url", "target"),
    [
        (
            "smtp://smtp.example",
            SmtpTarget(security=Security.NONE, host="smtp.example", port=25),
        ),
        (
            "smtps://[::1]:2465/",
            SmtpTarget(security=Security.TLS, host="::1", port=2465),
        ),
        (
            "smtp+starttls://wif%40x:p%40ss%2Fw%3Ard@smtp.example?ca=/etc/ca.pem&helo=wif.example",
            SmtpTarget(
                security=Security.STARTTLS,
                host="smtp.example",
                port=587,
                user="wif@x",
                password="p@ss/w:rd",
                ca=Path("/etc/ca.pem"),
                helo="wif.example",
            ),
        ),
        (
            "smtp://wif:secret@127.0.0.1:25",
            SmtpTarget(
                security=Security.NONE, host="127.0.0.1", port=25, user="wif", password="secret"
            ),
        ),
        (
            "smtp://wif:secret@localhost",
            SmtpTarget(
                security=Security.NONE, host="localhost", port=25, user="wif", password="secret"
            ),
        ),
        (
            "smtp://wif:secret@smtp.example?plaintext-login=allow",
            SmtpTarget(
                security=Security.NONE, host="smtp.example", port=25, user="wif", password="secret"
            ),
        ),
    ],
)
def test_a_url_is_read(url: str, target: SmtpTarget) -> None:
    assert SmtpTarget.parse(url) == target


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("", "scheme"),
        ("smtp.example:25", "not the address"),
        ("http://smtp.example", "scheme"),
        ("smtp://", "name of the server"),
        ("smtp://:25", "name of the server"),
        ("smtp://a..b", "name of the server"),
        ("smtp://smtp.example:99999", "not the address"),
        ("smtp://smtp.example:abc", "not the address"),
        ("smtp://[::1", "not the address"),
        ("smtps://smtp.example/inbox", "not the address"),
        ("smtps://hunter2@smtp.example", "go together"),
        ("smtps://user:@smtp.example", "go together"),
        ("smtp://user:hunter2@smtp.example", "in clear"),
        ("smtps://user:h%C3%A9hunter2@smtp.example", "ASCII"),
        ("smtps://user:hunter2%0D%0AQUIT@smtp.example", "ASCII"),
        ("smtps://smtp.example?verify=no", "options are ca, helo, plaintext-login"),
    ],
)
def test_a_wrong_url_is_refused_with_what_is_wrong(url: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong) as caught:
        SmtpTarget.parse(url)

    assert "hunter2" not in str(caught.value)


def test_the_password_is_in_no_representation() -> None:
    target = SmtpTarget.parse("smtps://user:hunter2@smtp.example")

    assert "hunter2" not in f"{target!r} {target}"


@given(any_text)
def test_any_url_is_read_or_refused(text: str) -> None:
    for url in (text, f"smtp://{text}", f"smtps://u:{text}@smtp.example"):
        try:
            SmtpTarget.parse(url)
        except ValueError as error:
            assert type(error) is ValueError  # noqa: PT017 - not a subclass that quotes its input
