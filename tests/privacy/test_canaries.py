"""No personal data anywhere: a run of the whole service on dossiers made of markers.

Everything that the service writes, says, sends or shows is collected and searched, after a
run through success and every kind of failure; then markers are planted in each place, in
every encoding that it can hold, and must all be found there.
"""

import base64
import json
import re
from pathlib import Path

import pytest

from connectors.channels import CHANNELS
from tests.privacy.encodings import FIRST, planted_bytes, planted_texts
from tests.privacy.marked_service import MarkedService, Places, marked_service
from tests.privacy.markers import found, where
from tests.privacy.planting import plant
from tests.privacy.scenario import misuse, play
from tests.privacy.traces import (
    broker_traces,
    commands,
    flower_traces,
    one_pass,
    traces,
    web_traces,
)

EVENTS = {
    *("task-failed", "task-received", "task-succeeded", "pool-process-lost", "broker-connected"),
    *("dossiers-routed", "deliveries-made", "procedure-polled", "foreign-message"),
}
"""Events that a run logs: what is searched is not empty."""

ONE = {str(FIRST)}
TEXTS = set(planted_texts())
ALL = set(planted_bytes())
HELD = {
    "redis keys": ALL,
    "redis monitor": TEXTS,
    "flower": TEXTS,
    "output": ALL,
    "mails": TEXTS,
    "mails decoded": TEXTS,
    "files": ALL,
    "process cmdline": TEXTS,
    "process environ": TEXTS,
    "sqlite files": TEXTS,
    "postgres dump": TEXTS,
    "postgres files": TEXTS,
    "postgres log": TEXTS,
    "postgres activity": ONE,
    "audit export": ONE,
    "commands": ONE,
    "web": ONE,
}
"""The planted markers that each place must show. PostgreSQL shows the beginning of a query."""

SECRETS = {"951", "952", "953", "954", "955"}


def leaks(places: Places) -> dict[str, list[str]]:
    """What was found in places where nothing may be, with its surroundings."""
    return {name: where(data) for name, data in places.items() if found(data)}


def missed(places: Places) -> dict[str, set[str]]:
    """The planted markers that the search does not see."""
    seen = {name: found(places[name]) for name in HELD if name in places}
    return {name: lost for name, hits in seen.items() if (lost := HELD[name] - hits)}


def assert_ids_only(places: Places) -> None:
    """Every message to a worker carries one id at most; nothing is stored of a result."""
    told = places["redis monitor"].replace(b'\\"', b'"').replace(b"\\\\", b"\\")
    bodies = set(re.findall(rb'"body": "([A-Za-z0-9+/=]+)"', told))
    contents = [json.loads(base64.b64decode(body)) for body in bodies]
    messages = [content for content in contents if len(content) == len(("args", "kwargs", "embed"))]
    assert any(args for args, _, _ in messages)
    for args, kwargs, options in messages:
        assert (kwargs, set(options.values())) == ({}, {None})
        assert len(args) <= 1
        assert all(type(each) is int or each in CHANNELS for each in args)
    events = [event for content in contents for event in content if "uuid" in event]
    assert {event["type"] for event in events} >= {"task-received", "task-succeeded"}
    for event in events:
        assert re.fullmatch(r"\((\d{1,8},|'[a-z_]{1,16}',)?\)", event.get("args", "()"))
        assert event.get("kwargs", "{}") == "{}"
        assert event.get("result", "None") == "None"
    for name in (b"argsrepr", b"kwargsrepr"):
        shown = set(re.findall(rb'"%b": "([^"]*)"' % name, told))
        assert max(map(len, shown)) <= len("('tps_group',)")
    assert b"celery-task-meta" not in told + places["redis keys"]


def assert_played(service: MarkedService, places: Places) -> None:
    """The run went through what it is meant to go through."""
    output = places["output"].decode()
    assert [event for event in EVENTS if event not in output] == []
    assert "Fatal Python error: Segmentation fault" in output
    cores = re.findall(rb"Max core file size +(\S+)", places["process limits"])
    assert set(cores) == {b"0"}
    assert len(service.smtp.messages) > 5
    assert len(service.tps.details) > 50


@pytest.mark.parametrize(
    ("postgres", "json_logs"),
    [pytest.param(False, False, id="sqlite-columns"), pytest.param(True, True, id="postgres-json")],
)
def test_nothing_of_a_person_is_left_anywhere(
    postgres: bool, json_logs: bool, tmp_path: Path
) -> None:
    with marked_service(tmp_path, postgres=postgres, json_logs=json_logs) as service:
        play(service)
        broker = broker_traces(service)
        misuse(service)
        places = {**broker, **flower_traces(service), **traces(service), **commands(service)}
        places |= web_traces(service)
        places |= {} if postgres else one_pass(service)
        assert leaks(places) == {}
        assert_ids_only(places)
        assert_played(service, places)

        plant(service)
        planted = {
            **broker_traces(service),
            **flower_traces(service),
            **traces(service),
            **commands(service),
            **web_traces(service),
        }
        assert set(planted) - set(HELD) == {"process comm", "process limits"}
        assert missed(planted) == {}
        assert service.stop() == 0
