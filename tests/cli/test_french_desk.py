"""What an agent reads of dossiers that are there: states, reasons and questions in French."""

import io
import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from simulator import Server
from tests.fixtures.harness import PARIS_FORM, Harness
from tests.fixtures.processes import ROOT, wif

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@pytest.fixture
def desk(harness: Harness, tps: Server, tmp_path: Path) -> dict[str, str]:
    """Settings of a French service with a dossier that is routed, one unrouted and one broken."""
    form = harness.form(PARIS_FORM)
    harness.tps.add(form, number=1, filed_at=harness.now, permit_type="doctorat", department="93")
    harness.tps.add(form, number=2, filed_at=harness.now, permit_type="doctorat", department="31")
    harness.tps.add(form, number=3, filed_at=harness.now)
    harness.tps.fail_detail(3, 500)
    harness.run()
    return {
        "WIF_TPS_URL": tps.url,
        "WIF_TPS_TOKEN": tps.simulator.token,
        "WIF_DATABASE_URL": harness.runtime.settings.database,
        "WIF_VAR_DIR": str(harness.runtime.settings.var_dir),
        "WIF_OUTBOX_DIR": str(harness.outbox),
        "WIF_LANG": "fr",
    }


def dossier(number: int) -> str:
    return f"{PARIS_FORM}/{number}"


def test_states_are_words_in_tables_and_codes_in_json_and_csv(desk: dict[str, str]) -> None:
    shown = wif("dossiers", "list", **desk).stdout
    assert "3 dossiers" in shown
    for word in ("orienté", "en quarantaine", "en construction"):
        assert word in shown
    assert "envoyé" in wif("deliveries", "list", "--state", "sent", **desk).stdout
    assert ",routed,initiated," in wif("dossiers", "list", "--csv", **desk).stdout
    statuses = {each["status"] for each in json.loads(wif("dossiers", "list", "--json", **desk)[1])}
    assert statuses == {"routed", "quarantined"}


def test_one_dossier_with_its_reasons_in_words(desk: dict[str, str]) -> None:
    shown = wif("dossiers", "show", dossier(2), **desk).stdout
    assert re.search(r"sans unité compétente +│ oui", shown)
    assert "department-not-served : aucune unité ne dessert ce département" in shown
    explained = wif("rules", "explain", dossier(2), **desk).stdout
    assert "la cellule de repli le reçoit" in explained
    assert "- department-not-served : aucune unité ne dessert ce département" in explained


ENGLISH = re.compile(r"\b(the|is|of|not|and|with|are|was|were|which|that|from|by|for|this)\b")
COMMANDS = (
    *(
        "status",
        "doctor",
        "dossiers list",
        "dossiers list --unrouted",
        f"dossiers show {dossier(1)}",
    ),
    *(f"dossiers show {dossier(2)}", f"dossiers show {dossier(3)}", "deliveries list"),
    *("procedures list", "channels list", "channels test UD093", "rules check", "rules coverage"),
    *("rules simulate", "rules diff", "rules history", f"rules explain {dossier(1)}"),
    *("rules explain --permit-type introduction-salarie --department 75", "rules publish --yes"),
    *("deliveries replay --all", "procedures resume --all", "procedures show 13760", "run-once"),
    *("audit verify", "audit actors", f"audit trace {dossier(1)}", "keys list", "purge", "stats"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_english_is_left(desk: dict[str, str], command: str) -> None:
    ran = wif(*command.split(), **desk)
    typed = re.sub(r"`[^`]*`|--[a-z-]+|[a-z]+-[a-z-]+", "", ran.stdout + ran.stderr)
    assert ENGLISH.findall(typed) == [], typed


def test_status_counts_in_words(desk: dict[str, str]) -> None:
    shown = wif("status", **desk).stdout
    for line in ("dossiers : orienté", "dossiers : sans unité compétente", "envois : envoyé"):
        assert line in shown


def test_a_reassignment_that_is_refused(desk: dict[str, str]) -> None:
    unit = wif("dossiers", "reassign", dossier(1), "--to", "UD75", "--reason", "moved", **desk)
    said = (
        "UD75 : aucune unité du jeu de règles en vigueur n'a ce code ; vouliez-vous dire `UD075` ?"
    )
    assert unit.stderr == f"{said}\n"
    text = wif("dossiers", "reassign", dossier(1), "--to", "UD075", "--reason", "mme-x", **desk)
    assert text.stderr.startswith("le motif doit être l'un de moved, ")


@pytest.mark.parametrize(
    ("answer", "said"),
    [("o\n", "est en vigueur pour tous les workers"), ("n\n", "rien n'a été publié")],
)
def test_publishing_asks_in_french(
    desk: dict[str, str], edited: Path, monkeypatch: pytest.MonkeyPatch, answer: str, said: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    ran = wif("rules", "publish", str(edited), **desk)
    assert "Mettre en vigueur le jeu de règles" in ran.stdout
    assert "[o/N]" in ran.stdout
    assert said in ran.stdout + ran.stderr


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    folder = tmp_path / "edited"
    shutil.copytree(ROOT / "config", folder)
    units = folder / "units.yaml"
    units.write_text(units.read_text().replace("moe.ud093@", "main.oeuvre.ud093@"))
    return folder
