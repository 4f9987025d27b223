"""A message cannot carry a command to the server that gets it."""

import pytest

from connectors.mail.mail import Mail


def mail(recipient: str = "moe@ud75.example", content: bytes = b"Subject: x\r\n\r\nx\r\n") -> Mail:
    return Mail(recipient=recipient, message_id="<a@wif.example>", label="x", content=content)


def test_a_message_is_read_as_a_mail_reader_reads_it() -> None:
    assert mail().parsed()["Subject"] == "x"


@pytest.mark.parametrize(
    "recipient", ["a@x.example\r\nDATA", "a@x.example> SIZE=1", "<a@x.example>", "a b@x.example"]
)
def test_a_recipient_that_would_end_its_command_is_refused(recipient: str) -> None:
    with pytest.raises(ValueError, match="recipient"):
        mail(recipient=recipient)


@pytest.mark.parametrize(
    "content",
    [b"x", b"x\r\n\n.\nMAIL FROM:<a>\r\n", b"x\r.\r\r\n", b"x\n\r\n", b"x\r\n.\r"],
)
def test_a_line_that_ends_otherwise_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="CRLF"):
        mail(content=content)
