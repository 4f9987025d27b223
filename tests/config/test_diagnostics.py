"""Every mistake is found, with its place, its code and what to write instead."""

import shutil
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import pytest

from config.diagnostics import Code, ConfigurationError, Diagnostic, did_you_mean
from config.loader import Configuration
from config.ruleset import check_directory, compile_document, read_directory
from config.schema import FILES
from config.yaml_tree import LARGEST_FILE
from tests.config.wrong_configurations import (
    CASES,
    VALID,
    WrongConfiguration,
    each_wrong_configuration,
)
from tests.fixtures.french import french_catalogue

SHIPPED = Path(__file__).resolve().parents[2] / "config"
DAY = date(2020, 6, 15)

Changed = Callable[..., Path]


@pytest.fixture
def changed(tmp_path: Path) -> Changed:
    """A copy of the valid configuration in which some text has been replaced."""

    def change(file: str, old: str = "", new: str = "") -> Path:
        shutil.copytree(VALID, tmp_path, dirs_exist_ok=True)
        path = tmp_path / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1) if old else text)
        return tmp_path

    return change


def _check(directory: Path, *, production: bool = False) -> list[Diagnostic]:
    found: tuple[Configuration, list[Diagnostic]] = check_directory(
        directory, production=production, on=DAY
    )
    return found[1]


def _codes(mistakes: list[Diagnostic]) -> list[Code]:
    return [mistake.code for mistake in mistakes]


def test_the_valid_configuration_has_no_mistake() -> None:
    assert _check(VALID) == []


@each_wrong_configuration
def test_a_wrong_configuration_is_refused_where_it_is_wrong(
    wrong: WrongConfiguration, tmp_path: Path
) -> None:
    mistakes = _check(wrong.write(tmp_path))

    assert tuple(str(each).removeprefix(f"{tmp_path}/") for each in mistakes) == wrong.found


@each_wrong_configuration
def test_the_same_mistakes_are_found_and_told_in_french(
    wrong: WrongConfiguration, tmp_path: Path
) -> None:
    english = _check(wrong.write(tmp_path))
    with french_catalogue():
        french = _check(tmp_path)
    assert [(each.code, each.place) for each in french] == [
        (each.code, each.place) for each in english
    ]
    assert [each.message for each in french if each.message in told(english)] == []
    assert [each.proposal for each in french if each.proposal in told(english)] == []


def told(mistakes: Sequence[Diagnostic]) -> set[str]:
    """Every message and proposal."""
    return {text for each in mistakes for text in (each.message, each.proposal) if text}


def test_every_kind_of_mistake_has_an_example() -> None:
    shown = {code for wrong in CASES.values() for code in wrong.codes}
    elsewhere = {Code.UNREADABLE, Code.TOO_LARGE, Code.MAILBOX_PLACEHOLDER}
    elsewhere |= {Code.TYPOGRAPHY, Code.MAILBOX_DOMAIN_UNLIKE}

    assert shown | elsewhere == set(Code)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_told_from_a_wrong_one(name: str, changed: Changed) -> None:
    directory = changed(name)
    (directory / name).unlink()

    with pytest.raises(ConfigurationError) as refused:
        read_directory(directory, on=DAY)

    assert refused.value.unreadable
    (mistake,) = refused.value.mistakes
    assert str(mistake) == (
        f"{directory / name}:1:1: unreadable: cannot be read: No such file or directory"
    )


def test_a_missing_directory_is_unreadable(tmp_path: Path) -> None:
    mistakes = _check(tmp_path / "nowhere")

    assert _codes(mistakes) == [Code.UNREADABLE] * len(FILES)


def test_a_folder_in_place_of_a_file_is_unreadable(changed: Changed) -> None:
    directory = changed("units.yaml")
    (directory / "units.yaml").unlink()
    (directory / "units.yaml").mkdir()

    assert Code.UNREADABLE in _codes(_check(directory))


