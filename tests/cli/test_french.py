"""What admins and agents read is French where they ask for it, and JSON is the same for all."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import help_texts, language
from cli.main import COMMANDS, build
from tests.fixtures.processes import ROOT, WIF, clean_environment, wif

READERS = ("rules", "dossiers", "deliveries", "procedures", "status", "doctor", "channels")
"""Commands of those who need not know English."""

SAME = {"CODE", "open", "[OPTIONS]", "DOSSIER", "WEBHOOK", "WORKER"}
"""Texts that are the same in both languages."""


@pytest.fixture
def french(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LANGUAGE", "")
    language.use("fr")
    yield
    language.use(language.ENGLISH)


@pytest.fixture
def folder(tmp_path: Path) -> dict[str, str]:
    return {"WIF_VAR_DIR": str(tmp_path / "var"), "WIF_LANG": "fr"}


@pytest.mark.parametrize("name", COMMANDS)
def test_no_help_is_left_in_english(name: str, french: None) -> None:
    english = {key for key in keys_of_help(name) if key not in SAME}
    language.use("fr")
    shown = set(help_texts.texts(build(name)))
    assert shown & english == set()


def keys_of_help(name: str) -> set[str]:
    language.use(language.ENGLISH)
    return set(help_texts.texts(build(name)))


@pytest.mark.parametrize("name", READERS)
def test_help_as_a_reader_sees_it_with_the_parsers_own_words(tmp_path: Path, name: str) -> None:
    said = run(tmp_path, name, "--help", WIF_LANG="fr").stdout
    assert re.match(rf"\s*Usage : \S+ {name} ", said)
    assert "Afficher ce message et quitter." in said
    for word in ("Usage:", "Show this message", "Commands", "Arguments ─", "COMMAND ["):
        assert word not in said.replace("Commandes", "")


def run(folder: Path, *arguments: str, **given: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own: the parser takes its words when it is loaded."""
    environment = clean_environment({"WIF_VAR_DIR": str(folder / "var"), "COLUMNS": "140", **given})
    return subprocess.run(
        [*WIF, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("locale", "first"),
    [
        ({"LANG": "fr_FR.UTF-8"}, "Usage :"),
        ({"LC_ALL": "fr_FR.UTF-8", "LANG": "C"}, "Usage :"),
        ({"LANG": "C.UTF-8"}, "Usage:"),
        ({"LANG": "en_GB.UTF-8"}, "Usage:"),
        ({"LANG": "fr_FR.UTF-8", "WIF_LANG": "en"}, "Usage:"),
        ({"LANG": "de_DE.UTF-8"}, "Usage:"),
        ({"LANG": "fr_FR.UTF-8", "WIF_LANG": "français"}, "Usage :"),
    ],
)
def test_the_language_is_that_of_the_setting_else_of_the_locale(
    tmp_path: Path, locale: dict[str, str], first: str
) -> None:
    neutral = {"LC_ALL": "", "LC_MESSAGES": "", "LANGUAGE": "", "WIF_LANG": ""}
    assert first in run(tmp_path, "rules", "--help", **(neutral | locale)).stdout


def test_status_and_doctor(folder: dict[str, str]) -> None:
    status = wif("status", **folder)
    assert "plus ancien dossier en attente" in status.stdout
    assert "règles en vigueur" in status.stdout
    assert "ni beat ni un worker n'a jamais été vu" in status.stdout
    doctor = wif("doctor", **folder)
    assert "ERREUR" in doctor.stdout
    assert "la configuration n'a pas d'erreur" in doctor.stdout
    assert "WIF_TPS_URL et WIF_TPS_TOKEN : nécessaires pour lire les dossiers" in doctor.stdout


@pytest.mark.parametrize(
    ("command", "headings"),
    [
        ("dossiers", ["0 dossier", "démarche", "statut", "type de permis", "âge (jours)"]),
        ("deliveries", ["0 envoi", "événement", "canal", "essais"]),
        ("procedures", ["74 démarches", "numéro", "relevée le", "active"]),
        ("channels", ["canaux", "unité", "UD075"]),
    ],
)
def test_lists_have_french_headings(
    folder: dict[str, str], command: str, headings: list[str]
) -> None:
    said = wif(command, "list", **folder).stdout
    assert [each for each in headings if each not in said] == []


def edited(tmp_path: Path, old: str, new: str) -> Path:
    config = tmp_path / "config"
    shutil.copytree(ROOT / "config", config, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    units = config / "units.yaml"
    assert old in units.read_text()
    units.write_text(units.read_text().replace(old, new, 1))
    return config


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "[67 - Bas-Rhin]",
            "[63 - Bas-Rhin]",
            "`63 - Bas-Rhin` a le code et le nom de deux lieux : le 63 est « Puy-de-Dôme » "
            "(écrivez `63 - Puy-de-Dôme` ou `67 - Bas-Rhin`)",
        ),
        ("    channels:", "    chanels:", "`chanels` n'est pas une clé connue ici"),
        (
            "    departments: [67 - Bas-Rhin]",
            "    departments: 67 - Bas-Rhin",
            "doit être une liste",
        ),
        (
            "    departments: [67 - Bas-Rhin]",
            "    departments: [67 - Bas-Rhin",
            "n'est pas du YAML",
        ),
        ("code: UD067", "code: ud067", "n'est pas le code d'une unité, par exemple `UD075`"),
    ],
)
def test_a_mistake_in_the_rules(
    tmp_path: Path, folder: dict[str, str], old: str, new: str, said: str
) -> None:
    checked = wif("rules", "check", str(edited(tmp_path, old, new)), **folder)
    assert checked.returncode == 1
    assert said in checked.stdout, checked.stdout
    assert "erreur" in checked.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", "--json"),
        ("doctor", "--json"),
        ("procedures", "list", "--json"),
        ("channels", "list", "--json"),
        ("dossiers", "list", "--json"),
        ("rules", "explain", "--permit-type", "doctorat", "--department", "93", "--json"),
    ],
)
def test_json_is_the_same_in_both_languages(
    folder: dict[str, str], arguments: tuple[str, ...]
) -> None:
    wif("procedures", "list", **folder)  # what the first command makes stands then
    french = wif(*arguments, **folder)
    english = wif(*arguments, **{**folder, "WIF_LANG": "en"})
    assert french.returncode == english.returncode
    assert timeless(json.loads(french.stdout)) == timeless(json.loads(english.stdout))


