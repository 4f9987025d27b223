"""How another process drives the simulated TPS: `/_simulator/…`, JSON in, JSON out.

It has no key of its own: the simulator listens on loopback and holds invented people.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import orjson
from tornado.httputil import HTTPServerRequest

from routing.facts import DossierState
from simulator.controls import Controls
from simulator.faults import Fault, FaultKind
from simulator.form import SimulatedForm, sample_forms
from simulator.server import ADMIN

_Answer = dict[str, Any] | list[dict[str, Any]]


class Admin:
    """The admin's requests to one simulator.

    - `GET stats`: how many dossiers, procedures and requests.
    - `GET requests`: the latest requests.
    - `GET selected`: the fields that v2 was asked for.
    - `GET truths`, `GET truths/NUMBER`: what a reader must find out.
    - `POST dossiers`: file one; attributes as in `Filing.add`.
    - `POST dossiers/NUMBER`: change one; `DELETE dossiers/NUMBER`: delete it.
    - `POST populate`: `{"count": 100, "forms": [{"procedure": 1, "department": "75"}]}`.
    - `POST labels`: `{"old": …, "new": …, "procedure": null}`.
    - `POST faults`: `{"kind": "html", "status": 503, "procedure": …, "number": …}`, for
      everything when it names neither; `DELETE faults`: heal.
    """

    def __init__(self, simulator: Controls) -> None:
        self._simulator = simulator
        self._actions: dict[tuple[str, str], Callable[[str, dict[str, Any]], _Answer]] = {
            ("GET", "stats"): self._stats,
            ("GET", "requests"): self._requests,
            ("GET", "selected"): self._selected,
            ("GET", "truths"): self._truths,
            ("POST", "dossiers"): self._dossiers,
            ("DELETE", "dossiers"): self._delete,
            ("POST", "populate"): self._populate,
            ("POST", "labels"): self._labels,
            ("POST", "faults"): self._fault,
            ("DELETE", "faults"): self._heal,
        }

    def answer(self, request: HTTPServerRequest) -> tuple[int, bytes]:
        """The status and the JSON to answer with."""
        noun, _, rest = request.path.removeprefix(ADMIN).partition("/")
        action = self._actions.get((str(request.method), noun))
        if action is None:
            return HTTPStatus.NOT_FOUND, b'{"error":"no such thing; see the docstring of Admin"}'
        try:
            given = orjson.loads(request.body) if request.body else {}
            return HTTPStatus.OK, orjson.dumps(action(rest, given))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            return HTTPStatus.BAD_REQUEST, orjson.dumps(
                {"error": f"{type(error).__name__}: {error}"}
            )

    def _stats(self, _: str, __: dict[str, Any]) -> _Answer:
        return {
            "dossiers": len(self._simulator),
            "procedures": len(self._simulator.procedures),
            "requests": self._simulator.served,
            "era": self._simulator.era.value,
        }

    def _requests(self, _: str, __: dict[str, Any]) -> _Answer:
        return [
            {"method": seen.method, "path": seen.path, "query": seen.query, "token": seen.token}
            for seen in list(self._simulator.requests)
        ]

    def _selected(self, _: str, __: dict[str, Any]) -> _Answer:
        return {"fields": sorted(self._simulator.selected)}

    def _truths(self, rest: str, _: dict[str, Any]) -> _Answer:
        if rest:
            return _plain(self._simulator.expected(int(rest)))
        return [_plain(truth) for truth in self._simulator.truths]

    def _dossiers(self, rest: str, given: dict[str, Any]) -> _Answer:
        named = _instants(given)
        if rest:
            dossier = self._simulator.change(int(rest), **named)
        else:
            dossier = self._simulator.add(_form(named.pop("form", None)), **named)
        return _plain(dossier.truth)

    def _delete(self, rest: str, _: dict[str, Any]) -> _Answer:
        self._simulator.delete(int(rest))
        return {}

    def _populate(self, _: str, given: dict[str, Any]) -> _Answer:
        forms = [SimulatedForm(**form) for form in given.get("forms", ())] or sample_forms()
        named = _instants(given)
        states = [DossierState(state) for state in given.get("states", ())]
        numbers = self._simulator.populate(
            forms,
            int(given["count"]),
            until=named.get("until"),
            every=timedelta(seconds=float(given.get("every_seconds", 420))),
            oddities=bool(given.get("oddities", True)),
            **({"states": states} if states else {}),
        )
        return {"first": numbers[0], "last": numbers[-1]} if numbers else {}

    def _labels(self, _: str, given: dict[str, Any]) -> _Answer:
        self._simulator.rename_label(given["old"], given["new"], procedure=given.get("procedure"))
        return {}

    def _fault(self, _: str, given: dict[str, Any]) -> _Answer:
        fault = Fault(
            kind=FaultKind(given["kind"]),
            status=int(given.get("status", 503)),
            headers={str(k): str(v) for k, v in given.get("headers", {}).items()},
            times=given.get("times"),
        )
        if given.get("number") is not None:
            self._simulator.fail_detail(int(given["number"]), fault)
        elif given.get("procedure") is not None:
            self._simulator.fail_procedure(int(given["procedure"]), fault)
        else:
            self._simulator.fail_all(fault)
        return {}

    def _heal(self, _: str, __: dict[str, Any]) -> _Answer:
        self._simulator.heal()
        return {}


def _plain(truth: Any) -> dict[str, Any]:  # noqa: ANN401
    return {name: getattr(truth, name) for name in truth.__slots__}


def _form(given: Any) -> SimulatedForm | int | None:  # noqa: ANN401
    return SimulatedForm(**given) if isinstance(given, Mapping) else given


def _instants(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, with instants for those that are written in ISO 8601."""
    return {
        key: datetime.fromisoformat(value) if key in _INSTANTS and value else value
        for key, value in given.items()
    }


_INSTANTS = frozenset({"filed_at", "changed_at", "until"})
