"""`/stats` as visitors get it: the page, its links, its files, and what none of them tells."""

import csv
import io
import re
import shutil
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from config.settings import read as read_settings
from service.runtime import Runtime
from service.statistics.publish import publish_when_due
from tests.fixtures import shipped_rules
from tests.fixtures.bulk_dossiers import BulkDossiers, store_bulk
from tests.fixtures.web import ANY_PORT
from tests.service.statistics.linear_program import Knowledge
from web.server import WebServer

OCTOBER = datetime(2026, 10, 28, tzinfo=UTC)
VOID = {"meta", "link", "path", "rect", "br"}
MOST_BYTES = 300_000


class Page(HTMLParser):
    """Reads a page strictly: every element is closed in its turn, every id is there once."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.attributes.append((tag, given))
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.links += [given["href"] or ""] if tag == "a" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID and (not self.open or self.open[-1] != tag):
            return
        assert self.open.pop() == tag

    def pairs(self, tag: str, name: str) -> Iterator[str]:
        for other, given in self.attributes:
            if other == tag and given.get(name):
                yield str(given[name])


@dataclass
class Site:
    """A service whose clock tests move, and the address of its public pages."""

    runtime: Runtime
    url: str = ""
    now: datetime = datetime(2026, 11, 23, 8, tzinfo=UTC)

    def publish(self) -> Sequence[date]:
        """Publish the months that are over."""
        return publish_when_due(self.runtime).published


@contextmanager
def site(folder: Path, database: Path) -> Iterator[Site]:
    """A service on a copy of a migrated database."""
    url = f"sqlite:///{shutil.copy(database, folder / 'wif.sqlite3')}"
    made = Site(Runtime(read_settings(var_dir=folder, database_url=url, **ANY_PORT)))
    made.runtime.clock = lambda: made.now
    shipped_rules.publish(made.runtime)
    server = WebServer(made.runtime)
    made.url = server.public.url
    thread = threading.Thread(target=server.run)
    thread.start()
    yield made
    server.stop()
    thread.join(10)
    made.runtime.close()


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[str]:
    """The address of a service with three months of dossiers."""
    with site(tmp_path_factory.mktemp("public"), migrated_sqlite) as made:
        since = datetime(2026, 8, 1, tzinfo=UTC)
        store_bulk(made.runtime, BulkDossiers(count=900, since=since, until=OCTOBER, places=30))
        assert len(made.publish()) == 3
        yield made.url


def read(url: str) -> requests.Response:
    answer = requests.get(url, timeout=10)
    assert answer.status_code == 200, url
    return answer


def test_the_page_is_well_formed_small_and_needs_no_script(public: str) -> None:
    answer = read(f"{public}/stats")
    page = Page(answer.text)
    assert len(answer.content) < MOST_BYTES
    assert len(page.ids) == len(set(page.ids))
    assert "<script" not in answer.text
    assert " style=" not in answer.text
    assert answer.text.count("<h1") == 1
    for label in page.pairs("table", "class"):
        assert label in {"wide", "narrow", "words"}
    assert answer.text.count("<table") == answer.text.count("<caption")
    for _, given in page.attributes:
        labelled = given.get("aria-labelledby")
        assert labelled is None or labelled in page.ids


def test_every_link_of_the_page_leads_somewhere(public: str) -> None:
    page = Page(read(f"{public}/stats").text)
    near = {urljoin(f"{public}/stats", link) for link in page.links if link[:1] in {"/", "#"}}
    near |= {urljoin(public, link) for link in page.pairs("link", "href") if link != "data:,"}
    # One of each kind: all départements make the same kind.
    kinds = {re.sub(r"=[^&#]+", "=", link): link for link in sorted(near)}
    assert len(kinds) > 8
    for link in kinds.values():
        read(link)
        fragment = urlsplit(link).fragment
        assert not fragment or fragment in page.ids


def test_what_is_chosen_stands_in_the_address_and_can_be_chosen_together(public: str) -> None:
    text = read(f"{public}/stats?mois=2026-09&type=apprentissage&departement=75").text
    assert "Septembre 2026" in text
    assert "Contrat d&#39;apprentissage" in text
    assert "mois=2026-09&amp;type=apprentissage" in text


@pytest.mark.parametrize("query", ["mois=2026-13", "type=none", "departement=00", "carte=x"])
def test_what_cannot_be_chosen_is_not_found(public: str, query: str) -> None:
    for path in ("/stats", "/stats.csv", "/stats.json"):
        assert requests.get(f"{public}{path}?{query}", timeout=5).status_code == 404


def test_csv_and_json_say_the_same_with_licence_and_columns(public: str) -> None:
    document = read(f"{public}/stats.json").json()
    answer = read(f"{public}/stats.csv")
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert document["licence"] == "Licence Ouverte 2.0"
    assert 'rel="license"' in answer.headers["Link"]
    assert list(lines[0]) == list(document["columns"]) == list(document["figures"][0])
    assert [
        {name: "" if value is None else str(value) for name, value in row.items()}
        for row in document["figures"]
    ] == lines
    (france,) = read(f"{public}/stats.json?mois=2026-10&type=&departement=").json()["figures"][:1]
    assert france["month"] == "2026-10"


def test_files_can_be_narrowed_like_the_page(public: str) -> None:
    every = read(f"{public}/stats.json").json()["figures"]
    kind = next(each["permit_type"] for each in every if each["permit_type"] not in {"", "*"})
    chosen = read(f"{public}/stats.json?type={kind}&mois=2026-09").json()["figures"]
    assert chosen == [
        each for each in every if (each["month"], each["permit_type"]) == ("2026-09", kind)
    ]
    assert chosen


Cell = tuple[str, str, str]


def everything(public: str) -> dict[Cell, int]:
    """Each number of requests that page, CSV and JSON show, by month, département and type."""
    shown: dict[Cell, int] = {}
    for row in read(f"{public}/stats.json").json()["figures"]:
        if row["requests"] is not None:
            shown[row["month"], row["department"], row["permit_type"]] = row["requests"]
    return shown


def knowledge(shown: dict[Cell, int], places: set[str], kinds: set[str]) -> Knowledge:
    known = Knowledge()
    for month in {month for month, _, _ in shown}:
        for place in (*places, "*"):
            known.sums((month, place, "*"), [(month, place, kind) for kind in kinds])
        for kind in (*kinds, "*"):
            known.sums((month, "*", kind), [(month, place, kind) for place in places])
    for cell, count in shown.items():
        known.equal({cell: 1}, count)
    return known


def test_nothing_below_five_can_be_computed_from_all_files_of_two_days(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    with site(tmp_path, migrated_sqlite) as made:
        october = BulkDossiers(
            count=60, since=datetime(2026, 10, 2, tzinfo=UTC), until=OCTOBER, places=3
        )
        dossiers = store_bulk(made.runtime, october)
        made.publish()
        before = everything(made.url)
        made.now = datetime(2026, 12, 9, tzinfo=UTC)
        november = replace(
            october,
            count=70,
            since=OCTOBER,
            until=datetime(2026, 11, 29, tzinfo=UTC, microsecond=9000),
        )
        dossiers += store_bulk(made.runtime, november, seed=2)
        assert made.publish() == (date(2026, 11, 1),)
        after = everything(made.url)
    assert {cell: after[cell] for cell in before} == before
    # Late deposits of October are in no figure: the month was published.
    truth = truly(dossiers[:60] + [each for each in dossiers[60:] if each["filed_at"].month == 11])
    small = [cell for cell, count in truth.items() if count < 5]
    assert len(small) > 20
    places = {place for _, place, _ in truth} - {"*"}
    kinds = {kind for _, _, kind in truth} - {"*"}
    solution = knowledge(after, places, kinds).solve()
    for cell in small:
        lowest, highest = solution.interval(cell)
        assert highest - lowest >= 5, (cell, lowest, highest)


def truly(dossiers: Iterable[dict[str, Any]]) -> Counter[Cell]:
    """How many were filed, by month, département and type, with totals."""
    found: Counter[Cell] = Counter()
    for each in dossiers:
        month = f"{each['filed_at']:%Y-%m}"
        place, kind = each["department"] or "", each["permit_type"] or ""
        for cell in ((month, place, kind), (month, place, "*"), (month, "*", kind)):
            found[cell] += 1
    return found


def test_with_too_few_dossiers_the_page_says_so_and_nothing_else(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    with site(tmp_path, migrated_sqlite) as made:
        empty = read(f"{made.url}/stats").text
        since = datetime(2026, 10, 2, tzinfo=UTC)
        store_bulk(made.runtime, BulkDossiers(count=3, since=since, until=OCTOBER))
        assert made.publish() == ()
        assert read(f"{made.url}/stats").text == empty
        assert "Aucun chiffre" in empty
        assert "paraissent le premier jour ouvré qui suit sa fin" in empty
        assert read(f"{made.url}/stats.json").json()["figures"] == []


def test_pages_may_be_kept_and_say_nothing_of_visitors(public: str) -> None:
    answer = read(f"{public}/stats")
    assert answer.headers["Cache-Control"] == "public, max-age=600"
    assert not answer.cookies
