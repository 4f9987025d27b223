"""Only declared fields with declared values leave the process, whatever is given."""

import io
import json
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from pydantic import SecretStr

from config.logs import FIELDS, bound, configure, declared, dropped, get_logger
from config.logs.fields import OURS, Computed
from routing.facts import DossierState, Facts, Reason
from routing.failures import Cause
from tests.config.logs import canary
from tests.fixtures.logging_state import logging_restored
from tests.fixtures.logs import Configured, Output

log = get_logger("tests.config.logs")


class Stranger(StrEnum):
    """An enum of somebody else: its values are no codes of ours."""

    NAME = canary.WORD


class Hostile(str):
    """A text that passes for another one wherever Python lets it."""

    __slots__ = ()

    def __str__(self) -> str:
        return "pinned"

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash("pinned")


class Failing:
    """An object whose every question fails, with personal data in the answer."""

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401
        raise ValueError(canary.ALL)

    def __repr__(self) -> str:
        raise ValueError(canary.ALL)

    __str__ = __repr__


CANARIES: list[object] = [
    canary.ALL,
    canary.NAME,
    canary.MAIL,
    canary.PHONE,
    int(canary.PHONE),
    float(canary.PHONE),
    canary.ALL.encode(),
    SecretStr(canary.ALL),
    ValueError(canary.ALL),
    Path(canary.MAIL),
    [canary.ALL],
    (canary.WORD,),
    {canary.WORD: canary.ALL},
    {canary.WORD},
    Hostile(canary.WORD),
    Stranger,
    lambda: canary.ALL,
]


@pytest.mark.parametrize("field", [*FIELDS, "unknown"])
def test_an_object_that_fails_at_every_question_is_refused(field: str) -> None:
    assert declared(field, Failing()) is None


CODE_FIELDS = ("channel", "state", "step", "action", "reason", "cause", "status", "reasons")


FROM_CONFIGURATION = ("rule", "permit_type")
"""Codes that an admin writes: known by their form alone, so a single word would pass."""


@pytest.mark.parametrize("value", CANARIES, ids=lambda value: type(value).__name__)
def test_no_field_shows_personal_data(value: object, output: Output) -> None:
    for field in {*FIELDS, "unknown", canary.WORD} - {"event", *FROM_CONFIGURATION}:
        log.info("dossier-routed", **{field: value})
        assert canary.found(output.text) == [], field


@pytest.mark.parametrize("value", [value for value in CANARIES if value != canary.WORD])
def test_no_text_is_an_event_or_a_code_of_the_configuration(value: object, output: Output) -> None:
    log.info(value, **dict.fromkeys(FROM_CONFIGURATION, value))  # type: ignore[arg-type]
    assert canary.found(output.text) == []


