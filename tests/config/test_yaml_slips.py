"""Slips of people who type: each is refused where it is, with what to write instead."""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
import yaml
from ruamel.yaml import YAML

from config import yaml_tree
from config.channel_entries import CHANNEL_ENTRIES
from config.checks import channels, mailboxes, units
from config.diagnostics import Code, Diagnostic
from config.loader import Configuration, Located
from config.ruleset import check_directory
from config.schema import UnitEntry
from config.yaml_tree import MapNode
from tests.config.test_diagnostics import DAY
from tests.config.wrong_configurations import VALID

HAUTE_GARONNE = '"31 - Haute-Garonne", "32 - Gers"'


def found(folder: Path, *, production: bool = False) -> list[Diagnostic]:
    return check_directory(folder, production=production, on=DAY)[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(VALID, tmp_path, dirs_exist_ok=True)
    return tmp_path


def slip(folder: Path, file: str, old: str, new: str) -> list[Diagnostic]:
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return found(folder)


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "told"),
    [
        *(
            ("units.yaml", "[75 - Paris]", f"[{text}]", Code.WRONG_VALUE, HAUTE_GARONNE)
            for text in (
                "31 - Haute-Garonne 32 - Gers",
                "31 - Haute-Garonne et 32 - Gers",
                "31 - Haute-Garonne / 32 - Gers",
                "31 - Haute-Garonne ; 32 - Gers",
                '"31, 32"',
                '"31 32"',
                "31 et 32",
                "31/32",
                "Haute-Garonne et Gers",
            )
        ),
        (
            "units.yaml",
            "[75 - Paris]",
            "[75 - Paris et environs]",
            Code.DEPARTMENT_LABEL_DISAGREES,
            "75 - Paris",
        ),
        (
            "units.yaml",
            "name: Unité départementale de Paris",
            "name: \u201cUnité départementale de Paris\u201d",
            Code.TYPOGRAPHY,
            '"Unité départementale de Paris", in straight quotes',
        ),
        (
            "units.yaml",
            "name: Unité départementale de Paris",
            "name: \u00ab\u00a0Unité départementale de Paris\u00a0\u00bb",
            Code.TYPOGRAPHY,
            "straight quotes",
        ),
        (
            "units.yaml",
            "    name: Unité départementale de Paris",
            "    name\u00a0: Unité départementale de Paris",
            Code.TYPOGRAPHY,
            "write `name:`",
        ),
        (
            "routing.yaml",
            "permit_type: { in: [apprentissage, accord-franco-algerien, doctorat] }",
            'permit_type: "doctorat, apprentissage"',
            Code.WRONG_VALUE,
            "write a list: [doctorat, apprentissage]",
        ),
        (
            "routing.yaml",
            "- permit_type: doctorat",
            "- permit_type: Accord franco-algérien",
            Code.WRONG_VALUE,
            "accord-franco-algerien",
        ),
        (
            "routing.yaml",
            "send_to: [UD02A]",
            "send_to: Unité départementale de Paris",
            Code.WRONG_VALUE,
            "write `UD075`",
        ),
        (
            "routing.yaml",
            "why: Les doctorants de Paris",
            "why: Attention : les doctorants de Paris",
            Code.SYNTAX,
            'put the whole value in quotes: why: "Attention : les doctorants',
        ),
        (
            "units.yaml",
            "    opens: 2018-03-26",
            "     opens: 2018-03-26",
            Code.SYNTAX,
            "column",
        ),
        ("units.yaml", "2018-03-26", "9" * 5_000, Code.WRONG_VALUE, "more digits"),
        (
            "units.yaml",
            "name: Unité départementale de Paris",
            "name: \u2019Unité départementale de Paris\u2019",
            Code.TYPOGRAPHY,
            "in straight quotes",
        ),
        (
            "units.yaml",
            "[75 - Paris]",
            "[75 - Paris, 75 - Paris]",
            Code.TWICE,
            "stands in this list twice",
        ),
        ("units.yaml", "[75 - Paris]", '[75 - Paris, "75"]', Code.TWICE, "twice"),
        (
            "units.yaml",
            "[75 - Paris]",
            "[75 - Paris (sauf le 16e)]",
            Code.DEPARTMENT_LABEL_DISAGREES,
            "says more than 75 - Paris (write `75 - Paris` alone)",
        ),
        (
            "routing.yaml",
            "region: Île-de-France",
            "region: Île-de-France et Bretagne",
            Code.WRONG_VALUE,
            'write a list: ["Île-de-France", "Bretagne"]',
        ),
        (
            "routing.yaml",
            "permit_type: { in: [apprentissage, accord-franco-algerien, doctorat] }",
            "permit_type: doctorat apprentissage",
            Code.WRONG_VALUE,
            "write a list: [doctorat, apprentissage]",
        ),
        (
            "units.yaml",
            "moe.ud075@direccte.example",
            "moe.ud075@direccte.example,fr",
            Code.MAILBOX_MALFORMED,
            "a comma or another separator stands in it",
        ),
        (
            "units.yaml",
            "    opens: 2018-03-26",
            "      opens: 2018-03-26",
            Code.SYNTAX,
            "begin it in column 5, or with a hyphen",
        ),
        (
            "units.yaml",
            "    opens: 2018-03-26",
            "   opens: 2018-03-26",
            Code.SYNTAX,
            "begin it in column",
        ),
        (
            "units.yaml",
            "moe.ud075@direccte.example",
            "moe.ud075.direccte.example",
            Code.MAILBOX_MALFORMED,
            "there is no @",
        ),
        (
            "units.yaml",
            "moe.ud075@direccte.example",
            "moe.ud075@direccte.example, chef@direccte.example",
            Code.MAILBOX_MALFORMED,
            "more than one",
        ),
        *(
            ("units.yaml", "moe.ud075@direccte.example", text, Code.MAILBOX_PERSONAL, "person")
            for text in (
                "jdupont@direccte.example",
                "jeandupont75@direccte.example",
                "jean.dupont@direccte.example",
                "jean.dupont2@direccte.example",
                "ud075@gmail.com",
                "direccte75@laposte.net",
            )
        ),
    ],
)
def test_a_slip_is_told(folder: Path, file: str, old: str, new: str, code: Code, told: str) -> None:
    mistakes = slip(folder, file, old, new)
    assert code in {mistake.code for mistake in mistakes}, mistakes
    assert any(told in str(mistake) for mistake in mistakes), mistakes
    assert not any(
        "doctorat-apprentissage" in str(mistake) or "jdupont" in str(mistake)
        for mistake in mistakes
    )