def test_a_huge_file_is_refused_before_it_is_read(changed: Changed) -> None:
    directory = changed("units.yaml")
    with (directory / "units.yaml").open("ab") as file:
        file.write(b"#" * LARGEST_FILE)

    (mistake,) = _check(directory)

    assert (mistake.code, mistake.line, mistake.column) == (Code.TOO_LARGE, 1, 1)


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_a_byte_order_mark_and_windows_line_ends_mean_nothing(
    ending: str, changed: Changed
) -> None:
    directory = changed("units.yaml")
    for name in FILES:
        text = (VALID / name).read_text().replace("\n", ending)
        (directory / name).write_bytes(b"\xef\xbb\xbf" + text.encode())

    assert read_directory(directory, on=DAY) == read_directory(VALID, on=DAY)


def test_placeholders_are_refused_in_production_only() -> None:
    mistakes = _check(VALID, production=True)

    assert _codes(mistakes) == [Code.MAILBOX_PLACEHOLDER] * 5
    assert str(mistakes[0]) == (
        f"{VALID}/units.yaml:6:15: mailbox-placeholder: is a placeholder (write the unit's mailbox)"
    )


def test_all_mistakes_of_all_files_are_told_at_once(changed: Changed) -> None:
    directory = changed("units.yaml", "67 - Bas-Rhin", "63 - Bas-Rhin")
    procedures = directory / "procedures.yaml"
    procedures.write_text(procedures.read_text().replace("filer: student", "filer: eleve"))
    (directory / "permit_types.yaml").write_text("permit_types: [")
    (directory / "routing.yaml").write_text("fallback: NATIONALE\n")

    found = [(Path(m.file).name, m.line, m.code) for m in _check(directory)]

    assert found == [
        ("permit_types.yaml", 1, Code.SYNTAX),
        ("procedures.yaml", 17, Code.WRONG_VALUE),
        ("procedures.yaml", 19, Code.WRONG_VALUE),
        ("routing.yaml", 1, Code.MISSING_KEY),
        ("routing.yaml", 1, Code.UNKNOWN_UNIT),
        ("units.yaml", 18, Code.DEPARTMENT_LABEL_DISAGREES),
    ]


def test_every_missing_key_of_an_entry_is_told(changed: Changed) -> None:
    directory = changed(
        "units.yaml",
        "    name: Unité départementale de Paris\n    departments: [75 - Paris]\n    channels:\n"
        "      - mail: moe.ud075@direccte.example\n",
        "",
    )

    missing = [m.message for m in _check(directory) if m.code is Code.MISSING_KEY]

    assert missing == ["lacks `channels`", "lacks `name`"]


def test_an_address_is_never_repeated(changed: Changed) -> None:
    for address in ("camille.martin@direccte.example", "camille martin <c.martin@x.example>"):
        (mistake,) = _check(changed("units.yaml", "moe.ud075@direccte.example", address))

        assert "martin" not in str(mistake)
        (changed("units.yaml") / "units.yaml").write_text((VALID / "units.yaml").read_text())


@pytest.mark.parametrize(
    "address",
    [
        "moe.ud075@direccte.example",
        "ud75.moe@direccte.example",
        "direccte-idf.ut75-moe@direccte.example",
        "main.doeuvre@direccte.example",
        "autorisations-de-travail@ville.example",
        "seine.maritime@direccte.example",
        "moe@direccte.example",
    ],
)
def test_a_service_s_mailbox_is_accepted(address: str, changed: Changed) -> None:
    assert _check(changed("units.yaml", "moe.ud075@direccte.example", address)) == []


def test_a_mailbox_that_is_said_to_be_shared_is_accepted(changed: Changed) -> None:
    paris = "      - mail: moe.ud075@direccte.example"
    directory = changed(
        "units.yaml", paris, "      - { mail: paris.nord@x.example, functional: true }"
    )

    assert _check(directory) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [("true", "false"), ("true", "true")],
)
def test_two_units_share_a_mailbox_only_if_both_say_so(
    one: str, other: str, changed: Changed
) -> None:
    directory = changed(
        "units.yaml",
        "      - mail: moe.ud075@direccte.example",
        f"      - {{ mail: moe.idf@direccte.example, functional: {one} }}",
    )
    units = directory / "units.yaml"
    units.write_text(
        units.read_text().replace(
            "      - mail: moe.ud02a@direccte.example",
            f"      - {{ mail: MOE.IDF@direccte.example, functional: {other} }}",
        )
    )

    assert _codes(_check(directory)) == ([] if one == other else [Code.MAILBOX_TWICE])


