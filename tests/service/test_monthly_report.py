"""Monthly reports: each unit sees its own month whole, the national office what may leave it."""

import io
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import insert

from config.settings import read
from routing.ruleset import RuleSet
from service.monthly_report import NationalReport, UnitReport, national_report, unit_reports
from service.monthly_workbook import HIDDEN, NONE, OPEN, national_workbook, unit_workbook
from service.runtime import Runtime
from service.statistics.publish import publish_when_due
from service.statistics.suppression import ALL
from store import published_figures
from store.models import Dossier
from store.published_figures import StoredFigure
from tests.fixtures import shipped_rules
from tests.fixtures.bulk_dossiers import say_listed

MONTH = date(2026, 10, 1)
MONDAY = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
MADE_AT = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def runtime(database_url: str, tmp_path: Path) -> Iterator[Runtime]:
    made = Runtime(read(var_dir=tmp_path, database_url=database_url))
    made.clock = lambda: MADE_AT
    shipped_rules.publish(made)
    say_listed(made)
    yield made
    made.close()


@pytest.fixture
def rules(runtime: Runtime) -> RuleSet:
    return runtime.rules()


class Filing:
    """Puts dossiers into a database, and looks at what is told of them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._database = runtime.database
        self._number = 0

    def add(
        self,
        count: int = 1,
        *,
        units: tuple[str, ...] = ("UD075",),
        filed_at: datetime = MONDAY,
        state: str = "closed",
        after_days: int = 1,
        permit_type: str | None = "apprentissage",
        department: str = "75",
    ) -> None:
        decided = state not in {"initiated", "received"}
        rows = [
            {
                "procedure": 13760,
                "number": self._number + place,
                "status": "routed",
                "state": state,
                "seen_at": filed_at,
                "last_listed_at": filed_at,
                "filed_at": filed_at,
                "changed_at": filed_at,
                "ended_at": filed_at + timedelta(days=after_days) if decided else None,
                "permit_type": permit_type,
                "department": department,
                "facts_hash": "0" * 64,
                "units": units,
            }
            for place in range(1, count + 1)
        ]
        self._number += count
        with self._database.begin() as connection:
            connection.execute(insert(Dossier), rows)

    def units(self) -> Sequence[UnitReport]:
        with self._database.read() as connection:
            return unit_reports(connection, MONTH)

    def national(self, month: date = MONTH) -> NationalReport:
        publish_when_due(self._runtime)
        with self._database.read() as connection:
            return national_report(connection, month)

    def public(self) -> dict[str, StoredFigure]:
        """What is public of the month, by département."""
        with self._database.read() as connection:
            figures = published_figures.figures(connection, month=MONTH, permit_type=ALL)
        return {each.department: each for each in figures}


@pytest.fixture
def filing(runtime: Runtime) -> Filing:
    return Filing(runtime)


def cells(content: bytes) -> dict[str, list[list[Any]]]:
    """The rows of each sheet by its name."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book}


def row(rows: list[list[Any]], name: str, *, after: str = "") -> list[Any]:
    """The first row of that name, below another one."""
    names = [each[0] for each in rows]
    start = names.index(after) if after else 0
    return rows[names.index(name, start)][1:]


def test_a_unit_sees_what_was_filed_decided_and_waits_and_the_month_before(
    filing: Filing, rules: RuleSet
) -> None:
    filing.add(3)
    filing.add(1, state="refused", after_days=14, permit_type="doctorat")
    filing.add(2, state="received")
    filing.add(1, state="received", filed_at=datetime(2026, 10, 30, 8, 0, tzinfo=UTC))
    filing.add(4, filed_at=MONDAY - timedelta(days=30))
    filing.add(1, filed_at=MONDAY + timedelta(days=31))  # November's affair
    (report,) = filing.units()
    assert report.unit == "UD075"
    assert report.this.filed == {"apprentissage": 6, "doctorat": 1}
    assert report.this.decided == {("closed", "apprentissage"): 3, ("refused", "doctorat"): 1}
    assert (report.this.decisions, report.this.late) == (4, 1)
    assert (report.this.waiting, report.this.waiting_late) == (3, 2)
    assert report.before.decisions == 4
    sheet = cells(unit_workbook(report, rules, MADE_AT))["Rapport"]
    assert row(sheet, "Dépôts")[:3] == [7, 4, 3]
    assert row(sheet, "Décisions")[:3] == [4, 4, 0]
    assert row(sheet, "dont depuis plus de 5 jours")[0] == 2


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_unit_is_told_its_own_delays_however_few(filing: Filing, rules: RuleSet) -> None:
    filing.add(2, after_days=1)
    filing.add(1, after_days=4)
    sheet = cells(unit_workbook(filing.units()[0], rules, MADE_AT))["Rapport"]
    assert row(sheet, "Tous") == [3, 0, 1, 4]
    assert row(sheet, "Doctorat", after="Délais du mois") == [0, 0, NONE, NONE]
    assert HIDDEN not in {cell for line in sheet for cell in line}


def test_the_border_of_a_month_is_midnight_in_paris(filing: Filing, rules: RuleSet) -> None:
    for instant in ("2026-09-30T21:59:59", "2026-09-30T22:00:00", "2026-10-31T22:59:59"):
        filing.add(filed_at=datetime.fromisoformat(f"{instant}+00:00"), state="initiated")
    (report,) = filing.units()
    assert (report.before.filed.total(), report.this.filed.total()) == (1, 2)