def test_mistakes_in_json_are_the_same_in_both_languages(
    tmp_path: Path, folder: dict[str, str]
) -> None:
    wrong = str(edited(tmp_path, "code: UD067", "code: ud067"))
    french = wif("rules", "check", wrong, "--json", **folder)
    english = wif("rules", "check", wrong, "--json", **{**folder, "WIF_LANG": "en"})
    assert french == english
    assert json.loads(french.stdout)["mistakes"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("dossiers", "show", "12"), "un dossier se donne sous la forme DÉMARCHE/NUMÉRO"),
        (("dossiers", "list", "--unit", "UD75"), "vouliez-vous dire `UD075` ?"),
        (("rules", "rollback", "--yes"), "donnez une empreinte que montre `wif rules history`"),
        (("deliveries", "list", "--state", "ded"), "ded n'est pas l'un de pending (en attente)"),
        (("deliveries", "replay", "--channel", "mial"), "vouliez-vous dire `mail` ?"),
        (("channels", "enable", "UD75"), "vouliez-vous dire `UD075` ?"),
        (
            ("dossiers", "reassign", "1/2", "--to", "UD75", "--reason", "workload"),
            "vouliez-vous dire `UD075` ?",
        ),
    ],
)
def test_what_goes_to_standard_error_beside_json_is_for_people(
    folder: dict[str, str], arguments: tuple[str, ...], said: str
) -> None:
    group, command, *rest = arguments
    arguments = (group, command, "--json", *rest)
    french = wif(*arguments, **folder)
    english = wif(*arguments, **{**folder, "WIF_LANG": "en"})
    assert (french.stdout, french.returncode) == (english.stdout, english.returncode)
    assert said in french.stderr
    assert french.stderr == wif(group, command, *rest, **folder).stderr
    assert english.stderr == wif(group, command, *rest, **{**folder, "WIF_LANG": "en"}).stderr