@pytest.mark.parametrize(
    "address", ["ud75@direccte.example", "direccte75@direccte.example", "secretariat@ud.example"]
)
def test_the_mailbox_of_a_service_is_none_of_a_person(folder: Path, address: str) -> None:
    assert slip(folder, "units.yaml", "moe.ud075@direccte.example", address) == []


def test_a_domain_one_letter_off_is_a_warning_and_in_production_a_mistake(folder: Path) -> None:
    path = folder / "units.yaml"
    path.write_text(path.read_text().replace("direccte.example", "direccte.gouv.fr"))
    mistakes = slip(folder, "units.yaml", "moe.ud075@direccte.gouv.fr", "moe.ud075@directe.gouv.fr")
    assert mistakes == []
    configuration, _ = check_directory(folder, on=DAY)
    assert [warning.code for warning in configuration.warnings] == [Code.MAILBOX_DOMAIN_UNLIKE]
    codes = {mistake.code for mistake in found(folder, production=True)}
    assert Code.MAILBOX_DOMAIN_UNLIKE in codes


@pytest.mark.parametrize(
    ("label", "doubted"),
    [
        ("Adresse (n°, rue, commune)", False),
        ("Nom/Prénom", False),
        ('"Nom, prénom"', False),
        ("Nom, prénom", True),
        ("Titre (n°, date), département", True),
        ("Département du titre ; Département de résidence", True),
    ],
)
def test_a_label_of_tps_is_never_refused_for_its_separators_but_doubted(
    folder: Path, label: str, *, doubted: bool
) -> None:
    """In production neither."""
    shipped = "Département qui figure sur le titre de séjour"
    assert slip(folder, "procedures.yaml", shipped, label) == []
    configuration, _ = check_directory(folder, production=False, on=DAY)
    assert [doubt.line for doubt in configuration.doubts] == [6][:doubted]
    assert Code.WRONG_VALUE not in {each.code for each in found(folder, production=True)}


