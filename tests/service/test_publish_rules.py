"""Publishing puts a document in force for all processes, once, and leaves a trace."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from config.settings import Environment, SettingsError, read
from service.actor import SERVICE
from service.prepare import prepare
from service.publish_rules import configured_rules, publish
from service.runtime import Runtime
from store import rulesets
from store.audit.lines import acted
from tests.fixtures import shipped_rules

KEY = SecretStr("x" * 44)


@pytest.fixture
def runtime(database_url: str, tmp_path: Path) -> Iterator[Runtime]:
    made = Runtime(read(database_url=database_url, var_dir=tmp_path), actor="admin")
    prepare(made)
    yield made
    made.close()


def test_the_first_start_publishes_the_configuration_once(runtime: Runtime) -> None:
    prepare(runtime)
    with runtime.database.read() as connection:
        history = rulesets.history(connection)
    assert [(each.action, each.note) for each in history] == [("publish", "first-start")]
    assert runtime.rules().hash == configured_rules(runtime.settings).hash


def test_a_document_is_in_force_for_other_processes_from_its_commit_on(runtime: Runtime) -> None:
    other = Runtime(runtime.settings)
    before = other.rules().hash
    changed = shipped_rules.document().replace('"fallback"', ' "fallback"')
    with runtime.database.begin() as connection:
        digest = publish(runtime, connection, changed, note="trial")
    assert other.rules().hash == digest != before
    assert other.rule_sets.get(before).hash == before
    other.close()


def test_a_hash_that_is_not_stored_is_no_rule_set(runtime: Runtime) -> None:
    with pytest.raises(LookupError, match="is not in the database"):
        runtime.rule_sets.get("0" * 64)


def test_what_no_person_publishes_is_recorded_as_the_work_of_the_service(
    database_url: str, tmp_path: Path
) -> None:
    made = Runtime(read(database_url=database_url, var_dir=tmp_path))
    prepare(made)
    with made.database.read() as connection:
        (activation,) = rulesets.history(connection)
        (acting,) = acted(connection)
    assert (activation.actor, acting[0]) == (SERVICE, SERVICE)
    made.close()


def test_production_refuses_rules_that_were_published_in_development(runtime: Runtime) -> None:
    digest = runtime.rules().hash
    live = runtime.settings.model_copy(update={"env": Environment.PRODUCTION, "audit_key": KEY})
    with closing(Runtime(live)) as production:
        with pytest.raises(SettingsError, match="were published in development"):
            production.rules()
        with production.database.begin() as connection:
            publish(production, connection, shipped_rules.document(), note="for-real")
        assert production.rules().hash == digest
