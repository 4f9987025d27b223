"""A TPS whose every answer is full of markers: whole dossiers, broken ones, and every failure."""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from simulator import SimulatedForm, Simulator
from tests.privacy.markers import BIG_NUMBER, Markers

STUDENT = SimulatedForm(1, "75")

GOOD = 13760
ODD = 14131
REFUSED_MAIL = 12858
DATABASE = 15747
UNAUTHORIZED = 6274
FORBIDDEN = 6286
THROTTLED = 12023
REDIRECTED = 12101
LIST = 15275
KILLED = 15276
INTERRUPTED = 19160
SEGFAULT = 19168
HALTS = (KILLED, INTERRUPTED, SEGFAULT)
"""Procedures of which one dossier stops half-way, for a process to be hurt meanwhile."""

PROCEDURES = (
    *(GOOD, ODD, REFUSED_MAIL, DATABASE, UNAUTHORIZED, FORBIDDEN, THROTTLED, REDIRECTED, LIST),
    *HALTS,
)

LARGEST = 300_000
"""`WIF_TPS_MAX_BYTES`: larger answers are refused."""

_KEPT = {"id", "state", "created_at", "updated_at", "initiated_at"}
_NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent: bytes, and whether the connection then hangs instead of going on."""

    data: bytes
    hangs: bool = False


@dataclass
class Tps:
    """The rows of every procedure's list, and the answer to each GET of a detail.

    Attributes:
        markers: where markers come from.
        details: for a dossier, the whole HTTP answer.
        procedure_of: for a dossier, its procedure.
        names: for a dossier, what it shows.
        throttles: whether it asks us to slow down; all of us then do.
    """

    markers: Markers = field(default_factory=Markers)
    details: dict[int, Answer] = field(default_factory=dict)
    procedure_of: dict[int, int] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    throttles: bool = False

    def __post_init__(self) -> None:
        for procedure in (GOOD, DATABASE, *HALTS):
            for _ in range(3):
                self._add(procedure, "whole", self.whole())
        for _ in range(5):
            marseille = {_DEPARTMENT: f"13 - Bouches-du-Rhône {self.markers.letters()}"}
            self._add(REFUSED_MAIL, "whole", self.whole(**marseille))
        for name, values in _ODDITIES.items():
            self._add(ODD, name, self.whole(**values(self.markers)))
        for name, make in _BROKEN.items():
            self._add(GOOD, name, make(self))
        for procedure in HALTS:
            self._add(procedure, "half", Answer(self.http(self.document(), cut=3000), hangs=True))

    def numbers(self, procedure: int, name: str | None = None) -> list[int]:
        """Dossiers of a procedure, those that show `name` if it is given."""
        return [
            number
            for number, where in self.procedure_of.items()
            if where == procedure and name in {None, self.names[number]}
        ]

    def _add(self, procedure: int, name: str, answer: Answer | bytes) -> None:
        number = 4_000_001 + len(self.details)
        whole = answer if isinstance(answer, Answer) else Answer(answer)
        data = whole.data.replace(b'"@number@"', str(number).ljust(10).encode())
        self.details[number] = Answer(data, whole.hangs)
        self.procedure_of[number] = procedure
        self.names[number] = name

    def whole(self, **values: object) -> bytes:
        """The answer of a dossier that can be read."""
        return self.http(self.document(**values))

    def document(self, **values: object) -> bytes:
        """A dossier in which everything but the protocol's own words is a marker.

        Args:
            values: for a label of `ROUTED`, another value.
        """
        simulator = Simulator()
        number = simulator.add(STUDENT, filed_at=_NOW - timedelta(days=1)).number
        document = json.loads(simulator.detail(STUDENT.procedure, number) or b"")
        dossier = document["dossier"]
        kept = {name: dossier[name] for name in _KEPT}
        poisoned = {key: self._poisoned(value) for key, value in dossier.items()} | kept
        poisoned["id"] = "@number@"
        poisoned["champs"] = [self._champ(entry, values) for entry in dossier["champs"]]
        poisoned["motivation"] = self.markers.next()
        poisoned["instructeurs"] = [self.markers.next() for _ in range(3)]
        poisoned[self.markers.plain()] = self._poisoned({"a": ["", {"b": ""}]})
        return json.dumps(
            {"dossier": poisoned, self.markers.plain(): self.markers.next()}, ensure_ascii=False
        ).encode()

    def _champ(self, entry: dict[str, Any], values: Mapping[str, object]) -> dict[str, Any]:
        label = entry["type_de_champ"]["libelle"]
        poisoned: dict[str, Any] = self._poisoned(entry)
        if label in ROUTED:
            poisoned["type_de_champ"]["libelle"] = label
            poisoned["value"] = values.get(label, f"{ROUTED[label]} {self.markers.letters()}")
        return poisoned

    def _poisoned(self, value: object) -> Any:  # noqa: ANN401
        if isinstance(value, dict):
            inner = {key: self._poisoned(each) for key, each in value.items()}
            return {**inner, self.markers.plain(): self.markers.next()}
        if isinstance(value, list):
            return [self._poisoned(each) for each in value]
        if isinstance(value, int) and not isinstance(value, bool):
            return BIG_NUMBER
        return self.markers.next()

    def http(
        self, body: bytes, status: int = 200, *, cut: int | None = None, **headers: str
    ) -> bytes:
        """An HTTP answer whose status line and headers hold markers too."""
        lines = {
            "Content-Length": str(len(body)),
            "Content-Type": f"application/json; charset={self.markers.plain()}",
            "Set-Cookie": f"session={self.markers.plain()}; Path=/",
            "X-Request-Id": self.markers.plain(),
            "ETag": f'"{self.markers.plain()}"',
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        start = f"HTTP/1.1 {status} {self.markers.plain()}\r\n{head}\r\n"
        return start.encode() + (body if cut is None else body[:cut])

    def page(self) -> bytes:
        """An HTML page such as a server shows in trouble."""
        return f"<html><h1>{self.markers.next()}</h1><p>{self.markers.next()}</p></html>".encode()

    def listing(self, procedure: int) -> bytes:
        """The answer to a GET of a list, with markers in its rows and rows that are no rows."""
        failing = _LISTS.get(procedure)
        if failing is not None and (procedure != THROTTLED or self.throttles):
            return failing(self)
        rows: list[object] = [self._row(number) for number in self.numbers(procedure)]
        if procedure == ODD:
            rows += list(self._strange_rows())
        pagination = {"page": 1, "resultats_par_page": 1000, "nombre_de_page": 1}
        document = {
            "dossiers": rows,
            "pagination": {**pagination, self.markers.plain(): self.markers.next()},
            self.markers.plain(): self.markers.next(),
        }
        return self.http(json.dumps(document, ensure_ascii=False).encode())

    def _row(self, number: int) -> dict[str, object]:
        filed_at = _NOW - timedelta(days=1, seconds=number - 4_000_000)
        return {
            "id": number,
            "updated_at": filed_at.isoformat(),
            "initiated_at": filed_at.isoformat(),
            "state": "initiated",
            "email": self.markers.next(),
            self.markers.plain(): {"nom": self.markers.next()},
        }

    def _strange_rows(self) -> Iterator[object]:
        yield self.markers.next()
        yield [self.markers.next()]
        yield {"id": self.markers.next(), "nom": self.markers.next()}
        yield {"id": {self.markers.plain(): 1}}
        yield {self.markers.plain(): self.markers.next()}


ROUTED = {
    "Département qui figure sur le titre de séjour": "75 - Paris",
    "Code postal de résidence en France": "75011",
    "Commune de résidence en France": "Paris",
    "Type de contrat": "contrat d'apprentissage",
    "Nationalité": "CAMEROUN",
}
"""The fields that routing reads, and what makes sense in them; a marker follows it."""

_DEPARTMENT, _POSTAL_CODE, _COMMUNE, _CONTRACT, _NATIONALITY = ROUTED

_ODDITIES: dict[str, Callable[[Markers], dict[str, object]]] = {
    "type unknown": lambda m: {_CONTRACT: m.next(), _NATIONALITY: m.next()},
    "type missing": lambda _: {_CONTRACT: None, _NATIONALITY: ""},
    "département unknown": lambda m: {_DEPARTMENT: m.next()},
    "département a code of nobody": lambda m: {_DEPARTMENT: f"999 - {m.letters()}"},
    "département another's name": lambda m: {_DEPARTMENT: f"75 - {m.letters()}"},
    "département abroad": lambda m: {_DEPARTMENT: f"99 - {m.letters()}"},
    "postal code alone": lambda m: {_DEPARTMENT: None, _POSTAL_CODE: "75011", _COMMUNE: m.next()},
    "postal code unknown": lambda m: {_DEPARTMENT: None, _POSTAL_CODE: m.next()},
    "postal code a number": lambda _: {_DEPARTMENT: None, _POSTAL_CODE: BIG_NUMBER},
    "several choices": lambda m: {_CONTRACT: json.dumps([m.next(), "contrat doctoral"])},
    "half a list": lambda m: {_CONTRACT: f'["{m.next()}'},
    "a list in a list": lambda m: {_CONTRACT: [m.next(), m.next()]},
    "very long": lambda m: {_CONTRACT: " ".join(m.next() for _ in range(500))},
}
"""Dossiers that can be read and make little sense."""


def _with(*keys: str) -> Callable[[Tps], bytes]:
    """A dossier in which markers stand where the protocol promises something."""

    def make(tps: Tps) -> bytes:
        document = json.loads(tps.document())
        document["dossier"] |= {key: tps.markers.next() for key in keys}
        return tps.http(json.dumps(document, ensure_ascii=False).encode())

    return make


def _garbled(tps: Tps) -> bytes:
    packed = gzip.compress(tps.document())
    return tps.http(packed[:400] + b"?" * 50 + packed[450:], Content_Encoding="gzip")


def _chunks(tps: Tps) -> bytes:
    """Chunks whose length is no length: urllib3 puts the line into its exception."""
    head = f"HTTP/1.1 200 {tps.markers.plain()}\r\nTransfer-Encoding: chunked\r\n\r\n"
    return f"{head}{tps.markers.plain()}\r\n{tps.markers.next()}\r\n".encode()


def _in_chunks(tps: Tps, body: bytes) -> bytes:
    """A body whose size nobody announces."""
    head = f"HTTP/1.1 200 {tps.markers.plain()}\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head.encode() + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


def _bad_headers(tps: Tps) -> bytes:
    lines = (
        f"HTTP/1.1 503 {tps.markers.plain()}",
        f": {tps.markers.next().splitlines()[0]}",
        tps.markers.plain(),
        f"Content-Length: {tps.markers.plain()}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


_REFUSED: dict[str, Callable[[Tps], Answer | bytes]] = {
    "malformed JSON": lambda tps: tps.http(tps.document().replace(b'"champs": [', b'"champs": [[')),
    "JSON with NaN": lambda tps: tps.http(tps.document().replace(b'"id":', b'"note": NaN, "id":')),
    "JSON that is not UTF-8": lambda tps: tps.http(tps.document()[:-1] + b',"x":"\xff"}'),
    "a text": lambda tps: tps.http(json.dumps([tps.markers.next()]).encode()),
    "a list": lambda tps: tps.http(json.dumps([tps.markers.next()]).encode()),
    "too deep": lambda tps: tps.http(
        b'{"dossier":' + b"[" * 2000 + tps.document() + b"]" * 2000 + b"}"
    ),
    "id": _with("id"),
    "state": _with("state"),
    "champs": _with("champs"),
    "etablissement": _with("etablissement"),
    "no dates": _with("created_at", "initiated_at", "updated_at"),
    "another dossier": lambda tps: tps.http(tps.document().replace(b'"@number@"', b"5")),
    "oversized": lambda tps: tps.http(tps.document() + tps.page() * (LARGEST // 40)),
    "404": lambda tps: tps.http(tps.page(), 404),
    "418": lambda tps: tps.http(tps.page(), 418),
    "299": lambda tps: tps.http(tps.document(), 299),
}
"""Details that asking again would not mend."""

_FAILED: dict[str, Callable[[Tps], Answer | bytes]] = {
    "half of JSON": lambda tps: tps.http(tps.document()[:2500]),
    "no JSON": lambda tps: tps.http(tps.page()),
    "truncated": lambda tps: tps.http(tps.document(), cut=2000),
    "truncated in a header": lambda tps: tps.http(tps.document())[:60],
    "oversized in chunks": lambda tps: _in_chunks(tps, tps.page() * (LARGEST // 40)),
    "500": lambda tps: tps.http(tps.page(), 500),
    "502": lambda tps: tps.http(tps.page(), 502),
    "503 with a time": lambda tps: tps.http(tps.page(), 503, Retry_After=tps.markers.plain()),
    "garbled": _garbled,
    "chunks": _chunks,
    "bad headers": _bad_headers,
    "bad status": lambda tps: f"HTTP/1.1 {tps.markers.plain()}\r\n\r\n".encode(),
    "no HTTP": lambda tps: f"{tps.markers.next()}\r\n\r\n".encode(),
    "nothing": lambda _: b"",
    "silence": lambda tps: Answer(tps.http(tps.document(), cut=1500), hangs=True),
}
"""Details of which another attempt may know more. Too many in a row, and we leave TPS alone."""

_BROKEN = dict(chain.from_iterable(zip(_REFUSED.items(), _FAILED.items(), strict=False)))
"""Details that cannot be read."""

_LISTS: dict[int, Callable[[Tps], bytes]] = {
    UNAUTHORIZED: lambda tps: tps.http(tps.page(), 401, WWW_Authenticate=tps.markers.plain()),
    FORBIDDEN: lambda tps: tps.http(tps.page(), 403),
    THROTTLED: lambda tps: tps.http(tps.page(), 429, Retry_After=tps.markers.plain()),
    REDIRECTED: lambda tps: tps.http(
        tps.page(), 302, Location=f"/users/{tps.markers.plain()}?nom={tps.markers.plain()}"
    ),
    LIST: lambda tps: tps.http(
        json.dumps({"dossiers": tps.markers.next(), "pagination": tps.markers.next()}).encode()
    ),
}
"""Lists that cannot be had."""
