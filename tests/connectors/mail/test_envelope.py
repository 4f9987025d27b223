"""A message cannot carry a command to the server that gets it."""

from email.message import EmailMessage

import pytest

from connectors.mail.envelope import Envelope


@pytest.mark.parametrize(
    "recipient", ["a@x.example\r\nDATA", "a@x.example> SIZE=1", "<a@x.example>", "a b@x.example"]
)
def test_a_recipient_that_would_end_its_command_is_refused(recipient: str) -> None:
    with pytest.raises(ValueError, match="recipient"):
        Envelope(recipient=recipient, label="x", message=EmailMessage())