@pytest.mark.parametrize("field", CODE_FIELDS)
@pytest.mark.parametrize("value", [canary.WORD, Stranger.NAME])
def test_a_word_that_is_no_code_of_ours_is_refused(field: str, value: str) -> None:
    assert declared(field, value) is None
    assert declared(field, (value,)) is None


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("event", "dossier-routed", "dossier-routed"),
        ("reason", Reason.PINNED, "pinned"),
        ("reason", "pinned", "pinned"),
        ("reasons", (Reason.PINNED, Reason.UNIT_CLOSED), ["pinned", "unit-closed"]),
        ("reasons", (), []),
        ("cause", Cause.TPS_TIMEOUT, "tps-timeout"),
        ("state", DossierState.RECEIVED, "received"),
        ("status", 503, 503),
        ("status", "received", "received"),
        ("procedure", 13760, 13760),
        ("number", 27_000_001, 27_000_001),
        ("unit", "UD02A", "UD02A"),
        ("unit", "NATIONAL", "NATIONAL"),
        ("department", "2A", "2A"),
        ("department", "971", "971"),
        ("permit_type", "accord-franco-algerien", "accord-franco-algerien"),
        ("rule", "interne-medecine-75", "interne-medecine-75"),
        ("ruleset", "ab" * 32, "ab" * 32),
        ("task", "wif.poll-procedure", "wif.poll-procedure"),
        ("task_id", "0b2e9d1c-4a1f-4c7e-9b1e-0123456789ab", "0b2e9d1c-4a1f-4c7e-9b1e-0123456789ab"),
        ("queue", "upkeep", "upkeep"),
        ("duration_ms", 12.6, 13),
        ("count", 0, 0),
        ("setting", "WIF_TPS_TOKEN", "WIF_TPS_TOKEN"),
        ("version", "5.7.0", "5.7.0"),
        ("exception", Computed("builtins.ValueError"), "builtins.ValueError"),
        ("where", (Computed("service/poll.py:12"),), ["service/poll.py:12"]),
    ],
)
def test_declared_values_are_shown(field: str, value: object, shown: object) -> None:
    assert declared(field, value) == shown


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("event", "Dossier routed"),
        ("event", "a-b-c-d-e-f-g-h"),
        ("event", "x" * 49),
        ("procedure", True),
        ("procedure", 0),
        ("number", 698_765_432),
        ("number", "12"),
        ("status", 7),
        ("duration_ms", float("nan")),
        ("duration_ms", float("inf")),
        ("task", "wif.kanarienne@canari"),
        ("task_id", "mine"),
        ("queue", "other"),
        ("exception", "ValueError"),
        ("where", ["service/poll.py:12"]),
        ("logger", "tasks"),
        ("unit", "UD075\n"),
        ("unit", "ud075"),
        ("department", "\N{ARABIC-INDIC DIGIT SEVEN}5"),
        ("reasons", ["pinned"] * 21),
        ("reasons", ["pinned", canary.WORD]),
        ("version", "5.7.0-kanarienne"),
    ],
)
def test_other_values_are_refused(field: str, value: object) -> None:
    assert declared(field, value) is None


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.datetimes()
    | st.uuids()
    | st.sampled_from([value for value in CANARIES if not isinstance(value, Hostile)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
names = st.text(min_size=1) | st.sampled_from([*FIELDS, canary.WORD, canary.NAME])


@pytest.mark.parametrize("as_json", [True, False])
@given(event=anything, fields=st.dictionaries(names, anything, max_size=8))
@settings(max_examples=200, suppress_health_check=[HealthCheck.differing_executors])
def test_any_line_has_declared_fields_only(
    as_json: bool, event: object, fields: dict[str, object]
) -> None:
    stream = io.StringIO()
    with logging_restored():
        configure(json=as_json, level="DEBUG", stream=stream)
        with bound(**fields):
            log.info(event, **{name: fields[name] for name in fields if name != "event"})  # type: ignore[arg-type]
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert canary.found(text) == []
    if as_json:
        line = json.loads(text)
        assert set(line) <= set(FIELDS)
        _own_form(line)


def _own_form(line: dict[str, Any]) -> None:
    """Every value is one that its field would take again, once what we computed is marked."""
    ours = {"timestamp", "level", "logger", "dropped", "exception", "chain", "where"}
    for name, value in line.items():
        if name not in ours:
            assert declared(name, value) == value


def test_refused_fields_are_counted_on_the_line_and_in_the_process(logged: Output) -> None:
    before = dropped()
    log.info("dossier-routed", number=1, who=canary.NAME, reason=canary.WORD)
    log.info(canary.ALL)
    log.info("dossier-routed", number=1, unit=None)
    first, second, third = logged.lines
    assert (first["dropped"], second["dropped"]) == (2, 1)
    assert second["event"] == "undeclared-event"
    assert "dropped" not in third
    assert dropped() - before == 3


def test_positional_arguments_and_stacks_are_not_shown(output: Output) -> None:
    log.info("dossier-routed", canary.ALL)  # noqa: PLE1205
    log.info("dossier %s", canary.ALL, stack_info=True)
    assert canary.found(output.text) == []


def test_facts_and_dates_are_no_values(output: Output) -> None:
    facts = Facts.__name__
    log.info("dossier-routed", reason=datetime(1998, 1, 31, tzinfo=UTC), unit=date(1998, 1, 31))
    log.info("dossier-routed", facts=facts)
    assert "1998" not in output.text


def test_fields_are_bound_for_a_block(logged: Output) -> None:
    with bound(procedure=13760, name=canary.NAME):
        log.info("poll-started")
    log.info("poll-ended")
    started, ended = logged.lines
    assert (started["procedure"], started["dropped"]) == (13760, 1)
    assert "procedure" not in ended


def test_the_allow_list_is_in_force_before_logging_is_configured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    get_logger("tests.never-configured").error("poll-failed", who=canary.NAME)
    assert canary.found("".join(capsys.readouterr())) == []


def _without_allow_list(stream: io.StringIO) -> Any:  # noqa: ANN401
    render = structlog.processors.JSONRenderer()
    return structlog.wrap_logger(structlog.PrintLogger(stream), processors=[render])


@pytest.mark.parametrize("value", [canary.ALL, [canary.ALL], ValueError(canary.ALL)])
def test_control_without_the_allow_list_it_would_be_shown(value: object) -> None:
    stream = io.StringIO()
    _without_allow_list(stream).info("dossier-routed", who=value)
    assert canary.found(stream.getvalue())


def test_our_packages_are_those_of_the_checkout() -> None:
    root = Path(__file__).resolve().parents[3]
    packages = {path.parent.name for path in root.glob("*/__init__.py")}
    assert packages - {"tests", "benchmarks", "release"} == set(OURS)


def test_logging_is_cheap_where_it_is_off(configured: Configured) -> None:
    before = dropped()
    with configured(level="WARNING") as output:
        log.debug("dossier-routed", number=1, who=canary.NAME)
    assert (output.text, dropped()) == ("", before)
