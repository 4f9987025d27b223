"""docs/guide-webhook.md, followed to the letter: its commands are run, its code verifies messages.

A receiver on loopback stands in for the unit's system, whose address in the guide is nobody's.
"""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from routing.assignment import Event
from service.publish_rules import publish
from simulator import Server
from tests.fixtures import shipped_rules
from tests.fixtures.harness import make_harness
from tests.fixtures.processes import ROOT, wif
from tests.fixtures.webhook import Receiver, with_webhooks

GUIDE = (ROOT / "docs" / "guide-webhook.md").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "docs" / "schemas" / "webhook.json").read_text(encoding="utf-8"))
COMMANDS = re.findall(r"`wif ([^`]+)`", GUIDE)


def indented(begins: str) -> str:
    """The indented block of the guide whose first line begins so, without its indentation."""
    lines = GUIDE.splitlines()
    first = next(at for at, line in enumerate(lines) if re.match(rf" {{4,}}{begins}", line))
    block = []
    for line in lines[first:]:
        if line and not line.startswith("    "):
            break
        block.append(line.strip())
    return "\n".join(block)


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@pytest.fixture
def desk(database_url: str, tps: Server, tmp_path: Path, receiver: Receiver) -> dict[str, str]:
    """The settings of a service with the unit's webhook, once the guide's commands were typed."""
    typed = indented("mkdir")
    subprocess.run(["/bin/bash", "-ec", typed], cwd=tmp_path, check=True, timeout=30)
    folder = tmp_path / "secrets" / "webhooks"
    receiver.secret = (folder / "UD075").read_text().strip()
    harness = make_harness(database_url, tps, tmp_path)
    document = with_webhooks(shipped_rules.document(), UD075=receiver.url)
    with harness.runtime.database.begin() as connection:
        publish(harness.runtime, connection, document, note="tests")
    harness.runtime.close()
    return {
        "WIF_DATABASE_URL": database_url,
        "WIF_VAR_DIR": str(tmp_path / "var"),
        "WIF_OUTBOX_DIR": str(harness.outbox),
        "WIF_WEBHOOK_SECRETS": str(folder),
        "WIF_WEBHOOK_ALLOW": "127.0.0.1",
    }


def test_its_commands_do_what_it_says(desk: dict[str, str], receiver: Receiver) -> None:
    said = {command: wif(*command.split(), **desk) for command in COMMANDS}

    assert {command: ran.returncode for command, ran in said.items()} == dict.fromkeys(said, 0)
    assert "UD075 webhook: accepted" in said["channels test UD075"].stdout
    assert re.search(r"UD075\W+webhook\W+ready", said["channels list"].stdout)
    assert [each["type"] for each in receiver.handled.values()] == ["trial"]
    assert receiver.refused == []


def test_its_python_verifies_a_message_and_refuses_another(
    desk: dict[str, str], receiver: Receiver
) -> None:
    wif("channels", "test", "UD075", "--channel", "webhook", **desk)
    ((headers, body),) = receiver.requests
    code = indented("from standardwebhooks").replace("whsec_…", receiver.secret)
    names: dict[str, Any] = {"body": body, "headers": headers}

    exec(code, names)  # noqa: S102 - what the guide tells people to write
    assert names["document"]["type"] == "trial"
    with pytest.raises(Exception, match="signature"):
        exec(code, {"body": body + b" ", "headers": headers})  # noqa: S102


def test_its_example_is_valid_and_its_table_names_what_is_sent() -> None:
    example = json.loads(indented(r'\{"type"'))
    jsonschema.validate(example, SCHEMA)
    named = set(re.findall(r"^\| `([a-z.-]+)` \|", GUIDE, re.MULTILINE))
    sent = {f"dossier.{event.value}" for event in Event if event not in {Event.LATE, Event.DIGEST}}
    assert named - {"type"} == sent | {"trial"}
