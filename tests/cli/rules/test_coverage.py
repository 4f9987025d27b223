"""`wif rules coverage`: who takes what, as a table, as JSON and as a page."""

import json
from html.parser import HTMLParser
from pathlib import Path

from routing.facts import Filer
from routing.territory import departments
from tests.cli.rules.edits import edit
from tests.config.wrong_configurations import VALID
from tests.fixtures.processes import wif


def test_coverage_names_unit_and_rule_for_every_cell() -> None:
    done = wif("rules", "coverage", "--json", "--on", "2020-11-02")

    cells = json.loads(done.stdout)["cells"]
    keys = {(cell["department"], cell["permit_type"], cell["filer"]) for cell in cells}
    assert len(keys) == len(cells) == (len(departments()) + 1) * 9 * len(Filer)
    (paris,) = (
        cell
        for cell in cells
        if (cell["department"], cell["permit_type"], cell["filer"])
        == ("75", "apprentissage", "unknown")
    )
    assert (paris["department_name"], paris["routed"], paris["brought_in"]) == ("Paris", True, True)
    assert paris["answers"] == [
        {
            "units": ["UD075"],
            "rule": "etudiants",
            "routed": True,
            "reasons": [],
            "inform": [],
            "notify": None,
        }
    ]


def test_coverage_as_a_table_says_when_an_answer_depends_on_more() -> None:
    done = wif("rules", "coverage", str(VALID), "--on", "2020-11-02")

    text = " ".join(done.stdout.replace("│", " ").split())
    assert "2A Corse-du-Sud UD02A (etudiants)" in text
    assert "unrouted (etudiants)" in text
    assert "when filed" in text


class _Page(HTMLParser):
    """What a page shows, and what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.loads: list[str] = []
        self.unrouted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loads += [str(given[name]) for name in ("src", "href") if name in given]
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
            self.unrouted += given.get("class") == "bad"

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] = f"{self.rows[-1][-1]} {data}".strip()


def test_coverage_as_a_page_is_whole_and_loads_nothing(tmp_path: Path) -> None:
    page = tmp_path / "couverture.html"

    done = wif("rules", "coverage", "--html", str(page), "--on", "2020-11-02")

    text = page.read_text()
    parsed = _Page()
    parsed.feed(text)
    assert (done.returncode, done.stdout.strip()) == (0, str(page))
    assert set(parsed.loads) == {"data:,"}
    assert "http" not in text.replace("http-equiv", "")
    matrix = [row for row in parsed.rows if len(row) == 2 + 9]
    assert len(matrix) == 1 + len(departments()) + 1
    offices = [row for row in parsed.rows if len(row) == 3]
    assert ["UD075", "Unité départementale de Paris", "moe.ud075@direccte.example"] in offices
    assert "Unité départementale de Paris &lt;moe.ud075@direccte.example&gt;" in text
    (paris,) = (row for row in parsed.rows if row[0] == "75 Paris")
    assert paris[1] == "Île-de-France"
    assert paris[2].split()[0] == "UD075"
    assert paris[2].split()[-1] == "etudiants"
    assert parsed.unrouted == 74 * 9 + 36


def test_what_is_written_in_the_files_is_text_on_the_page(files: Path, tmp_path: Path) -> None:
    label = "<script>alert(1)</script>"
    edit(files, "permit_types.yaml", "label: Doctorat", f"label: '{label}'")
    page = tmp_path / "couverture.html"

    wif("rules", "coverage", str(files), "--html", str(page))

    assert label not in page.read_text()
    assert "&lt;script&gt;alert(1)" in page.read_text()


def test_who_is_informed_and_how_units_are_told_is_shown_everywhere(
    service: dict[str, str], files: Path, tmp_path: Path
) -> None:
    told = "article: R5221-16\n    inform: [NATIONAL]\n    notify: instant"
    edit(files, "routing.yaml", "article: R5221-16", told)
    page = tmp_path / "couverture.html"
    given = ("--permit-type", "introduction-salarie", "--department", "93")

    explained = wif("rules", "explain", "--from", str(files), *given, **service).stdout
    simulated = wif("rules", "simulate", str(files), **service)
    moves = json.loads(wif("rules", "simulate", str(files), "--json", **service).stdout)
    covered = " ".join(wif("rules", "coverage", str(files)).stdout.split())
    wif("rules", "coverage", str(files), "--html", str(page))

    assert "Informs NATIONAL, Cellule nationale d'orientation" in explained
    assert "Is told at once" in explained
    assert simulated.returncode == 3
    assert "informs NATIONAL" in " ".join(simulated.stdout.replace("│", " ").split())
    assert moves["dossiers"] == []
    change = next(move for move in moves["cases"] if move["to"] == ["UD093"])
    assert (change["inform_before"], change["inform_after"]) == ([], ["NATIONAL"])
    assert (change["notify_before"], change["notify_after"]) == (None, "instant")
    assert "NATIONAL; notify: instant" in covered.replace("│ ", "")
    assert "pour information : NATIONAL ; tout de suite" in page.read_text()


def test_a_page_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    done = wif("rules", "coverage", "--html", str(tmp_path / "nowhere" / "page.html"))

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
