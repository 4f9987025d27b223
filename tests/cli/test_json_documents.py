"""What `--json` prints of every command is what `docs/schemas` says of it."""

from pathlib import Path

import pytest
from jsonschema import ValidationError
from sqlalchemy import update

from cli.json_documents.schemas import DOCUMENTS
from simulator import Server
from store.models import Delivery
from tests.fixtures.harness import PARIS_FORM, Harness
from tests.fixtures.json_documents import check_json, command_of
from tests.fixtures.processes import Ran, wif


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@pytest.fixture
def settings(harness: Harness, tps: Server, tmp_path: Path) -> dict[str, str]:
    """Settings of a service with one dossier that went out, one that did not, and a seal."""
    harness.file(department="75")
    harness.file(department="2A")
    harness.run()
    with harness.runtime.database.begin() as connection:
        connection.execute(
            update(Delivery).where(Delivery.id == 1).values(state="dead", reason="x")
        )
    return {
        "WIF_TPS_URL": tps.url,
        "WIF_TPS_TOKEN": tps.simulator.token,
        "WIF_TPS_PROCEDURES": str(PARIS_FORM),
        "WIF_DATABASE_URL": harness.runtime.settings.database,
        "WIF_VAR_DIR": str(tmp_path / "var"),
        "WIF_OUTBOX_DIR": str(harness.outbox),
        "WIF_SENT_LOG": str(tmp_path / "sent.jsonl"),
        "WIF_TPS_WEBHOOK_SECRETS": str(tmp_path / "webhooks"),
    }


ELSEWHERE = {
    "rules rollback": "needs a second rule set: tests/cli/rules/test_publish.py",
    "db partition": "needs PostgreSQL: tests/store/test_partitions.py",
}
"""Commands whose JSON is checked where they are tested."""


def lines(harness: Harness, folder: Path) -> list[str]:
    """One call of each command, in an order in which each has something to say."""
    (number, *_) = [each.number for each in harness.deliveries()]
    dossier, form = f"{PARIS_FORM}/{number}", PARIS_FORM
    create = f"webhooks create {form} --url https://wif.example/hints"
    return [
        *("run-once", "status", "doctor", "stats", "purge --dry-run", "keys list"),
        *("dossiers list", f"dossiers show {dossier}"),
        f"dossiers reassign {dossier} --to UD093 --reason moved",
        *("deliveries list", "deliveries replay --all"),
        *("channels list", "channels test UD075", "channels enable UD075"),
        *("procedures list", f"procedures show {form}", f"procedures resume {form}"),
        *(create, "webhooks list", f"webhooks renew {form} WEBHOOK"),
        f"webhooks enable {form} WEBHOOK",
        *("rules check", "rules coverage", "rules diff", f"rules explain {dossier}"),
        *("rules history", "rules simulate", "rules publish --yes"),
        *("audit seal", "audit verify", "audit prove 1", f"audit trace {dossier}", "audit actors"),
        *("keys rotate-audit", "db upgrade", f"report 2020-01 --dir {folder}"),
        *(f"init {folder / 'new'}", f"backup {folder / 'backup'}"),
    ]


def run(line: str, settings: dict[str, str]) -> Ran:
    words = line.split()
    return wif(*words, *([] if words[:2] == ["audit", "prove"] else ["--json"]), **settings)


def test_each_command_prints_what_its_schema_says(
    harness: Harness, settings: dict[str, str], tmp_path: Path
) -> None:
    ran, webhook = set(), ""
    for line in lines(harness, tmp_path):
        done = run(line.replace("WEBHOOK", webhook), settings)
        assert done.stdout, f"{line}: {done.stderr}"
        check_json(line.split(), done.stdout)  # `wif` does so, too, where --json is given
        if line.startswith("webhooks create"):
            webhook = next(iter(harness.tps.v2.webhooks.values())).id
        ran.add(command_of(line.split()))
    restored = {**settings, "WIF_DATABASE_URL": f"sqlite:///{tmp_path / 'new.sqlite3'}"}
    assert run(f"restore {tmp_path / 'backup'}", restored).stdout
    assert ran | {"restore", *ELSEWHERE} == {*DOCUMENTS}


def test_what_a_schema_does_not_know_is_seen() -> None:
    check_json(["deliveries", "replay", "--json"], '{"replayed": 1}')
    for wrong in ('{"replayed": "1"}', "{}", '{"replayed": 1, "more": 2}'):
        with pytest.raises(ValidationError):
            check_json(["deliveries", "replay", "--json"], wrong)
