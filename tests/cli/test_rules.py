"""`wif rules` as an admin meets it: what it prints, and the exit codes that scripts rely on."""

import json
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from config.json_schemas import schemas
from routing.facts import Filer
from routing.territory import departments
from simulator import Server
from store import rulesets
from tests.config.wrong_configurations import CASES, VALID
from tests.fixtures.harness import PARIS_FORM, Harness
from tests.fixtures.processes import ROOT, wif


@pytest.fixture
def engine_name() -> str:
    """One engine: what touches the database is proved on both elsewhere."""
    return "sqlite"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A copy of the shipped configuration, to be edited."""
    copy = tmp_path / "edited"
    copy.mkdir()
    for path in (ROOT / "config").glob("*.yaml"):
        shutil.copy(path, copy)
    return copy


@pytest.fixture
def service(harness: Harness, tps: Server, tmp_path: Path) -> dict[str, str]:
    """Settings of a service on the harness's database."""
    return {
        "WIF_TPS_URL": tps.url,
        "WIF_TPS_TOKEN": tps.simulator.token,
        "WIF_DATABASE_URL": harness.runtime.settings.database,
        "WIF_VAR_DIR": str(tmp_path / "var"),
        "WIF_OUTBOX_DIR": str(harness.outbox),
        "WIF_TPS_PROCEDURES": harness.runtime.settings.tps_procedures,
    }