def test_a_choice_of_a_form_is_doubted_and_words_of_ones_own_are_refused(folder: Path) -> None:
    assert slip(folder, "permit_types.yaml", "[Algérie]", "Algérie, Maroc") == []
    configuration, _ = check_directory(folder, on=DAY)
    (doubt,) = configuration.doubts
    assert "write a list: [Algérie, Maroc]; or, when it is one value" in str(doubt)
    words = "contains: [apprentissage]"
    assert slip(folder, "permit_types.yaml", words, "contains: contrat (CDD, CDI)") == []
    one, several = "contrat (CDD, CDI)", "apprentissage, alternance"
    assert [each.text for each in slip(folder, "permit_types.yaml", one, several)] == [several]


@pytest.mark.parametrize(
    "contact", ["https://aide.example/wif?page", "aide.example/wif?page", "aide.example?page=2"]
)
def test_the_question_mark_of_an_address_is_no_lost_accent(folder: Path, contact: str) -> None:
    name = "    name: Unité départementale de Paris\n"
    assert slip(folder, "units.yaml", name, f"{name}    contact: {contact}\n") == []
    lost = slip(folder, "units.yaml", f"contact: {contact}", "contact: d?partement")
    assert [each.code for each in lost] == [Code.TYPOGRAPHY]


# --- files that are none ------------------------------------------------------------------------


def test_a_pipe_is_refused_and_nobody_waits_for_it(folder: Path) -> None:
    (folder / "units.yaml").unlink()
    os.mkfifo(folder / "units.yaml")
    (mistake, *_) = [each for each in found(folder) if each.unreadable]
    assert "is no regular file" in str(mistake)


def test_a_link_to_a_file_elsewhere_is_refused_and_not_shown(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    key = tmp_path_factory.mktemp("elsewhere") / "key"
    key.write_text("secret-of-a-test")
    (folder / "units.yaml").unlink()
    (folder / "units.yaml").symlink_to(key)
    mistakes = found(folder)
    assert any("is a link to a file elsewhere" in str(mistake) for mistake in mistakes)
    assert not any("secret-of-a-test" in str(mistake) for mistake in mistakes)


def test_links_within_the_folder_are_how_kubernetes_mounts_files(folder: Path) -> None:
    (folder / "..data").mkdir()
    (folder / "units.yaml").rename(folder / "..data" / "units.yaml")
    (folder / "units.yaml").symlink_to("..data/units.yaml")
    assert found(folder) == []


def test_what_is_yaml_is_read_by_the_fast_parser_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml_tree, "YAML", None)
    assert found(folder) == []


def test_both_parsers_see_the_same_tree(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = [yaml_tree.read_tree(path, []) for path in sorted(folder.glob("*.yaml"))]
    slow = YAML(typ="safe", pure=True)
    monkeypatch.setattr(yaml, "parse", lambda text, _: slow.parse(text))
    assert fast == [yaml_tree.read_tree(path, []) for path in sorted(folder.glob("*.yaml"))]


def test_a_large_file_that_is_no_yaml_is_told_by_the_fast_parser(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml_tree, "LARGEST_EXPLAINED", 0)
    monkeypatch.setattr(yaml_tree, "YAML", None)
    mistakes = slip(folder, "units.yaml", "name: Cellule", "name: Attention : Cellule")
    assert [(each.code, each.line) for each in mistakes] == [(Code.SYNTAX, 4)]


# --- what it costs ------------------------------------------------------------------------------


def test_checks_of_units_look_at_each_pair_only_where_it_shares_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: Counter[str] = Counter()
    overlap = units.overlap

    def counted(one: UnitEntry, other: UnitEntry) -> bool:
        calls["overlap"] += 1
        return overlap(one, other)

    monkeypatch.setattr(units, "overlap", counted)
    monkeypatch.setattr(channels, "overlap", counted)
    many = 2_000
    node = MapNode(1, 1)
    configuration = Configuration(directory=tmp_path, production=True, on=DAY)
    configuration.units = [
        Located(
            UnitEntry.model_construct(
                code=f"U{at}",
                name=f"Unité {at}",
                departments=["75"],
                channels=[CHANNEL_ENTRIES["mail"].model_construct(mail="moe@direccte.example")],
            ),
            "units.yaml",
            node,
        )
        for at in range(many)
    ]
    list(units.check(configuration))
    list(mailboxes.check(configuration))
    list(channels.check(configuration))
    assert calls["overlap"] <= 3 * many
