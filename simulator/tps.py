"""The simulated TPS as its servers see it: what there is, what fails, what was asked."""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from threading import RLock

from simulator.dossier import SimulatedDossier, Truth
from simulator.faults import Faults
from simulator.seen import Seen
from simulator.state import State
from simulator.v1.answers import V1Answers
from simulator.v1.rendering import Era, Style
from simulator.v2.service import V2Service

TOKEN = "simulator-token"  # noqa: S105 (opens invented dossiers on this machine)
REMEMBERED = 10_000


def _now() -> datetime:
    """The present instant as precisely as TPS writes it."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


class Tps:
    """Dossiers in memory. Its methods may be called from any thread while it serves.

    Attributes:
        token: the token that opens it.
        faults: the faults in force.
        requests: the latest requests, oldest first.
        served: how many requests came in so far.
        clock: gives the present instant; what is filed and changed bears it.
        on_request: called with each request to the API before it is answered, in the server's
            thread; what it changes is in the answer.
        state: every form and dossier.
        lock: held while the state is read or changed.
        v1: the answers of the REST API.
        v2: what the GraphQL API has besides the state.
        uncommitted: changes that the database does not show yet, and from when on it will.
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
            era: which TPS of v1 it is.
            seed: the same seed gives the same dossiers.
            token: what opens it.
            fixed_page: rows of every page of v1, 12 before March 2018; of v2 at
                most.
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
        self.clock = clock
        self.state = State()
        self.lock = RLock()
        style = Style(Era(era), paris=paris_dates)
        self.v1 = V1Answers(self.state, style, fixed_page=fixed_page)
        self.v2 = V2Service(instant=style.instant)
        if fixed_page is not None:
            self.v2.largest_page = fixed_page
        self.seed = seed
        self.en_dash = en_dash
        self.numbers = count(first_number)
        self.uncommitted: list[tuple[datetime, SimulatedDossier]] = []

    @property
    def truths(self) -> list[Truth]:
        """What a reader must find out about every dossier, in the order of their numbers."""
        with self.lock:
            return [self.state.dossier(number).truth for number in sorted(self.state.places)]

    @property
    def procedures(self) -> list[int]:
        """Ids of the forms that it knows."""
        with self.lock:
            return sorted(self.state.procedures)

    def expected(self, number: int) -> Truth:
        """What a reader must find out about a dossier."""
        return self.dossier(number).truth

    def dossier(self, number: int) -> SimulatedDossier:
        """The dossier of that number.

        Raises:
            KeyError: when there is none.
        """
        return self.state.dossier(number)

    def __len__(self) -> int:
        return len(self.state.places)

    def commit(self) -> None:
        """Show the changes whose time has come."""
        due = [entry for entry in self.uncommitted if entry[0] <= self.clock()]
        for entry in due:
            self.uncommitted.remove(entry)
            self.state.keep(entry[1])

    def see(self, seen: Seen) -> None:
        """Remember a request."""
        self.requests.append(seen)
        self.served += 1
        if self.on_request is not None:
            self.on_request(seen)
        with self.lock:
            self.commit()
