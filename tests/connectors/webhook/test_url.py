"""Addresses of endpoints: read, or refused without being repeated."""

import pytest

from connectors.webhook.url import WebhookUrl


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://gestion.ud075.example/wif", WebhookUrl(True, "gestion.ud075.example", 443)),  # noqa: FBT003
        ("https://Gestion.UD075.example:8443", WebhookUrl(True, "gestion.ud075.example", 8443)),  # noqa: FBT003
        ("http://intranet.example./a?b=c", WebhookUrl(False, "intranet.example", 80)),  # noqa: FBT003
        ("https://[2606:4700::1]/x", WebhookUrl(True, "2606:4700::1", 443)),  # noqa: FBT003
    ],
)
def test_addresses_are_read(url: str, found: WebhookUrl) -> None:
    assert WebhookUrl.parse(url) == found


@pytest.mark.parametrize(
    "url",
    [
        *("", "gestion.ud075.example", "ftp://gestion.ud075.example", "https://", "https:///hook"),
        *("https://user:secret@gestion.ud075.example", "https://gestion.ud075.example/#secret"),
        *("https://gestion.ud075.example:0/", "https://gestion.ud075.example:99999/"),
        *(
            "https://gestion .example/",
            "https://gestion.example/\nHost: secret",
            "https://é.example",
        ),
        *("https://[::1", "https://gestion.example\\@secret.example/", "javascript:secret"),
    ],
)
def test_others_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        WebhookUrl.parse(url)
    assert "secret" not in str(refused.value).replace("a secret", "")
