"""Signatures that the official libraries verify, and secrets that are rotated with overlap."""

import base64
import json
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from connectors.notice import Message
from connectors.webhook.payload import message_id, write_payload
from connectors.webhook.signing import read_secrets, signed_headers
from routing.assignment import Event
from routing.failures import Cause, Failure
from tests.connectors.webhook.test_payload import BARE, MOVED, NOTICE, TRIAL
from tests.fixtures.webhook import OTHER_SECRET, SECRET, write_secrets

BODY = b'{"type":"trial","timestamp":"2026-11-23T08:00:00Z","data":{"unit":"UD075"}}'
SEED = bytes(range(32))
PRIVATE = "whsk_" + base64.b64encode(SEED).decode()
PUBLIC = Ed25519PrivateKey.from_private_bytes(SEED).public_key()


def headers_of(folder: Path, *lines: str, at: datetime | None = None) -> dict[str, str]:
    keys = read_secrets(write_secrets(folder, "UD075", lines=lines), "UD075")
    return signed_headers(keys, "msg_1", at or datetime.now(UTC), BODY)


def test_the_official_library_verifies(tmp_path: Path) -> None:
    assert Webhook(SECRET).verify(BODY, headers_of(tmp_path, SECRET)) == json.loads(BODY)


def test_another_secret_another_body_or_another_id_is_not_verified(tmp_path: Path) -> None:
    headers = headers_of(tmp_path, SECRET)
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER_SECRET).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, {**headers, "webhook-id": "msg_2"})


def test_while_a_secret_is_rotated_both_are_verified_and_the_first_comes_first(
    tmp_path: Path,
) -> None:
    headers = headers_of(tmp_path, "# since Monday", OTHER_SECRET, "", SECRET)
    for secret in (SECRET, OTHER_SECRET):
        assert Webhook(secret).verify(BODY, headers)
    first, second = headers["webhook-signature"].split(" ")
    assert Webhook(OTHER_SECRET).verify(BODY, {**headers, "webhook-signature": first})
    assert Webhook(SECRET).verify(BODY, {**headers, "webhook-signature": second})


def test_a_secret_that_was_taken_out_signs_no_more(tmp_path: Path) -> None:
    headers_of(tmp_path, OTHER_SECRET, SECRET)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, headers_of(tmp_path, OTHER_SECRET))


@pytest.mark.parametrize("with_public_half", [False, True])
def test_ed25519_is_verified_with_the_public_key(tmp_path: Path, with_public_half: bool) -> None:
    public = PUBLIC.public_bytes(Encoding.Raw, PublicFormat.Raw)
    line = "whsk_" + base64.b64encode(SEED + public).decode() if with_public_half else PRIVATE
    headers = headers_of(tmp_path, line)
    version, _, signature = headers["webhook-signature"].partition(",")
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + BODY
    assert version == "v1a"
    PUBLIC.verify(base64.b64decode(signature), content)
    with pytest.raises(InvalidSignature):
        PUBLIC.verify(base64.b64decode(signature), content + b" ")


def test_a_receiver_moves_from_hmac_to_ed25519_with_overlap(tmp_path: Path) -> None:
    headers = headers_of(tmp_path, PRIVATE, SECRET)
    assert Webhook(SECRET).verify(BODY, headers)
    assert [each.partition(",")[0] for each in headers["webhook-signature"].split()] == [
        "v1a",
        "v1",
    ]


def test_the_timestamp_is_the_one_of_the_attempt(tmp_path: Path) -> None:
    at = datetime(2026, 11, 23, 8, 0, 7, 900_000, tzinfo=UTC)
    assert headers_of(tmp_path, SECRET, at=at)["webhook-timestamp"] == str(int(at.timestamp()))


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("",),
        ("# nothing yet",),
        ("whsec_",),
        ("whsec_" + base64.b64encode(b"too short").decode(),),
        ("whsec_" + base64.b64encode(bytes(65)).decode(),),
        ("whsec_not base64 at all, is it?",),
        ("whsk_" + base64.b64encode(bytes(31)).decode(),),
        ("whpk_" + base64.b64encode(bytes(32)).decode(),),
        (SECRET, "some words"),
        (SECRET,) * 9,
    ],
)
def test_without_secrets_or_with_a_wrong_line_nothing_is_signed(
    tmp_path: Path, lines: tuple[str, ...]
) -> None:
    with pytest.raises(Failure) as failed:
        headers_of(tmp_path, *lines)
    assert failed.value.cause is Cause.WEBHOOK_UNSIGNED


def test_no_folder_no_file_and_a_folder_in_its_place_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "UD093").mkdir()
    for folder, unit in ((None, "UD075"), (tmp_path, "UD075"), (tmp_path, "UD093")):
        with pytest.raises(Failure) as failed:
            read_secrets(folder, unit)
        assert failed.value.cause is Cause.WEBHOOK_UNSIGNED


MESSAGES: list[Message] = [
    *(replace(NOTICE, event=event, key=f"1.1.{event}.UD075.webhook.1") for event in Event),
    *(MOVED, BARE, TRIAL),
]
"""One of each kind that a webhook carries."""


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.key)
def test_the_official_library_verifies_every_kind_of_message(
    tmp_path: Path, message: Message
) -> None:
    headers, body = signed(tmp_path, message)
    for secret in (SECRET, OTHER_SECRET):
        assert Webhook(secret).verify(body, headers) == json.loads(body)


def signed(folder: Path, message: Message) -> tuple[dict[str, str], bytes]:
    """A message as it is posted while secrets are rotated: headers and body."""
    body = write_payload(message)
    lines = (PRIVATE, OTHER_SECRET, SECRET)
    keys = read_secrets(write_secrets(folder, "UD075", lines=lines), "UD075")
    return signed_headers(keys, message_id(message), datetime.now(UTC), body), body


VERIFY = """
const { Webhook } = require("standardwebhooks");
const posted = JSON.parse(require("fs").readFileSync(0, "utf-8"));
const verified = posted.map(([secret, headers, body]) => new Webhook(secret).verify(body, headers));
console.log(JSON.stringify(verified));
"""


@pytest.fixture(scope="module")
def node_modules() -> Path:
    """The folder that holds the official JavaScript library, where this machine has one."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    root = Path(__file__).resolve().parents[3]
    found = next(
        (
            p
            for p in (root / ".cache/node/node_modules", root / "node_modules")
            if (p / "standardwebhooks").is_dir()
        ),
        None,
    )
    if found is None:
        pytest.skip("the npm package standardwebhooks is not installed: make webhook-js")
    return found


def in_javascript(
    node_modules: Path, posted: list[tuple[str, dict[str, str], str]]
) -> subprocess.CompletedProcess[str]:
    """What the official JavaScript library says of what was posted, each with a secret."""
    return subprocess.run(
        ["node", "-e", VERIFY],  # noqa: S607
        input=json.dumps(posted),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env={"NODE_PATH": str(node_modules), "PATH": "/usr/bin:/usr/local/bin:/bin"},
    )


def test_the_official_javascript_library_verifies_every_kind_of_message_and_no_other(
    tmp_path: Path, node_modules: Path
) -> None:
    made = [signed(tmp_path, message) for message in MESSAGES]
    posted = [(s, headers, body.decode()) for headers, body in made for s in (SECRET, OTHER_SECRET)]
    done = in_javascript(node_modules, posted)
    assert json.loads(done.stdout) == [json.loads(body) for _, _, body in posted], done.stderr

    headers, body = made[0]
    refused = in_javascript(node_modules, [(SECRET, headers, f"{body.decode()} ")])
    assert "No matching signature found" in refused.stderr
