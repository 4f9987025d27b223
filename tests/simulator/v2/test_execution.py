"""The simulated TPS as a client of the GraphQL API sees it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from simulator import Fault, FaultKind, Server, SimulatedForm, Simulator
from simulator.fields import CONTRACT_TYPE, PERMIT_DEPARTMENT
from simulator.v2.schema import OWN
from tests.fixtures.tps_schemas import V2_SCHEMA, published

PARIS = SimulatedForm(1, "75")
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
FIELDS = "number state archived dateDepot dateDerniereModification"


@pytest.fixture(params=["own", "published"])
def schema(request: pytest.FixtureRequest) -> Path:
    return OWN if request.param == "own" else published(V2_SCHEMA)


@pytest.fixture
def server(schema: Path) -> Iterator[Server]:
    simulator = Simulator(clock=lambda: NOON)
    simulator.v2.schema = schema
    simulator.open(PARIS)
    with simulator.serve() as serving:
        yield serving


def post(server: Server, query: str, **variables: object) -> requests.Response:
    return requests.post(
        f"{server.url}/api/v2/graphql",
        json={"query": query, "variables": variables},
        headers={"Authorization": f"Bearer {server.simulator.token}"},
        timeout=5,
    )


def ask(server: Server, query: str, **variables: object) -> Any:  # noqa: ANN401
    content = post(server, query, **variables).json()
    assert "errors" not in content, content
    return content["data"]


def codes(answer: requests.Response) -> list[str]:
    return [error["extensions"]["code"] for error in answer.json()["errors"]]


PAGE = """query ($first: Int, $after: String, $since: ISO8601DateTime) {
  demarche(number: 1) {
    dossiers(first: $first, after: $after, updatedSince: $since) {
      pageInfo { endCursor hasNextPage } nodes { number }
    }
  }
}"""


def page(server: Server, **variables: object) -> tuple[list[int], str | None, bool]:
    found = ask(server, PAGE, **variables)["demarche"]["dossiers"]
    info = found["pageInfo"]
    return [node["number"] for node in found["nodes"]], info["endCursor"], info["hasNextPage"]


def test_a_dossier_is_what_v1_says_it_is(server: Server) -> None:
    number = server.simulator.add(PARIS, state="received").number
    query = f"query ($number: Int!) {{ dossier(number: $number) {{ {FIELDS} }} }}"
    assert ask(server, query, number=number)["dossier"] == {
        "number": number,
        "state": "en_instruction",
        "archived": False,
        "dateDepot": "2026-11-02T12:00:00.000Z",
        "dateDerniereModification": "2026-11-02T12:00:00.000Z",
    }


def test_pages_since_an_instant_are_sorted_by_modification(server: Server) -> None:
    first, second, third = server.simulator.populate(
        [PARIS], 3, until=NOON - timedelta(days=1), oddities=False
    )
    server.simulator.change(first, state="closed")
    assert page(server)[0] == [first, second, third]
    since = (NOON - timedelta(days=30)).isoformat()
    numbers, cursor, more = page(server, since=since, first=2)
    assert (numbers, more) == ([second, third], True)
    assert page(server, since=since, first=2, after=cursor) == ([first], mark(server, first), False)
    assert page(server, since=NOON.isoformat())[0] == [first]
    assert page(server, since=since, after=mark(server, first)) == ([], None, False)


def mark(server: Server, number: int) -> str | None:
    """The cursor of the last page that ends with a dossier."""
    numbers, cursor, _ = page(server, since="2020-01-01T00:00:00Z")
    assert numbers[-1] == number
    return cursor


def test_a_page_has_a_hundred_at_most(server: Server) -> None:
    server.simulator.populate([PARIS], 120, oddities=False)
    assert len(page(server, first=500)[0]) == 100


@pytest.mark.parametrize("cursor", ["no cursor", "bm8gY3Vyc29y"])
def test_a_cursor_that_is_none_is_refused(server: Server, cursor: str) -> None:
    assert codes(post(server, PAGE, after=cursor)) == ["bad_request"]


def test_cursors_can_be_forgotten(server: Server) -> None:
    number = server.simulator.add(PARIS).number
    cursor = mark(server, number)
    server.simulator.v2.forget_cursors()
    assert codes(post(server, PAGE, after=cursor)) == ["bad_request"]
    assert page(server)[0] == [number]


def test_a_change_that_commits_late_bears_its_earlier_instant(schema: Path) -> None:
    moment = NOON
    simulator = Simulator(clock=lambda: moment)
    simulator.v2.schema = schema
    late = simulator.add(PARIS, commits_after=timedelta(minutes=3)).number
    moment += timedelta(minutes=1)
    early = simulator.add(PARIS).number
    with simulator.serve() as server:
        assert page(server)[0] == [early]
        moment += timedelta(minutes=2)
        assert page(server, since="2026-01-01T00:00:00Z")[0] == [late, early]


CHAMP = """query ($number: Int!, $id: ID!) {
  dossier(number: $number) { champs(id: $id) { __typename stringValue %s } }
}"""


def champ(server: Server, number: int, label: str, fragment: str = "") -> Any:  # noqa: ANN401
    listed = ask(
        server,
        "{ demarche(number: 1) { activeRevision { champDescriptors { id label } } } }",
    )["demarche"]["activeRevision"]["champDescriptors"]
    found = next(each["id"] for each in listed if each["label"] == label)
    return ask(server, CHAMP % fragment, number=number, id=found)["dossier"]["champs"]


def test_a_champ_has_its_type_only_where_the_query_names_it(server: Server) -> None:
    number = server.simulator.add(PARIS, department="2A").number
    server.simulator.retype_field(PERMIT_DEPARTMENT, "departements")
    text = "2A - Corse-du-Sud"
    assert champ(server, number, PERMIT_DEPARTMENT) == [
        {"__typename": "TextChamp", "stringValue": text}
    ]
    fragment = "... on DepartementChamp { departement { code name } }"
    assert champ(server, number, PERMIT_DEPARTMENT, fragment) == [
        {
            "__typename": "DepartementChamp",
            "stringValue": text,
            "departement": {"code": "2A", "name": "Corse-du-Sud"},
        }
    ]


@pytest.mark.parametrize(
    ("kind", "value", "fragment", "expected"),
    [
        ("regions", "11 - Île-de-France", "... on RegionChamp { region { code } }", "region"),
        ("pays", "Algérie", "... on PaysChamp { pays { name } }", "pays"),
        ("communes", "Paris", "... on CommuneChamp { commune { code } }", "commune"),
        ("address", "1 rue", "... on AddressChamp { address { postalCode } }", "address"),
        ("drop_down_list", "x", "... on DropDownListChamp { value }", "value"),
        ("linked_drop_down_list", '["a","b"]', "... on LinkedDropDownListChamp { primaryValue }",
         "primaryValue"),
        ("multiple_drop_down_list", '["a","b"]', "... on MultipleDropDownListChamp { values }",
         "values"),
    ],
)  # fmt: skip
def test_every_type_that_routing_reads(
    server: Server, kind: str, value: str, fragment: str, expected: str
) -> None:
    server.simulator.retype_field(CONTRACT_TYPE, kind)
    number = server.simulator.add(PARIS, values={CONTRACT_TYPE: value}).number
    [found] = champ(server, number, CONTRACT_TYPE, fragment)
    assert found["__typename"] == fragment.split()[2]
    assert found[expected]


def test_a_field_that_is_made_anew_has_another_id_for_later_dossiers(server: Server) -> None:
    before = server.simulator.add(PARIS).number
    server.simulator.replace_field(CONTRACT_TYPE, 77, procedure=1)
    after = server.simulator.add(PARIS).number
    assert champ(server, before, CONTRACT_TYPE) == []
    assert len(champ(server, after, CONTRACT_TYPE)) == 1


REVISION = "{ demarche(number: 1) { activeRevision { id champDescriptors { label } } } }"


def test_a_renamed_label_is_a_new_revision(server: Server) -> None:
    before = ask(server, REVISION)["demarche"]["activeRevision"]
    server.simulator.rename_label(CONTRACT_TYPE, "Nature du contrat")
    after = ask(server, REVISION)["demarche"]["activeRevision"]
    assert after["id"] != before["id"]
    assert {"label": "Nature du contrat"} in after["champDescriptors"]


DELETED = """{ demarche(number: 1) {
  deletedDossiers { nodes { number } } pendingDeletedDossiers { nodes { number } }
} }"""


def deleted(server: Server) -> tuple[list[int], list[int]]:
    found = ask(server, DELETED)["demarche"]
    lists = (found["deletedDossiers"], found["pendingDeletedDossiers"])
    deleted, pending = ([node["number"] for node in each["nodes"]] for each in lists)
    return deleted, pending


def test_deletions_pend_before_they_are_for_good(server: Server) -> None:
    gone, undone, expired = server.simulator.populate([PARIS], 3, oddities=False)
    server.simulator.hide(gone)
    server.simulator.hide(undone)
    server.simulator.expire(expired)
    assert deleted(server) == ([], [gone, undone])
    assert page(server)[0] == []
    server.simulator.restore(undone)
    server.simulator.delete(gone)
    assert deleted(server) == ([gone], [])
    assert page(server)[0] == [undone]
    query = f"{{ dossier(number: {gone}) {{ number }} }}"
    assert codes(post(server, query)) == ["not_found"]


MOVE = """mutation ($dossier: ID!, $group: ID!) {
  dossierChangerGroupeInstructeur(input: {dossierId: $dossier, groupeInstructeurId: $group}) {
    errors { message }
  }
}"""


def test_a_dossier_moves_to_another_group(server: Server) -> None:
    number = server.simulator.add(PARIS).number
    other = server.simulator.add_group(1, "UD 93")
    query = f"""{{ dossier(number: {number}) {{ id }}
      demarche(number: 1) {{ groupeInstructeurs(closed: false) {{ id number }} }} }}"""
    found = ask(server, query)
    ids = {each["number"]: each["id"] for each in found["demarche"]["groupeInstructeurs"]}
    move = {"dossier": found["dossier"]["id"], "group": ids[other]}
    assert ask(server, MOVE, **move)["dossierChangerGroupeInstructeur"]["errors"] is None
    assert server.simulator.group_of(number) == other
    assert ask(server, MOVE, **move)["dossierChangerGroupeInstructeur"]["errors"]


def test_webhooks_are_registered_and_their_secret_is_shown_once(server: Server) -> None:
    query = """mutation { webhookCreer(input: {
      demarche: {number: 1}, url: "https://wif.example/hints", eventTypes: ["dossier_depose"]
    }) { secret webhook { id } } }"""
    made = ask(server, query)["webhookCreer"]
    assert made["secret"].startswith("whsec_")
    [webhook] = server.simulator.v2.webhooks.values()
    assert (webhook.id, webhook.secrets) == (made["webhook"]["id"], [made["secret"]])
    server.simulator.v2.webhooks_available = False
    assert codes(post(server, query))[0] == "bad_request"


class TestFailing:
    """Every way to fail that v2 has of its own."""

    QUERY = """query ($id: ID) {
      demarche(number: 1) { number dossiers { nodes { number champs(id: $id) { id } } } }
    }"""

    @pytest.fixture
    def numbers(self, server: Server) -> list[int]:
        return server.simulator.populate([PARIS], 3, oddities=False)

    def test_a_node_is_null(self, server: Server, numbers: list[int]) -> None:
        server.simulator.fail_detail(numbers[1])
        server.simulator.change(numbers[2], defect="champs")
        answer = post(server, self.QUERY, id="Q2hhbXAtMQ==")
        nodes = answer.json()["data"]["demarche"]["dossiers"]["nodes"]
        assert [node and node["number"] for node in nodes] == [numbers[0], None, None]
        assert codes(answer) == ["internal_server_error", "invalid_null"]

    @pytest.mark.usefixtures("numbers")
    def test_the_page_is_null(self, server: Server) -> None:
        server.simulator.fail_all(FaultKind.NULL_PAGE)
        found = post(server, self.QUERY)
        assert found.json()["data"]["demarche"]["dossiers"]["nodes"] is None
        assert codes(found) == ["internal_server_error"]

    def test_errors_stand_in_place_of_data_or_beside_it(
        self, server: Server, numbers: list[int]
    ) -> None:
        server.simulator.fail_all(Fault(kind=FaultKind.ERRORS, code="timeout"))
        answer = post(server, self.QUERY)
        assert (answer.status_code, answer.json()["data"]) == (200, None)
        assert codes(answer) == ["timeout"]
        server.simulator.fail_all(FaultKind.ERRORS_BESIDE_DATA)
        beside = post(server, self.QUERY).json()
        assert len(beside["data"]["demarche"]["dossiers"]["nodes"]) == len(numbers)
        assert beside["errors"]

    def test_a_large_page_runs_into_the_time_limit(self, server: Server) -> None:
        server.simulator.v2.slow_above = 10
        assert codes(post(server, PAGE, first=11)) == ["timeout"]
        assert page(server, first=10) == ([], None, False)

    def test_the_limit_of_requests_is_plain_text(self, server: Server) -> None:
        server.simulator.throttle(30)
        answer = post(server, PAGE)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")
        assert answer.headers["Content-Type"].startswith("text/plain")

    def test_a_bad_token_is_forbidden(self, server: Server) -> None:
        url = f"{server.url}/api/v2/graphql"
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            answer = requests.post(url, json={"query": PAGE}, headers=headers, timeout=5)
            assert answer.status_code == 403

    @pytest.mark.parametrize("query", ["", "{", "{ nothing }", "mutation { nothing }"])
    def test_what_is_no_query_is_refused(self, server: Server, query: str) -> None:
        assert set(codes(post(server, query))) == {"bad_request"}

    def test_an_old_server_has_no_v2(self, server: Server) -> None:
        server.simulator.v2.available = False
        assert post(server, PAGE).status_code == 404


def test_every_field_that_is_given_is_remembered(server: Server) -> None:
    page(server)
    assert server.simulator.selected == {
        "Query.demarche",
        "Demarche.dossiers",
        "DossierConnection.nodes",
        "DossierConnection.pageInfo",
        "PageInfo.endCursor",
        "PageInfo.hasNextPage",
    }
    number = server.simulator.add(PARIS).number
    ask(server, f"{{ dossier(number: {number}) {{ demandeur {{ id }} }} }}")
    assert "Dossier.demandeur" in server.simulator.selected


def test_the_operation_and_its_variables_are_seen(server: Server) -> None:
    page(server, first=7)
    [seen] = server.simulator.requests
    assert (seen.operation, dict(seen.variables)) == (None, {"first": 7})
