"""Signatures that the official libraries verify, and secrets that are rotated with overlap."""

import base64
import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from connectors.webhook.signing import read_secrets, signed_headers
from routing.failures import Cause, Failure
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


VERIFY = """
const { Webhook } = require("standardwebhooks");
const [secret, body, headers, now] = JSON.parse(require("fs").readFileSync(0, "utf-8"));
Date.now = () => now * 1000;
console.log(JSON.stringify(new Webhook(secret).verify(body, headers)));
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


def test_the_official_javascript_library_verifies(tmp_path: Path, node_modules: Path) -> None:
    headers = headers_of(tmp_path, PRIVATE, OTHER_SECRET, SECRET)
    now = int(headers["webhook-timestamp"])
    for secret in (SECRET, OTHER_SECRET):
        done = subprocess.run(
            ["node", "-e", VERIFY],  # noqa: S607
            input=json.dumps([secret, BODY.decode(), headers, now]),
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
            env={"NODE_PATH": str(node_modules), "PATH": "/usr/bin:/usr/local/bin:/bin"},
        )
        assert json.loads(done.stdout) == json.loads(BODY), done.stderr
