"""The simulated TPS itself: dossiers, their lists and details, and what happens to them."""

from bisect import insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from threading import RLock
from typing import TYPE_CHECKING, Any

from routing.facts import DossierState
from simulator.dossier import SimulatedDossier, Truth
from simulator.faults import Fault, FaultKind, Faults
from simulator.form import (
    CHANGE_OF_STATUS,
    INTRODUCTION,
    FormLike,
    SimulatedForm,
    places,
)
from simulator.generation import (
    ALGERIA,
    CONTRACTS,
    COUNTRIES,
    OTHER_CONTRACT,
    STATES,
    UNKNOWN_DEPARTMENT,
    Draft,
    Generator,
    department_value,
)
from simulator.rendering import Era, Style, detail, row
from simulator.seen import Seen
from simulator.server import Server

if TYPE_CHECKING:
    import ssl

TOKEN = "simulator-token"  # noqa: S105 (opens invented dossiers on this machine)
DEFAULT_PAGE = 100
LARGEST_PAGE = 1000
REMEMBERED = 10_000


@dataclass(slots=True)
class _Procedure:
    form: FormLike
    dossiers: dict[int, SimulatedDossier] = field(default_factory=dict)
    by_deposit: list[tuple[datetime, int]] = field(default_factory=list)


def _now() -> datetime:
    """The present instant as precisely as TPS writes it."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


class Simulator:
    """A TPS in memory. Its methods may be called from any thread while it serves.

    Attributes:
        token: the token that opens it.
        faults: the faults in force.
        requests: the latest requests, oldest first.
        served: how many requests came in so far.
        clock: gives the present instant; what is filed and changed bears it.
        on_request: called with each request to the API before it is answered, in the server's
            thread; what it changes is in the answer.
    """

    def __init__(
        self,
        *,
        era: Era | str = Era.Y2021,
        seed: int = 1,
        token: str = TOKEN,
        fixed_page: int | None = None,
        en_dash: bool = False,
        paris_dates: bool = False,
        first_number: int = 1_000_001,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        """Build an empty TPS.

        Args:
            era: which TPS it is.
            seed: the same seed gives the same dossiers.
            token: what opens it.
            fixed_page: rows of every page whatever is asked; 12 before March 2018.
            en_dash: write départements with an en dash, as since December 2022.
            paris_dates: write instants with the offset of Paris.
            first_number: number of the first dossier.
            clock: gives the present instant, with its timezone.
        """
        self.token = token
        self.faults = Faults()
        self.requests: deque[Seen] = deque(maxlen=REMEMBERED)
        self.served = 0
        self.on_request: Callable[[Seen], None] | None = None
        self.pages_claimed: dict[int, Callable[[int, int], int]] = {}
        """By procedure: what lists say that they have, given the page asked for and the truth."""
        self._style = Style(Era(era), paris=paris_dates)
        self._seed = seed
        self._en_dash = en_dash
        self._fixed_page = fixed_page
        self._numbers = count(first_number)
        self.clock = clock
        self._procedures: dict[int, _Procedure] = {}
        self._dossiers: dict[int, SimulatedDossier] = {}
        self._lock = RLock()

    # what there is

    @property
    def era(self) -> Era:
        """Which TPS it is."""
        return self._style.era

    @property
    def truths(self) -> list[Truth]:
        """What a reader must find out about every dossier, in the order of their numbers."""
        with self._lock:
            return [self._dossiers[number].truth for number in sorted(self._dossiers)]

    @property
    def procedures(self) -> list[int]:
        """Ids of the forms that it knows."""
        with self._lock:
            return sorted(self._procedures)

    def expected(self, number: int) -> Truth:
        """What a reader must find out about a dossier."""
        return self.dossier(number).truth

    def dossier(self, number: int) -> SimulatedDossier:
        """The dossier of that number.

        Raises:
            KeyError: when there is none.
        """
        return self._dossiers[number]

    def __len__(self) -> int:
        return len(self._dossiers)

    # what happens to it

    def open(self, *forms: FormLike) -> None:
        """Open forms, still without dossiers. One that is open stays as it is."""
        with self._lock:
            for form in forms:
                self._procedures.setdefault(form.procedure, _Procedure(form))

    def populate(
        self,
        forms: Iterable[FormLike],
        count: int,
        *,
        until: datetime | None = None,
        every: timedelta = timedelta(minutes=7),
        states: Iterable[DossierState] = STATES,
        oddities: bool = True,
    ) -> list[int]:
        """Let `count` dossiers be filed, through `forms` in turn, and give their numbers.

        Args:
            forms: opened as well.
            count: how many.
            until: when the last one is filed; now when not given.
            every: between two.
            states: the states that they are in, in turn.
            oddities: whether some are odd: filed in the wrong form, blank, unknown, abroad,
                contradictory, malformed.
        """
        drafts = Generator(self._seed, en_dash=self._en_dash, oddities=oddities)
        opened, cycle = list(forms), list(states)
        self.open(*opened)
        last = until or self.clock()
        with self._lock:
            begin, numbers = len(self._dossiers), []
            for turn in range(count):
                form = self._procedures[opened[turn % len(opened)].procedure].form
                # Every form gets every type, however many forms there are.
                variant = turn % len(opened) + turn // len(opened)
                filed_at = last - every * (count - 1 - turn)
                dossier = _filed(
                    drafts.draft(form, begin + turn, variant=variant),
                    form=form,
                    number=self._next_number(),
                    state=cycle[turn % len(cycle)],
                    filed_at=filed_at,
                    changed_at=filed_at,
                )
                self._keep(dossier)
                numbers.append(dossier.number)
            return numbers

    def add(
        self,
        form: FormLike | int | None = None,
        *,
        number: int | None = None,
        state: DossierState | str = DossierState.INITIATED,
        filed_at: datetime | None = None,
        changed_at: datetime | None = None,
        **particulars: Any,  # noqa: ANN401
    ) -> SimulatedDossier:
        """File one ordinary dossier.

        Args:
            form: its form, or the id of an open one; the first open one when not given.
            number: its number; the next one when not given.
            state: its state.
            filed_at: instant of deposit; now when not given.
            changed_at: instant of the last change; that of deposit when not given.
            particulars: other attributes of `SimulatedDossier`, in place of generated ones. A
                `department` or a `permit_type` also changes the answers that show it.
        """
        with self._lock:
            known = self._form(form)
            self.open(known)
            index = len(self._dossiers)
            drafts = Generator(self._seed, en_dash=self._en_dash, oddities=False)
            filed = filed_at or self.clock()
            dossier = _filed(
                drafts.draft(known, index, variant=0),
                form=known,
                number=self._next_number() if number is None else number,
                state=DossierState(state),
                filed_at=filed,
                changed_at=changed_at or filed,
            )
            if dossier.number in self._dossiers:
                raise ValueError(f"there is a dossier {dossier.number} already")
            self._keep(self._changed(dossier, particulars))
            return self._dossiers[dossier.number]

    def change(self, number: int, **changes: Any) -> SimulatedDossier:  # noqa: ANN401
        """Change attributes of a dossier; `changed_at` becomes now unless it is given.

        A new `department` or `permit_type` also changes the answers that show it.
        """
        with self._lock:
            before = self._dossiers[number]
            moved = {"changed_at": max(self.clock(), before.changed_at), **changes}
            after = self._changed(before, moved)
            self._drop(number)
            self._keep(after)
            return after

    def delete(self, number: int) -> None:
        """Delete a dossier: it is listed no more, and its detail is not found."""
        with self._lock:
            self._drop(number)

    def rename_label(self, old: str, new: str, *, procedure: int | None = None) -> None:
        """Rename a label overnight, of one form or of all."""
        with self._lock:
            renamed = (*self._style.renamed, (procedure, old, new))
            self._style = replace(self._style, renamed=renamed)

    # how it fails

    def fail_detail(self, number: int, fault: Fault | FaultKind | int = 500) -> None:
        """Let the detail of one dossier fail; a number is a status with an HTML page."""
        self.faults.details[number] = _fault(fault)

    def fail_procedure(self, procedure: int, fault: Fault | FaultKind | int = 401) -> None:
        """Let everything of one procedure fail."""
        self.faults.procedures[procedure] = _fault(fault)

    def fail_all(self, fault: Fault | FaultKind | int = 503) -> None:
        """Let everything fail."""
        self.faults.everything = _fault(fault)

    def throttle(self, retry_after: int | str, *, times: int | None = None) -> None:
        """Answer 429 with `Retry-After`: seconds, or a date as HTTP writes it."""
        headers = {"Retry-After": str(retry_after)}
        self.fail_all(Fault(kind=FaultKind.HTML, status=429, headers=headers, times=times))

    def heal(self) -> None:
        """End every fault."""
        self.faults.clear()

    # how it is served

    @contextmanager
    def serve(self, *, port: int = 0, tls: "ssl.SSLContext | None" = None) -> Iterator[Server]:
        """Serve on a port of 127.0.0.1 (0: any free one) from a thread, while the block runs."""
        server = Server(self, port=port, tls=tls)
        server.start()
        try:
            yield server
        finally:
            server.stop()

    def see(self, seen: Seen) -> None:
        """Remember a request."""
        self.requests.append(seen)
        self.served += 1
        if self.on_request is not None:
            self.on_request(seen)

    def detail(self, procedure: int, number: int) -> bytes | None:
        """The answer to a GET of a dossier, None when it is not found."""
        with self._lock:
            known = self._procedures.get(procedure)
            dossier = known.dossiers.get(number) if known else None
            return detail(dossier, self._style) if dossier else None

    def listing(self, procedure: int, query: Mapping[str, str]) -> bytes | None:
        """The answer to a GET of a list, None when the procedure is not found."""
        with self._lock:
            known = self._procedures.get(procedure)
            if known is None:
                return None
            size = self._page_size(query)
            page = max(_number(query.get("page"), 1), 1)
            total = len(known.dossiers)
            least = 1 if self.era is Era.Y2018 else 0
            pages = max(-(-total // size), least)
            if procedure in self.pages_claimed:
                pages = self.pages_claimed[procedure](page, pages)
            rows = b",".join(
                row(each, self._style)
                for each in self._page(known, (page - 1) * size, size, query.get("order"))
            )
        return (
            b'{"dossiers":[%b],"pagination":{"page":%d,"resultats_par_page":%d,"nombre_de_page":%d}}'
            % (rows, page, size, pages)
        )

    def procedure(self, procedure: int) -> bytes | None:
        """The answer to a GET of a procedure, None when it is not found."""
        if procedure not in self._procedures:
            return None
        return (
            b'{"procedure":{"id":%d,"label":"Formulaire d\'essai","state":"publiee"}}' % procedure
        )

    # its own business

    def _page_size(self, query: Mapping[str, str]) -> int:
        if self._fixed_page is not None:
            return self._fixed_page
        asked = _number(query.get("resultats_par_page"), DEFAULT_PAGE)
        return min(max(asked, 1), LARGEST_PAGE)

    def _page(
        self, known: _Procedure, start: int, size: int, order: str | None
    ) -> Iterable[SimulatedDossier]:
        if self.era is Era.Y2018:
            # A table without an order: a row that is changed moves to its end.
            return islice(known.dossiers.values(), start, start + size)
        sorted_numbers = known.by_deposit
        if order == "desc":
            end = len(sorted_numbers) - start
            chosen = sorted_numbers[max(end - size, 0) : max(end, 0)][::-1]
        else:
            chosen = sorted_numbers[start : start + size]
        return [known.dossiers[number] for _, number in chosen]

    def _form(self, form: FormLike | int | None) -> FormLike:
        if form is None:
            if not self._procedures:
                raise LookupError("no form is open: name one")
            return next(iter(self._procedures.values())).form
        if not isinstance(form, int):
            return form
        known = self._procedures.get(form)
        return known.form if known else SimulatedForm(form, "75")

    def _next_number(self) -> int:
        return next(number for number in self._numbers if number not in self._dossiers)

    def _changed(self, dossier: SimulatedDossier, changes: Mapping[str, Any]) -> SimulatedDossier:
        shown: dict[str, Any] = {}
        if "permit_type" in changes:
            shown |= _shown_type(changes["permit_type"])
        if "department" in changes:
            shown |= self._shown_department(changes["department"], dossier.form.kind)
        state = DossierState(changes.get("state", dossier.state))
        return replace(dossier, **{**shown, **changes, "state": state})

    def _shown_department(self, department: str | None, kind: str) -> dict[str, Any]:
        """The answers that show a département of competence."""
        if department is None:
            return {"permit_department": UNKNOWN_DEPARTMENT}
        here = places()[department][0]
        works_there = {"work": here} if kind in {INTRODUCTION, CHANGE_OF_STATUS} else {}
        value = department_value(department, en_dash=self._en_dash)
        return {"permit_department": value, "home": here, **works_there}

    def _keep(self, dossier: SimulatedDossier) -> None:
        known = self._procedures[dossier.form.procedure]
        self._dossiers[dossier.number] = dossier
        known.dossiers[dossier.number] = dossier
        insort(known.by_deposit, (dossier.filed_at, dossier.number))

    def _drop(self, number: int) -> SimulatedDossier:
        dossier = self._dossiers.pop(number)
        known = self._procedures[dossier.form.procedure]
        del known.dossiers[number]
        known.by_deposit.remove((dossier.filed_at, number))
        return dossier


def _filed(
    draft: Draft,
    *,
    form: FormLike,
    number: int,
    state: DossierState,
    filed_at: datetime,
    changed_at: datetime,
) -> SimulatedDossier:
    return SimulatedDossier(
        form=form,
        number=number,
        state=state,
        filed_at=filed_at,
        changed_at=changed_at,
        permit_type=draft.permit_type,
        department=draft.department,
        contract=draft.contract,
        nationality=draft.nationality,
        permit_department=draft.permit_department,
        home=draft.home,
        work=draft.work,
        defect=draft.defect,
    )


def _shown_type(permit_type: str | None) -> dict[str, Any]:
    """The answers that show a permit type; a kind of form shows its own."""
    algerian = permit_type == "accord-franco-algerien"
    contract = CONTRACTS.get(permit_type or "", (OTHER_CONTRACT,))[0]
    return {"contract": contract, "nationality": ALGERIA if algerian else COUNTRIES[0]}


def _fault(fault: Fault | FaultKind | int) -> Fault:
    if isinstance(fault, Fault):
        return fault
    if isinstance(fault, FaultKind):
        return Fault(kind=fault)
    return Fault(kind=FaultKind.HTML, status=fault)


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else default