def edit(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def paris_goes_to_bobigny(folder: Path) -> None:
    """One more rule, first of all: doctoral students of Paris go to Seine-Saint-Denis."""
    edit(
        folder,
        "routing.yaml",
        "rules:\n",
        """rules:
  - id: doctorants-de-paris
    why: Les doctorants de Paris sont suivis à Bobigny.
    when:
      permit_type: doctorat
      department: 75 - Paris
    send_to: UD093
    examples:
      - given: { permit_type: doctorat, department: 75 - Paris }
        decided: 2020-11-02
        unit: UD093

""",
    )


def test_check_says_what_is_right_and_exits_0() -> None:
    done = wif("rules", "check")

    assert (done.returncode, done.stderr) == (0, "")
    assert "no mistake in 37 units, 74 procedures, 8 permit types, 3 rules, 5 examples" in (
        done.stdout
    )


def test_check_prints_a_line_for_each_mistake_and_exits_1(files: Path) -> None:
    edit(files, "units.yaml", "[63 - Puy-de-Dôme]", "[63 - Bas-Rhin]")
    edit(files, "routing.yaml", "fallback: NATIONAL", "fallback: NATIONALE")

    done = wif("rules", "check", str(files))

    assert (done.returncode, done.stderr) == (1, "2 mistakes\n")
    first, second = done.stdout.splitlines()
    assert first.startswith(f"{files}/routing.yaml:")
    assert "unknown-unit: `NATIONALE` is no unit of units.yaml (did you mean `NATIONAL`?)" in first
    assert "department-label-disagrees: `63 - Bas-Rhin`" in second


def test_check_exits_2_when_a_file_cannot_be_read(files: Path) -> None:
    (files / "units.yaml").unlink()

    done = wif("rules", "check", str(files))

    assert done.returncode == 2
    assert f"{files}/units.yaml:1:1: unreadable: cannot be read" in done.stdout


def test_check_refuses_placeholders_in_production_and_when_asked_to(files: Path) -> None:
    asked = wif("rules", "check", str(files), "--production", "--json")

    found = json.loads(asked.stdout)
    assert asked.returncode == 1
    assert found["ruleset"] is None
    assert {mistake["code"] for mistake in found["mistakes"]} == {"mailbox-placeholder"}
    assert set(found["mistakes"][0]) == {
        *("file", "line", "column", "code", "text", "message", "proposal")
    }


def test_check_writes_the_schemas(tmp_path: Path) -> None:
    done = wif("rules", "check", "--schema", str(tmp_path / "schemas"))

    assert done.returncode == 0
    written = {path.name: path.read_text() for path in (tmp_path / "schemas").iterdir()}
    assert written == schemas()


def test_check_never_ends_in_a_traceback(tmp_path: Path) -> None:
    for name, file in (("alias-bomb", "units.yaml"), ("not-utf-8", "routing.yaml")):
        directory = CASES[name].write(tmp_path)
        (directory / file).unlink()
        done = wif("rules", "check", str(directory))
        assert done.returncode == 2
        assert "Traceback" not in done.stdout + done.stderr


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


def test_explain_given_facts_says_why_not_why_and_where(service: dict[str, str]) -> None:
    given = ("--permit-type", "introduction-salarie", "--department", "93 - Seine-Saint-Denis")

    done = wif("rules", "explain", *given, **service)
    found = json.loads(wif("rules", "explain", *given, "--json", **service).stdout)

    assert "permit_type is introduction-salarie, not" in done.stdout
    assert "Goes to UD093, Unité départementale de la Seine-Saint-Denis" in done.stdout
    assert "<moe.ud093@direccte.example>" in done.stdout
    assert "(R5221-16)" in done.stdout
    assert [(rule["rule"], rule["matched"]) for rule in found["rules"]] == [
        ("etudiants", False),
        ("introduction-salarie", True),
    ]
    assert found["facts"] == {"permit_type": "introduction-salarie", "department": "93"}
    assert found["units"] == [
        {
            "code": "UD093",
            "name": "Unité départementale de la Seine-Saint-Denis",
            "mailbox": "moe.ud093@direccte.example",
        }
    ]
    assert found["previous"] is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--permit-type", "aprentissage"), "did you mean `apprentissage`?"),
        (("--department", "96"), "no such département"),
        (("--procedure", "13761"), "did you mean `13760`?"),
        (("13760-1",), "PROCEDURE/NUMBER"),
        (("--on", "hier"), "hier"),
    ],
)
def test_explain_says_what_it_cannot_understand(
    options: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    done = wif("rules", "explain", *options, WIF_VAR_DIR=str(tmp_path))

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_stored_dossier_is_explained_with_what_the_version_before_said(
    harness: Harness, service: dict[str, str], files: Path
) -> None:
    number = harness.file(permit_type="doctorat", department="75")
    harness.run()
    paris_goes_to_bobigny(files)
    wif("rules", "publish", str(files), "--yes", "--note", "workload", **service)

    found = json.loads(
        wif("rules", "explain", f"{PARIS_FORM}/{number}", "--json", **service).stdout
    )
    said = wif("rules", "explain", f"{PARIS_FORM}/{number}", **service).stdout

    assert found["outcome"]["units"] == ["UD093"]
    assert found["previous"]["units"] == ["UD075"]
    assert f"{PARIS_FORM}/{number}: doctorat, 75 Paris" in said
    assert "says: UD075, by etudiants" in said


def test_an_unknown_dossier_is_one_line(service: dict[str, str]) -> None:
    done = wif("rules", "explain", "13760/999999", **service)

    assert done.returncode == 1
    assert done.stderr == "13760/999999: not known, or not read yet; see `wif dossiers list`\n"


def test_simulate_exits_0_when_nothing_moves(service: dict[str, str], files: Path) -> None:
    edit(files, "units.yaml", "# Les unités qui instruisent", "# Les offices qui instruisent")

    done = wif("rules", "simulate", str(files), **service)

    said = done.stdout.splitlines()[1:]
    assert (done.returncode, said) == (0, ["No difference", "Nothing moves"])


def test_a_mailbox_that_changes_is_shown_before_it_is_published(
    service: dict[str, str], files: Path
) -> None:
    wif("run-once", **service)
    edit(files, "units.yaml", "moe.ud075@direccte.example", "moe.ud75@direccte.example")
    for command in (("simulate", str(files)), ("publish", str(files), "--yes")):
        done = wif("rules", *command, **service)
        assert done.returncode == 0, done
        assert "moe.ud075@direccte.example" in done.stdout
        assert "moe.ud75@direccte.example" in done.stdout
        assert "Nothing moves" in done.stdout


def test_diff_compares_files_and_rule_sets(service: dict[str, str], files: Path) -> None:
    wif("run-once", **service)
    edit(files, "units.yaml", "Unité départementale de Paris", "Unité de Paris")
    assert wif("rules", "publish", str(files), "--yes", **service).returncode == 0
    new, old = [
        each["hash"] for each in json.loads(wif("rules", "history", "--json", **service).stdout)
    ]
    (found,) = json.loads(wif("rules", "diff", old, new, "--json", **service).stdout)
    assert (found["section"], found["entry"], found["field"]) == ("units", "UD075", "name")
    assert (found["before"], found["after"]) == (
        "Unité départementale de Paris",
        "Unité de Paris",
    )
    assert wif("rules", "rollback", "--previous", "--yes", **service).returncode == 0
    assert json.loads(wif("rules", "diff", old, "--json", **service).stdout) == []
    assert wif("rules", "rollback", **service).returncode == 2


def test_a_new_form_that_tps_does_not_know_is_said_before_publishing(
    harness: Harness, service: dict[str, str], files: Path
) -> None:
    wif("run-once", **service)
    edit(
        files,
        "procedures.yaml",
        "procedures:\n",
        "procedures:\n  - id: 99999\n    department: 75 - Paris\n    kind: apt-etudiant\n"
        "    filer: student\n",
    )
    simulated = wif("rules", "simulate", str(files), "--json", **service)
    assert json.loads(simulated.stdout)["forms"] == {"unknown": [99999], "failure": None}
    simulated = wif("rules", "simulate", str(files), **service)
    assert "TPS does not know procedure 99999" in simulated.stderr
    done = wif("rules", "publish", str(files), "--yes", **service)
    assert "TPS does not know procedure 99999" in done.stderr, done
    harness.tps.fail_all(503)
    back = wif("rules", "rollback", "--previous", "--yes", "--json", **service)
    assert json.loads(back.stdout)["simulation"]["forms"] == {"unknown": [], "failure": None}
    done = wif("rules", "publish", str(files), "--yes", "--json", **service)
    assert json.loads(done.stdout)["simulation"]["forms"]["failure"] == "tps-unavailable"


@pytest.mark.parametrize(
    ("note", "says"),
    [
        ("Mme Dupont a déménagé", "--note: takes a code"),
        ("mailbox-change", "did you mean `mailbox-changed`?"),
    ],
)
def test_a_note_in_words_of_ones_own_is_refused_and_not_repeated(
    harness: Harness, service: dict[str, str], files: Path, note: str, says: str
) -> None:
    wif("run-once", **service)
    paris_goes_to_bobigny(files)
    done = wif("rules", "publish", str(files), "--yes", "--note", note, **service)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Dupont" not in done.stderr
    assert len(_rows(service)) == 1


def test_simulate_counts_stored_dossiers_and_cases_to_come_and_exits_3(
    harness: Harness, service: dict[str, str], files: Path
) -> None:
    moving = [harness.file(permit_type="doctorat", department="75") for _ in range(3)]
    harness.file(permit_type="doctorat", department="75", state="closed")
    harness.file(permit_type="doctorat", department="93")
    pinned = harness.file(permit_type="doctorat", department="75")
    harness.run()
    wif("dossiers", "reassign", f"{PARIS_FORM}/{pinned}", "--to", "UD092", "--reason", "moved",
        **service)  # fmt: skip
    paris_goes_to_bobigny(files)

    done = wif("rules", "simulate", str(files), "--json", **service)

    found = json.loads(done.stdout)
    assert done.returncode == 3
    assert found["moves"] is True
    (dossiers,) = found["dossiers"]
    assert (dossiers["from"], dossiers["to"]) == (["UD075"], ["UD093"])
    assert (dossiers["rule_before"], dossiers["rule_after"]) == ("etudiants", "doctorants-de-paris")
    assert (dossiers["undecided"], dossiers["decided"]) == (3, 1)
    assert dossiers["dossiers"] == [f"{PARIS_FORM}/{number}" for number in moving]
    (cases,) = found["cases"]
    assert (cases["departments"], cases["permit_types"]) == (["75"], ["doctorat"])
    assert "Stored dossiers" in wif("rules", "simulate", str(files), **service).stdout


def test_simulate_and_publish_refuse_mistakes(
    service: dict[str, str], files: Path, harness: Harness
) -> None:
    edit(files, "routing.yaml", "fallback: NATIONAL", "fallback: NATIONALE")

    for command in ("simulate", "publish"):
        done = wif("rules", command, str(files), **service)
        assert done.returncode == 1
        assert "unknown-unit" in done.stderr

    assert len(_history(harness)) == 1


def _history(harness: Harness) -> list[tuple[str, str]]:
    with harness.runtime.database.read() as connection:
        return [(one.action, one.note) for one in rulesets.history(connection)]


def test_publish_puts_the_files_in_force_and_reroutes_what_is_open(
    harness: Harness, service: dict[str, str], files: Path
) -> None:
    moving = harness.file(permit_type="doctorat", department="75")
    closed = harness.file(permit_type="doctorat", department="75", state="closed")
    pinned = harness.file(permit_type="doctorat", department="75")
    harness.run()
    wif("dossiers", "reassign", f"{PARIS_FORM}/{pinned}", "--to", "UD092", "--reason", "moved",
        **service)  # fmt: skip
    paris_goes_to_bobigny(files)

    done = wif(
        *("rules", "publish", str(files), "--note", "workload", "--reroute", "open"),
        *("--yes", "--json"),
        **service,
    )
    wif("run-once", **service)

    found = json.loads(done.stdout)
    assert (done.returncode, found["activated"]) == (0, True)
    assert found["rerouted"]["moved"] == 1
    assert _history(harness)[0] == ("publish", "workload")
    units = [harness.dossier(number).assignment.units for number in (moving, closed, pinned)]
    assert units == [("UD093",), ("UD075",), ("UD092",)]
    assert ("reassigned-to", "UD093") in harness.told(moving)
    assert ("reassigned-from", "UD075") in harness.told(moving)
    assert [event for event, _ in harness.told(closed)] == ["filed"]


def test_publishing_the_same_twice_changes_nothing(
    harness: Harness, service: dict[str, str], files: Path
) -> None:
    paris_goes_to_bobigny(files)
    wif("rules", "publish", str(files), "--yes", **service)

    again = wif("rules", "publish", str(files), "--yes", **service)

    assert "was in force already" in again.stdout
    assert len(_history(harness)) == 2


def test_publish_asks_first_and_can_be_declined(
    harness: Harness, service: dict[str, str], files: Path
) -> None:
    paris_goes_to_bobigny(files)

    declined = wif("rules", "publish", str(files), **service)  # nobody answers
    unasked = wif("rules", "publish", str(files), "--json", **service)

    assert declined.returncode != 0
    assert unasked.returncode == 2
    assert len(_history(harness)) == 1


def test_history_and_rollback(harness: Harness, service: dict[str, str], files: Path) -> None:
    paris_goes_to_bobigny(files)
    wif("rules", "publish", str(files), "--yes", "--note", "trial", **service)
    newest, first = _rows(service)

    back = wif("rules", "rollback", first["hash"][:12], "--yes", "--note", "undone", **service)

    assert (back.returncode, newest["in_force"], newest["note"]) == (0, True, "trial")
    rows = _rows(service)
    assert [(row["action"], row["in_force"]) for row in rows] == [
        ("rollback", True),
        ("publish", False),
        ("publish", False),
    ]
    assert rows[0]["hash"] == first["hash"]
    assert "a trial" in wif("rules", "history", **service).stdout


def _rows(service: dict[str, str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(wif("rules", "history", "--json", **service).stdout)
    return rows


@pytest.mark.parametrize("wanted", ["abc", "f" * 12, "not-a-hash"])
def test_rollback_refuses_what_names_no_rule_set(wanted: str, tmp_path: Path) -> None:
    done = wif("rules", "rollback", wanted, "--yes", WIF_VAR_DIR=str(tmp_path))

    assert done.returncode == 2
    assert "names 0 rule sets" in done.stderr


def test_reroute_only_knows_open(tmp_path: Path) -> None:
    done = wif("rules", "publish", "--reroute", "all", "--yes", WIF_VAR_DIR=str(tmp_path))

    assert done.returncode == 2
    assert "--reroute" in done.stderr
