"""One mailbox is read however it is spelt; anything else is refused, and not repeated."""

import pytest
from hypothesis import given

from routing.mailbox import Mailbox
from tests.connectors.mail.samples import any_text


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("moe@ud75.example", "", "moe@ud75.example"),
        ("  moe@ud75.example\n", "", "moe@ud75.example"),
        ("Work In France <wif@wif.example>", "Work In France", "wif@wif.example"),
        ('"Paris, MOE" <moe@ud75.example>', "Paris, MOE", "moe@ud75.example"),
        ("Préfecture <moe@préfecture.example>", "Préfecture", "moe@xn--prfecture-c4a.example"),
        ("moe+75@UD75.Example", "", "moe+75@ud75.example"),
        ("hôtel@ud75.example", "", "hôtel@ud75.example"),
    ],
)
def test_a_mailbox_is_read(text: str, name: str, address: str) -> None:
    mailbox = Mailbox.parse(text)

    assert (mailbox.name, mailbox.address) == (name, address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "moe",
        "@ud75.example",
        "moe@",
        "a@x.example, b@x.example",
        "a@x.example,b@x.example",
        "a@x.example;b@x.example",
        "a@x.example\r\nBcc: b@x.example",
        "moe@ud75..example",
        ".moe@ud75.example",
        "moe moe@ud75.example",
        "<a@x.example> <b@x.example>",
        "a@b@x.example",
        f"{'a' * 65}@x.example",
        f"a@{'b' * 64}.example",
        f"a@{'b.' * 130}example",
        "a@-x.example",
        "a@[127.0.0.1]",
    ],
)
def test_what_is_not_exactly_one_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write service@office\.example") as caught:
        Mailbox.parse(text)

    assert not text or text not in str(caught.value)


@given(any_text)
def test_any_text_is_one_plain_address_or_refused(text: str) -> None:
    try:
        mailbox = Mailbox.parse(text)
    except ValueError:
        return

    assert mailbox.domain.isascii()
    assert not set(mailbox.address) & set(' ,;<>\r\n"\\')
