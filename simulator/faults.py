"""The ways in which the simulated TPS fails, as the real one has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class FaultKind(StrEnum):
    """How a request fails."""

    HTML = "html"
    """A status with an HTML page."""
    JSON = "json"
    """A status with `{}`."""
    TRUNCATED = "truncated"
    """Half of the answer that was announced."""
    RESET = "reset"
    """The connection is reset before any answer."""
    HANG = "hang"
    """The connection stays open and nothing comes."""
    DRIP = "drip"
    """One byte at a time."""
    OVERSIZED = "oversized"
    """An answer without an end."""
    MALFORMED = "malformed"
    """JSON that is not what the protocol promises."""
    TEXT = "text"
    """A status with a line of plain text."""
    ERRORS = "errors"
    """Of v2: 200 with `errors` and no data. As with those below, v1 answers the status in JSON."""
    ERRORS_BESIDE_DATA = "errors-beside-data"
    """Of v2: 200 with `errors` and all the data."""
    NULL_PAGE = "null-page"
    """Of v2: 200 with `errors` and null in place of the list of dossiers."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One way to fail.

    Attributes:
        kind: how.
        status: HTTP status of the kinds that have one. An `HTML` fault with 200 is a page
            where JSON is expected.
        headers: more headers, such as `Retry-After`.
        code: `extensions.code` of the kinds that have errors.
        message: what these errors say.
        times: how many requests are still to fail, None for all.
    """

    kind: FaultKind
    status: int = 503
    code: str = "internal_server_error"
    message: str = "Internal Server Error"
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int | None = None

    def take(self) -> bool:
        """Whether this request fails too."""
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


@dataclass(slots=True)
class Faults:
    """The faults in force: of everything, of one procedure, of the detail of one dossier."""

    everything: Fault | None = None
    procedures: dict[int, Fault] = field(default_factory=dict)
    details: dict[int, Fault] = field(default_factory=dict)

    def of(self, procedure: int, number: int | None) -> Fault | None:
        """The fault of a request, None when it is to be answered. Counts it."""
        detail = None if number is None else self.details.get(number)
        for fault in (self.everything, self.procedures.get(procedure), detail):
            if fault is not None and fault.take():
                return fault
        return None

    def clear(self) -> None:
        """Fail no more."""
        self.everything = None
        self.procedures.clear()
        self.details.clear()


def fault(how: Fault | FaultKind | int) -> Fault:
    """A fault as tests write it: itself, its kind, or a status with an HTML page."""
    if isinstance(how, Fault):
        return how
    if isinstance(how, FaultKind):
        return Fault(kind=how)
    return Fault(kind=FaultKind.HTML, status=how)