def test_mistakes_that_stop_a_command_are_french_beside_json(
    tmp_path: Path, folder: dict[str, str]
) -> None:
    wrong = str(edited(tmp_path, "code: UD067", "code: ud067"))
    ended = wif("rules", "publish", wrong, "--yes", "--json", **folder)
    assert ended.returncode == 1
    assert "n'est pas le code d'une unité" in ended.stderr
    assert "vouliez-vous dire `UD067` ?" in ended.stderr
    ended = wif("status", "--json", **{**folder, "WIF_POLL_INTERVAL": "bientôt"})
    assert "WIF_POLL_INTERVAL : n'est pas un nombre entier ; par exemple : 60" in ended.stderr
    ended = wif("status", "--json", **{**folder, "WIF_TPS_PROCEDURES": "x"})
    assert "WIF_TPS_PROCEDURES : n'est pas une liste de nombres" in ended.stderr
    ended = wif("status", "--json", **{**folder, "WIF_ESCALATE_AFTER": "7"})
    assert "WIF_ESCALATE_AFTER : n'a pas d'effet sans WIF_REMIND_AFTER" in ended.stderr


def test_words_that_tables_show_are_taken_beside_json(folder: dict[str, str]) -> None:
    for arguments in (("--json", "--state", "abandonné"), ("--state", "abandonné", "--json")):
        assert wif("deliveries", "list", *arguments, **folder).returncode == 0


def timeless(value: object) -> object:
    """`value` without what moves from one look to the next."""
    if isinstance(value, dict):
        return {name: timeless(each) for name, each in value.items() if "seconds" not in name}
    return [timeless(each) for each in value] if isinstance(value, list) else value


def test_what_was_typed_wrongly(folder: dict[str, str]) -> None:
    said = {
        ("rules", "chek"): "la commande `chek` n'existe pas ; vouliez-vous dire check ?",
        ("status", "--jsn"): "l'option --jsn n'existe pas ; vouliez-vous dire --json ?",
        ("dossiers", "show"): "DÉMARCHE/NUMÉRO manque",
        ("dossiers", "show", "12"): "un dossier se donne sous la forme DÉMARCHE/NUMÉRO",
        ("dossiers", "list", "--since", "hier"): "--since : n'est pas un jour",
        ("dossiers", "list", "--unit", "UD75"): "vouliez-vous dire `UD075` ?",
        ("deliveries", "list", "--state", "ded"): "ded n'est pas l'un de pending",
        ("dossiers", "reassign", "1/2"): "donnez --to UNITÉ et --reason CODE, ou --unpin",
        ("rules", "rollback"): "donnez une empreinte que montre `wif rules history`",
        ("worker", "--queues", "pol"): "--queues : pol n'est pas parmi poll, route",
    }
    for arguments, expected in said.items():
        ended = wif(*arguments, **folder)
        assert ended.returncode == 2
        assert expected in ended.stderr, (arguments, ended.stderr)


def test_a_wrong_setting(folder: dict[str, str]) -> None:
    ended = wif("status", **{**folder, "WIF_POLL_INTERVAL": "bientôt"})
    assert "WIF_POLL_INTERVAL : n'est pas un nombre entier ; par exemple : 60" in ended.stderr


def test_a_rule_that_does_not_match_says_why(folder: dict[str, str]) -> None:
    said = wif(
        *("rules", "explain", "--permit-type", "introduction-salarie", "--department", "75"),
        **folder,
    ).stdout
    assert "Faits : introduction-salarie, 75 Paris" in said
    assert "type de permis : introduction-salarie, et non" in said
