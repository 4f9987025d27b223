"""Monthly reports as .xlsx files, in French: decisions, delays, the month before, a chart.

Every text is a code, a label of the configuration or a word of this module; numbers are numbers.
The same figures give the same bytes.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self

import xlsxwriter

from routing.ruleset import RuleSet
from routing.territory import departments
from service.monthly_report import (
    MaskedMonth,
    MonthFigures,
    NationalReport,
    UnitReport,
    previous_month,
)
from service.statistics.durations import whole_durations
from service.statistics.month import OUTCOMES
from service.statistics.suppression import ALL, Counts

MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août"),
    *("septembre", "octobre", "novembre", "décembre"),
)
DECISION_LABELS = {
    "closed": "Acceptés",
    "refused": "Refusés",
    "without_continuation": "Classés sans suite",
}
UNKNOWN = "(type non reconnu)"
HIDDEN = "n. c."
NONE = "–"
"""A delay where nothing was decided."""
NOTE = (
    "n. c. : non communiqué. Un nombre inférieur à 5, et ceux dont il pourrait être déduit, ne "
    "sortent pas de l'unité."
)
OPEN = "Les chiffres de ce mois ne sont pas encore arrêtés."
PLACE_HEAD = (
    *("Département", "Dépôts", "Décisions", "Au-delà de 5 jours", "Médiane", "9 sur 10 en"),
    "Décisions le mois précédent",
)
DELAY_NOTE = "Délais en jours ouvrés, du dépôt à la décision ; la cible est de 5 jours."


def french_month(month: date) -> str:
    """`octobre 2026`."""
    return f"{MONTHS[month.month - 1]} {month.year}"


@dataclass(frozen=True, slots=True)
class Labels:
    """What codes are called."""

    permit_types: Mapping[str, str]
    units: Mapping[str, str]

    @classmethod
    def of(cls, rules: RuleSet) -> "Labels":
        """The words of a rule set."""
        return cls(
            {kind.code: kind.label for kind in rules.permit_types},
            {code: unit.name for code, unit in rules.units.items()},
        )

    def permit_type(self, code: str) -> str:
        """The label of a permit type."""
        return "Tous" if code == ALL else self.permit_types.get(code, code) or UNKNOWN

    def unit(self, code: str) -> str:
        """Code and name of a unit."""
        return f"{code} – {self.units[code]}" if code in self.units else code or "(aucune unité)"


class _Sheet:
    """Writes a worksheet from top to bottom."""

    def __init__(self, book: Any, name: str) -> None:  # noqa: ANN401
        self._sheet = book.add_worksheet(name)
        self.name = name
        self._row = 0
        self._title = book.add_format({"bold": True, "font_size": 14})
        self._head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        self._note = book.add_format({"italic": True, "font_color": "#555555"})
        self._sheet.set_column(0, 0, 44)
        self._sheet.set_column(1, 12, 14)
        self._sheet.set_landscape()
        self._sheet.fit_to_pages(1, 0)

    def title(self, text: str) -> None:
        """A line in large letters."""
        self._line([text], self._title)

    def note(self, text: str) -> None:
        """A remark."""
        self._line([text], self._note)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[object]]) -> tuple[int, int]:
        """A table with an empty line below; its first and last row, for charts."""
        self._row += 1
        self._line(head, self._head)
        first = self._row
        for row in rows:
            self._line(row, None)
        return first, self._row - 1

    def place(self, chart: Any) -> None:  # noqa: ANN401
        """Put a chart below what is there."""
        self._sheet.insert_chart(self._row + 1, 0, chart, {"object_position": 2})

    def _line(self, cells: Sequence[object], style: Any) -> None:  # noqa: ANN401
        for column, value in enumerate(cells):
            if isinstance(value, int | float):
                self._sheet.write_number(self._row, column, value, style)
            else:
                # Never a formula or a link, whatever the text begins with.
                text = HIDDEN if value is None else str(value)
                self._sheet.write_string(self._row, column, text, style)
        self._row += 1


def unit_workbook(report: UnitReport, rules: RuleSet, made_at: datetime) -> bytes:
    """The report of one unit: nothing is hidden, because it stays there."""
    labels = Labels.of(rules)
    with _Book(made_at, f"Rapport mensuel {report.unit}") as book:
        sheet = _Sheet(book.book, "Rapport")
        sheet.title(f"{labels.unit(report.unit)} : {french_month(report.month)}")
        head = ("", french_month(report.month), french_month(previous_month(report.month)), "Écart")
        sheet.table(head, [*_summary(report.this, report.before)])
        sheet.note(DELAY_NOTE)
        kinds = _kinds(rules, report.this, report.before)
        rows = [
            [labels.permit_type(kind), *(report.this.decided[state, kind] for state in OUTCOMES)]
            for kind in kinds
        ]
        place = sheet.table(("Décisions du mois", *DECISION_LABELS.values()), rows)
        sheet.table(
            ("Délais du mois", "Décisions", "Au-delà de 5 jours", "Médiane", "9 sur 10 en"),
            [*_delays(report.this, kinds, labels)],
        )
        sheet.place(_chart(book.book, sheet.name, place, french_month(report.month)))
    return book.content


def national_workbook(report: NationalReport, rules: RuleSet, made_at: datetime) -> bytes:
    """The report of all units, masked."""
    labels = Labels.of(rules)
    with _Book(made_at, "Rapport mensuel national") as book:
        sheet = _Sheet(book.book, "France")
        sheet.title(f"Toutes les unités : {french_month(report.month)}")
        sheet.note(NOTE if report.this.figures else OPEN)
        head = ("", french_month(report.month), french_month(previous_month(report.month)), "Écart")
        sheet.table(head, [*_masked_summary(report.this, report.before)])
        sheet.note(DELAY_NOTE)
        kinds = [*(kind.code for kind in rules.permit_types), "", ALL]
        rows = [[labels.permit_type(kind), *_row(report.this.decided, kind)] for kind in kinds]
        place = sheet.table(("Décisions du mois", *DECISION_LABELS.values(), "Toutes"), rows)
        rows = [[labels.permit_type(kind), *_row(report.before.decided, kind)] for kind in kinds]
        sheet.table(("Décisions du mois précédent", *DECISION_LABELS.values(), "Toutes"), rows)
        sheet.place(_chart(book.book, sheet.name, place, french_month(report.month)))
        places = _Sheet(book.book, "Par département")
        places.title(f"Par département : {french_month(report.month)}")
        places.note(NOTE)
        places.table(PLACE_HEAD, [*_places(report)])
    return book.content


class _Book:
    """A workbook in memory, without any instant but the one that is given."""

    def __init__(self, made_at: datetime, title: str) -> None:
        self._stream = io.BytesIO()
        self.book = xlsxwriter.Workbook(self._stream, {"in_memory": True})
        self.book.set_properties(
            {"title": title, "author": "Work In France", "created": made_at.replace(tzinfo=None)}
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.book.close()

    @property
    def content(self) -> bytes:
        """The file, once it is closed."""
        return self._stream.getvalue()


def _summary(this: MonthFigures, before: MonthFigures) -> Iterator[Sequence[object]]:
    for label, now, then in (
        ("Dépôts", this.filed.total(), before.filed.total()),
        ("Décisions", this.decisions, before.decisions),
        ("dont au-delà de 5 jours", this.late, before.late),
        ("En attente à la fin du mois", this.waiting, before.waiting),
        ("dont depuis plus de 5 jours", this.waiting_late, before.waiting_late),
    ):
        yield label, now, then, now - then


def _masked_summary(this: MaskedMonth, before: MaskedMonth) -> Iterator[Sequence[object]]:
    for label, name in (
        ("Dépôts", "requests"),
        ("Décisions", "decisions"),
        ("dont au-delà de 5 jours", "late"),
        ("Délai médian", "median"),
        ("9 décisions sur 10 en", "p90"),
    ):
        one, other = getattr(this.whole, name, None), getattr(before.whole, name, None)
        yield label, one, other, None if one is None or other is None else one - other


def _row(shown: Counts, kind: str) -> list[int | None]:
    return [shown.get((state, kind)) for state in (*OUTCOMES, ALL)]


def _delays(
    figures: MonthFigures, kinds: Sequence[str], labels: Labels
) -> Iterator[Sequence[object]]:
    for kind in (None, *kinds):
        by_days = figures.by_days(kind)
        found = whole_durations(by_days)
        late = sum(count for days, count in by_days.items() if days > 5)  # noqa: PLR2004
        name = "Tous" if kind is None else labels.permit_type(kind)
        quantiles = (NONE if days is None else days for days in (found.median, found.p90))
        yield name, sum(by_days.values()), late, *quantiles


def _places(report: NationalReport) -> Iterator[Sequence[object]]:
    before = {each.department: each.decisions for each in report.before.places}
    for each in report.this.places:
        if each.department != ALL:
            yield (
                *(_place(each.department), each.requests, each.decisions),
                *(each.late, each.median, each.p90, before.get(each.department)),
            )


def _place(code: str) -> str:
    known = departments().get(code)
    return f"{code} – {known.name}" if known else code or "(département inconnu)"


def _kinds(rules: RuleSet, *months: MonthFigures) -> list[str]:
    known = [kind.code for kind in rules.permit_types]
    seen = {
        kind for month in months for kind in (*month.filed, *(kind for _, kind in month.decided))
    }
    return [*known, *sorted(seen - {*known})]


def _chart(book: Any, sheet: str, place: tuple[int, int], month: str) -> Any:  # noqa: ANN401
    chart = book.add_chart({"type": "column", "subtype": "stacked"})
    for column, label in enumerate(DECISION_LABELS.values(), start=1):
        chart.add_series(
            {
                "name": label,
                "categories": [sheet, place[0], 0, place[1], 0],
                "values": [sheet, place[0], column, place[1], column],
            }
        )
    chart.set_title({"name": f"Décisions, {month}"})
    chart.set_size({"width": 900, "height": 360})
    return chart
