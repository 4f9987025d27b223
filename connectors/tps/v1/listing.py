"""A page of the list of dossiers of v1."""

from dataclasses import dataclass

from connectors.tps.errors import MalformedReason
from connectors.tps.json_checks import MalformedJson, a_list, an_object, is_object, whole_number
from connectors.tps.timestamps import parse_timestamp
from connectors.tps.v1.dossier import known_state
from routing.listing import ListedDossier

LARGEST_PAGE = 1000
"""What servers give at most; those of before March 2018 give 12 whatever is asked."""

MOST_DIGITS = 20
MOST_PAGES = 1_000_000
"""Twelve million dossiers at the smallest pages: a list that says more is not believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """One page of a list.

    Attributes:
        rows: the dossiers, each once, in the server's order.
        page: number of the page, from 1.
        page_size: rows of a full page, which the server decides.
        pages: number of pages, 0 when there is no dossier.
        malformed: rows without a readable number, left out of `rows`.
    """

    rows: tuple[ListedDossier, ...]
    page: int
    page_size: int
    pages: int
    malformed: int


def page_of(content: object, *, asked: int, size: int = LARGEST_PAGE) -> ListPage:
    """The page that an answer holds.

    Args:
        content: the parsed answer.
        asked: the page that was asked for. A server that gives another one while that one
            exists would let dossiers go unseen.
        size: rows that were asked for; more are refused.

    Raises:
        MalformedJson: when the answer is not what the protocol promises.
    """
    root = an_object(content, MalformedReason.ROOT)
    pagination = an_object(root.get("pagination"), MalformedReason.PAGINATION)
    page, pages = _count(pagination, "page"), _count(pagination, "nombre_de_page")
    if (page != asked and asked <= pages) or pages > MOST_PAGES:
        raise MalformedJson(MalformedReason.PAGINATION)
    listed = a_list(root.get("dossiers"), MalformedReason.DOSSIERS)
    if len(listed) > size:
        raise MalformedJson(MalformedReason.DOSSIERS)
    rows = [row for each in listed if (row := _row(each)) is not None]
    return ListPage(
        rows=tuple({row.number: row for row in rows}.values()),
        page=page,
        page_size=_count(pagination, "resultats_par_page"),
        pages=pages,
        malformed=len(listed) - len(rows),
    )


def _row(value: object) -> ListedDossier | None:
    if not is_object(value) or (number := _identifier(value.get("id"))) is None:
        return None
    return ListedDossier(
        number=number,
        state=known_state(value.get("state")),
        filed_at=parse_timestamp(value.get("initiated_at")),
        changed_at=parse_timestamp(value.get("updated_at")),
    )


def _identifier(value: object) -> int | None:
    """A dossier's number; one that is written as text is no reason to lose the dossier."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < MOST_DIGITS:
        return whole_number(int(value))
    return whole_number(value)


def _count(pagination: dict[str, object], key: str) -> int:
    value = pagination.get(key)
    if value == 0 and not isinstance(value, bool):
        return 0
    number = whole_number(value)
    if number is None:
        raise MalformedJson(MalformedReason.PAGINATION)
    return number