def test_a_dossier_of_two_units_counts_for_both_and_once_nationally(
    filing: Filing, rules: RuleSet
) -> None:
    filing.add(12, units=("UD075", "UD093"))
    assert [each.this.decisions for each in filing.units()] == [12, 12]
    assert filing.national().this.whole == filing.public()[ALL]
    assert filing.public()[ALL].decisions == 12


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_nothing_small_leaves_a_unit_and_nothing_it_could_be_computed_from(
    filing: Filing, rules: RuleSet
) -> None:
    filing.add(20)
    filing.add(2, state="refused")
    filing.add(30, permit_type="doctorat")
    filing.add(25, permit_type="doctorat", state="refused", department="13")
    filing.add(3, units=("UD093",), department="93")
    made = filing.national()
    shown = made.this.decided
    assert ("refused", "apprentissage") not in shown
    assert shown[ALL, ALL] == 80
    # Neither its row nor its column gives it away.
    hidden_in_row = [
        kind for kind in ("apprentissage", "doctorat") if ("refused", kind) not in shown
    ]
    hidden_in_column = [s for s in ("closed", "refused") if (s, "apprentissage") not in shown]
    assert len(hidden_in_row) > 1 or ("refused", ALL) not in shown
    assert len(hidden_in_column) > 1 or (ALL, "apprentissage") not in shown
    told = [cell for sheet in book(made, rules).values() for line in sheet for cell in line]
    assert HIDDEN in told


def test_beside_decisions_by_outcome_it_tells_what_is_public_and_no_other_number(
    filing: Filing, rules: RuleSet
) -> None:
    filing.add(20)
    filing.add(12, department="13")
    filing.add(9, department="69", units=("UD075",))
    filing.add(40, department="69", after_days=20)
    filing.add(3, department="93", units=("UD075",))
    made = filing.national()
    public = filing.public()
    sheets = book(made, rules)
    (line,) = [line for line in sheets["Par département"] if str(line[0]).startswith("69 ")]
    figures = public["69"]
    assert line[1:6] == [
        HIDDEN if value is None else value
        for value in (
            *(figures.requests, figures.decisions, figures.late),
            *(figures.median, figures.p90),
        )
    ]
    told = {line[0].split(" ")[0] for line in sheets["Par département"][4:]}
    assert told == public.keys() - {ALL}
    assert row(sheets["France"], "Dépôts")[0] == public[ALL].requests == 84
    assert row(sheets["France"], "Tous")[3] == public[ALL].decisions


def book(made: NationalReport, rules: RuleSet) -> dict[str, list[list[Any]]]:
    return cells(national_workbook(made, rules, MADE_AT))


def test_what_comes_late_changes_the_units_report_and_nothing_of_the_national_one(
    filing: Filing, rules: RuleSet
) -> None:
    filing.add(20)
    filing.add(9, state="refused")
    filing.add(30, permit_type="doctorat", filed_at=MONDAY - timedelta(days=30))
    first = filing.national()
    assert first.this.decided[ALL, ALL] == 29
    filing.add(1)
    filing.add(2, state="refused", units=("UD093",))
    filing.add(4, permit_type="doctorat", filed_at=MONDAY - timedelta(days=30))
    assert filing.national() == first
    assert filing.national(date(2026, 11, 1)).before == first.this
    assert [each.this.decisions for each in filing.units()] == [30, 2]
    again, once = (national_workbook(each, rules, MADE_AT) for each in (first, filing.national()))
    assert again == once


def test_a_month_that_is_not_public_is_hidden_whole(filing: Filing, rules: RuleSet) -> None:
    filing.add(4)
    sheets = book(filing.national(), rules)
    assert [line[0] for line in sheets["France"] if line[0] == OPEN] == [OPEN]
    told = [cell for sheet in sheets.values() for line in sheet for cell in line]
    assert not [cell for cell in told if isinstance(cell, int | float)]
    filing.add(8)
    assert filing.national().this.whole == filing.public()[ALL]
    assert OPEN not in {line[0] for line in book(filing.national(), rules)["France"]}


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_workbook_has_a_chart_and_the_same_bytes_each_time(
    filing: Filing, rules: RuleSet
) -> None:
    filing.add(6)
    twice = [
        (
            unit_workbook(filing.units()[0], rules, MADE_AT),
            national_workbook(filing.national(), rules, MADE_AT),
        )
        for _ in range(2)
    ]
    assert twice[0] == twice[1]
    for content in twice[0]:
        book = openpyxl.load_workbook(io.BytesIO(content))
        assert len(book.worksheets[0]._charts) == 1


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_no_text_becomes_a_formula(filing: Filing, rules: RuleSet) -> None:
    filing.add(6, permit_type='=HYPERLINK("https://elsewhere.example")')
    (report,) = filing.units()
    book = openpyxl.load_workbook(io.BytesIO(unit_workbook(report, rules, MADE_AT)))
    kinds = {cell.data_type for line in book.worksheets[0].iter_rows() for cell in line}
    assert "f" not in kinds
