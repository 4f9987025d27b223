"""What places people name, and what the territory answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.territory import (
    DepartmentReading,
    communes,
    department_of_insee,
    departments,
    read_department,
    regions,
    resolve,
)

CODES = sorted(departments())


def test_territory_holds_every_department_and_region() -> None:
    assert len([code for code in departments() if len(code) == 2]) == 96
    assert [code for code in CODES if len(code) == 3] == [
        *("971", "972", "973", "974", "975", "976", "977", "978"),
        *("984", "986", "987", "988", "989"),
    ]
    assert len(regions()) == 26
    assert all(department.region in regions() for department in departments().values())
    assert regions()[departments()["67"].region].name == "Grand Est"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("75 - Paris", "75"),
        ("69 – Rhône", "69"),
        ("2A", "2A"),
        ("2a", "2A"),
        (" 971 ", "971"),
        ("01", "01"),
        ("1 - Ain", "01"),
        ("075", "75"),
        ("02B", "2B"),
        ("Paris", "75"),
        ("PARIS (75)", "75"),
        ("Paris - 75", "75"),
        ("974 - Réunion", "974"),
        ("La Réunion", "974"),
        ("RÉUNION", "974"),
        ("2A - Corse du sud", "2A"),
        ("95 - VAL D’OISE", "95"),
        ("val d'oise", "95"),
        ("93-Seine-St-Denis", "93"),
        ("93: Seine Saint Denis", "93"),
        ("22 - Côtes-d'Armor", "22"),
        ("35 – Ille\N{NO-BREAK SPACE}et\N{NO-BREAK SPACE}Vilaine", "35"),
        ("988 - Nouvelle-Calédonie", "988"),
    ],
)
def test_reads_a_department_as_forms_give_it(text: str, code: str) -> None:
    assert read_department(text) == DepartmentReading(code=code)


@pytest.mark.parametrize("text", ["63 - Bas-Rhin", "67 - Haut-Rhin", "92 - Paris 11e"])
def test_a_label_that_names_another_place_is_said_to_disagree(text: str) -> None:
    reading = read_department(text)
    assert not reading.label_agrees
    assert reading.code == text[:2]


@pytest.mark.parametrize("text", ["99 - Étranger", "99 – ETRANGER", "99", "étranger"])
def test_abroad_is_no_department(text: str) -> None:
    assert read_department(text) == DepartmentReading(abroad=True)


def test_abroad_with_the_name_of_a_department_disagrees() -> None:
    assert read_department("99 - Paris") == DepartmentReading(abroad=True, label_agrees=False)


@pytest.mark.parametrize("text", ["", " ", "\N{NO-BREAK SPACE}", "-", " – "])
def test_blank_is_told_from_unknown(text: str) -> None:
    assert read_department(text) == DepartmentReading(blank=True)


@pytest.mark.parametrize(
    "text", ["999 - X", "20 - Corse", "75011", "75, 92", "00", "100", "Corse", "Париж"]
)
def test_what_names_no_department_or_two_has_no_code(text: str) -> None:
    assert read_department(text) == DepartmentReading()


def test_a_number_behind_a_name_counts_only_when_they_agree() -> None:
    assert read_department("Paris 11") == DepartmentReading(label_agrees=False)


@given(st.sampled_from(CODES), st.sampled_from(["-", "–", "—", ":", " "]), st.booleans())
def test_every_department_reads_back(code: str, dash: str, upper: bool) -> None:
    text = f" {code} {dash} {departments()[code].name} "
    assert read_department(text.upper() if upper else text) == DepartmentReading(code=code)


@given(st.sampled_from(CODES), st.sampled_from(CODES))
def test_the_label_agrees_exactly_with_its_own_code(code: str, other: str) -> None:
    reading = read_department(f"{code} - {departments()[other].name}")
    assert reading == DepartmentReading(code=code, label_agrees=code == other)


@given(st.text())
def test_reading_any_text_gives_a_known_code_or_none(text: str) -> None:
    reading = read_department(text)
    assert reading.code is None or reading.code in departments()
    assert not (reading.blank and (reading.code or reading.abroad))


@pytest.mark.parametrize(
    ("postal_code", "department"),
    [
        ("75011 ", "75"),
        ("75 011", "75"),
        ("01000", "01"),
        ("20000", "2A"),
        ("20167", "2A"),
        ("20200", "2B"),
        ("20620", "2B"),
        ("94390", "91"),
        ("97133", "977"),
        ("97150", "978"),
        ("97400", "974"),
        ("97500", "975"),
        ("97600", "976"),
        ("98600", "986"),
        ("98799", "989"),
        ("98800", "988"),
    ],
)
def test_a_listed_code_of_one_department_needs_no_commune(
    postal_code: str, department: str
) -> None:
    for commune in (None, "", "Anywhere"):
        found = resolve(postal_code, commune)
        assert (found.department, found.candidates) == (department, (department,))
        assert not found.ambiguous
        assert not found.by_prefix


@pytest.mark.parametrize(
    ("postal_code", "department"),
    [
        ("75116", "75"),
        ("92055", "92"),
        ("20186", "2A"),
        ("20297", "2B"),
        ("20699", "2B"),
        ("97159", "971"),
        ("98713", "987"),
        ("98499", "984"),
    ],
)
def test_a_code_outside_the_list_is_answered_by_its_first_digits(
    postal_code: str, department: str
) -> None:
    found = resolve(postal_code)
    assert found.department == department
    assert found.by_prefix == (postal_code not in communes())


@pytest.mark.parametrize(
    ("postal_code", "commune", "department"),
    [
        ("20304", "AJACCIO CEDEX 9", "2A"),
        ("20407", "Bastia Cedex", "2B"),
        ("97054", "Saint-Martin", "978"),
        ("97098", "SAINT BARTHELEMY CEDEX", "977"),
        ("97743", "Saint-Denis CEDEX 9", "974"),
        ("97821", "LE PORT CEDEX", "974"),
    ],
)
def test_a_prefix_without_a_department_of_its_own_needs_the_commune(
    postal_code: str, commune: str, department: str
) -> None:
    assert resolve(postal_code, commune).department == department
    alone = resolve(postal_code)
    assert alone.department is None
    assert alone.ambiguous
    assert alone.by_prefix
    assert department in alone.candidates


@pytest.mark.parametrize(
    ("commune", "department"),
    [
        ("Port-Sainte-Foy-et-Ponchapt", "24"),
        ("PORT STE FOY ET PONCHAPT", "24"),
        ("port ste-foy-et-ponchapt cedex 08", "24"),
        ("33220 Port-Sainte-Foy-et-Ponchapt", "24"),
        ("SAINTE FOY LA GRANDE", "33"),
        ("Ste. Foy la Grande CEDEX", "33"),
        (" pineuilh ", "33"),
    ],
)
def test_a_shared_code_is_told_apart_by_the_commune_as_people_type_it(
    commune: str, department: str
) -> None:
    found = resolve("33220", commune)
    assert found.department == department
    assert found.candidates == ("24", "33")
    assert not found.ambiguous


@pytest.mark.parametrize("commune", [None, "", "  ", "Paris", "Foy", "cedex 08", "33220", "?"])
def test_a_shared_code_without_a_usable_commune_is_ambiguous(commune: str | None) -> None:
    found = resolve("33220", commune)
    assert found.department is None
    assert found.ambiguous
    assert found.candidates == ("24", "33")


@pytest.mark.parametrize("typed", ["Paris 11", "PARIS 11E ARRONDISSEMENT", "paris XI", "Paris 1er"])
def test_an_arrondissement_does_not_matter_where_the_code_says_it_all(typed: str) -> None:
    assert resolve("75011", typed).department == "75"


def test_a_commune_that_was_merged_is_still_known_by_its_name() -> None:
    assert resolve("01200", "Bellegarde-s/-Valserine").department == "01"


@pytest.mark.parametrize(
    "typed", ["", "7501", "750111", "ABCDE", "1000", "٧٥٠١١", "00200", "98000"]
)
def test_what_is_no_french_code_has_no_department(typed: str) -> None:
    found = resolve(typed, "Paris")
    assert found.department is None
    assert found.candidates == ()
    assert not found.ambiguous
    assert not found.by_prefix


@given(st.text() | st.from_regex(r"[0-9]{5}", fullmatch=True), st.none() | st.text())
def test_resolving_anything_never_guesses(postal_code: str, commune: str | None) -> None:
    found = resolve(postal_code, commune)
    assert set(found.candidates) <= departments().keys()
    assert found.ambiguous == (found.department is None and len(found.candidates) > 1)
    assert found.department is None or found.department in found.candidates


def test_the_names_of_all_communes_are_not_read_for_listed_codes() -> None:
    communes.cache_clear()
    resolve("75011", "Paris 11")
    resolve("33220", "Pineuilh")
    resolve("92055", "Paris La Défense")
    assert communes.cache_info().currsize == 0


@pytest.mark.parametrize(
    ("insee", "department"),
    [
        ("75111", "75"),
        ("2A004", "2A"),
        ("2b033", "2B"),
        (" 92044 ", "92"),
        ("97411", "974"),
        ("97701", "977"),
        ("97123", "977"),
        ("97127", "978"),
        ("98506", "976"),
        ("98818", "988"),
        ("02285", "59"),
        ("99100", None),
        ("20004", None),
        ("00000", None),
        ("9200", None),
        ("", None),
    ],
)
def test_a_communes_code_names_its_department(insee: str, department: str | None) -> None:
    assert department_of_insee(insee) == department


@given(st.text() | st.from_regex(r"[0-9AB]{5}", fullmatch=True))
def test_any_text_as_a_communes_code_gives_a_known_department_or_none(text: str) -> None:
    assert department_of_insee(text) in {None, *departments()}