def test_300_dossiers_in_the_wrong_office_two_groups_with_one_rule(tmp_path: Path) -> None:
    (mistake,) = _check(CASES["rule-duplicate"].write(tmp_path))

    assert mistake.code is Code.RULE_DUPLICATE
    assert "`etudiants` (line 17)" in mistake.message


def test_swapped_procedure_numbers_are_caught_in_the_shipped_files(tmp_path: Path) -> None:
    for name in FILES:
        shutil.copy(SHIPPED / name, tmp_path)
    text = (tmp_path / "procedures.yaml").read_text()
    swapped = text.replace("15751", "x").replace("17617", "15751").replace("x", "17617")
    (tmp_path / "procedures.yaml").write_text(swapped)

    found = {(m.code, m.text, m.proposal) for m in _check(tmp_path)}

    assert found == {
        (Code.PROCEDURE_DEPARTMENT_DISAGREES, "15751", "swapped with 17617?"),
        (Code.PROCEDURE_DEPARTMENT_DISAGREES, "17617", "swapped with 15751?"),
    }


def test_67_under_63_is_caught_however_it_is_written(tmp_path: Path) -> None:
    wrong = {
        "[67 - Bas-Rhin]": ("[63 - Bas-Rhin]", Code.DEPARTMENT_LABEL_DISAGREES),
        "code: UD067": ("code: UD063", Code.TWICE),
        "Unité départementale du Puy-de-Dôme": (
            "Unité départementale du Bas-Rhin",
            Code.UNIT_NAME_DISAGREES,
        ),
        "moe.ud067@": ("moe.ud063@", Code.MAILBOX_DISAGREES),
    }
    for old, (new, code) in wrong.items():
        for name in FILES:
            shutil.copy(SHIPPED / name, tmp_path)
        units = tmp_path / "units.yaml"
        units.write_text(units.read_text().replace(old, new))

        assert code in _codes(_check(tmp_path)), old


def test_a_successor_may_have_been_succeeded(changed: Changed) -> None:
    directory = changed(
        "units.yaml",
        "    opens: 2021-04-01\n",
        "    opens: 2021-01-01\n    closes: 2021-02-01\n    successor: UD075\n",
    )
    units = directory / "units.yaml"
    units.write_text(units.read_text().replace("closes: 2021-04-01", "closes: 2021-03-01"))

    # The direction was closed before it took over, but Paris had taken over from it.
    assert Code.SUCCESSOR_CLOSED not in _codes(_check(directory))


def test_the_residence_must_be_on_the_forms_of_a_type_that_it_decides_for(
    changed: Changed,
) -> None:
    directory = changed(
        "permit_types.yaml",
        "    competence: establishment",
        "    competence: residence-permit",
    )

    (mistake,) = _check(directory)

    assert (mistake.code, mistake.text) == (Code.FIELD_NOT_ON_FORM, "introduction-salarie")


def test_a_national_procedure_needs_no_unit_of_its_own(changed: Changed) -> None:
    directory = changed(
        "procedures.yaml",
        "  - id: 33588\n    department: 75 - Paris",
        "  - id: 50000\n    kind: introduction-salarie\n    filer: employer\n\n"
        "  - id: 33588\n    department: 75 - Paris",
    )

    assert _check(directory) == []


def test_a_proposal_is_made_only_when_something_is_alike() -> None:
    assert did_you_mean("aprentissage", ["apprentissage", "doctorat"]) == (
        "did you mean `apprentissage`?"
    )
    assert did_you_mean("xyz", ["apprentissage", "doctorat"]) is None


def test_what_is_accepted_can_be_compiled() -> None:
    rules = compile_document(read_directory(VALID, on=DAY))

    assert set(rules.units) == {"NATIONAL", "UD075", "UD067", "DDETS67", "UD02A"}
    assert [rule.id for rule in rules.rules] == ["doctorants-de-paris", "etudiants", "introduction"]
