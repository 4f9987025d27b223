"""What v1 answers to a GET: a procedure, a page of its list, a dossier."""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from simulator.dossier import SimulatedDossier
from simulator.state import Procedure, State
from simulator.v1.rendering import Era, Style, detail, row

DEFAULT_PAGE = 100
LARGEST_PAGE = 1000


class V1Answers:
    """The answers of one server.

    Attributes:
        style: how it writes.
        pages_claimed: by procedure, what lists say that they have, given the page asked for and
            the truth.
    """

    def __init__(self, state: State, style: Style, *, fixed_page: int | None) -> None:
        self.style = style
        self.pages_claimed: dict[int, Callable[[int, int], int]] = {}
        self._state = state
        self._fixed_page = fixed_page

    def detail(self, procedure: int, number: int) -> bytes | None:
        """The answer to a GET of a dossier, None when it is not found."""
        known = self._state.procedures.get(procedure)
        dossier = known.dossiers.get(number) if known else None
        if known is None or dossier is None:
            return None
        return detail(dossier, self.style, known.shown(dossier))

    def listing(self, procedure: int, query: Mapping[str, str]) -> bytes | None:
        """The answer to a GET of a list, None when the procedure is not found."""
        known = self._state.procedures.get(procedure)
        if known is None:
            return None
        size = self._page_size(query)
        page = max(_number(query.get("page"), 1), 1)
        least = 1 if self.style.era is Era.Y2018 else 0
        pages = max(-(-len(known.dossiers) // size), least)
        if procedure in self.pages_claimed:
            pages = self.pages_claimed[procedure](page, pages)
        rows = b",".join(
            row(each, self.style)
            for each in self._page(known, (page - 1) * size, size, query.get("order"))
        )
        return (
            b'{"dossiers":[%b],"pagination":{"page":%d,"resultats_par_page":%d,"nombre_de_page":%d}}'
            % (rows, page, size, pages)
        )

    def procedure(self, procedure: int) -> bytes | None:
        """The answer to a GET of a procedure, None when it is not found."""
        if procedure not in self._state.procedures:
            return None
        return (
            b'{"procedure":{"id":%d,"label":"Formulaire d\'essai","state":"publiee"}}' % procedure
        )

    def _page_size(self, query: Mapping[str, str]) -> int:
        if self._fixed_page is not None:
            return self._fixed_page
        asked = _number(query.get("resultats_par_page"), DEFAULT_PAGE)
        return min(max(asked, 1), LARGEST_PAGE)

    def _page(
        self, known: Procedure, start: int, size: int, order: str | None
    ) -> Iterable[SimulatedDossier]:
        if self.style.era is Era.Y2018:
            # A table without an order: a row that is changed moves to its end.
            return islice(known.dossiers.values(), start, start + size)
        sorted_numbers = known.by_deposit
        if order == "desc":
            end = len(sorted_numbers) - start
            chosen = sorted_numbers[max(end - size, 0) : max(end, 0)][::-1]
        else:
            chosen = sorted_numbers[start : start + size]
        return [known.dossiers[number] for _, number in chosen]


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else default
