"""How the public page writes months, numbers, places and kinds, in French."""

from collections.abc import Mapping
from datetime import date

from routing.territory import departments
from service.statistics.month import UNKNOWN
from service.statistics.suppression import ALL

MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
SHORT_MONTHS = (
    *("janv.", "févr.", "mars", "avr.", "mai", "juin"),
    *("juil.", "août", "sept.", "oct.", "nov.", "déc."),
)

HIDDEN = "n. d."
"""Stands where nothing is published."""

THIN_SPACE = "\u202f"
NO_BREAK = "\u00a0"


def month_name(month: date) -> str:
    """`octobre 2026`."""
    return f"{MONTHS[month.month - 1]} {month.year}"


def month_code(month: date) -> str:
    """`2026-10`, as in addresses and files."""
    return f"{month:%Y-%m}"


def number(value: int | None) -> str:
    """`1 234`, or that it is not published."""
    return HIDDEN if value is None else f"{value:,}".replace(",", THIN_SPACE)


def days(value: int | None) -> str:
    """`3 jours`, or that it is not published."""
    if value is None:
        return HIDDEN
    return f"{number(value)}{NO_BREAK}jour{'s' if value > 1 else ''}"


def percent(part: int | None, whole: int | None) -> str:
    """`12 %`, or that it is not published."""
    share_ = share(part, whole)
    return HIDDEN if share_ is None else f"{share_:.0f}{NO_BREAK}%"


def share(part: int | None, whole: int | None) -> float | None:
    """How many in a hundred; None where one of both is not published."""
    return None if part is None or not whole else 100 * part / whole


def place_name(code: str) -> str:
    """`Paris`, `toute la France`, `département non déterminé`."""
    if code == ALL:
        return "toute la France"
    if code == UNKNOWN:
        return "département non déterminé"
    known = departments().get(code)
    return known.name if known else code


def kind_name(code: str, labels: Mapping[str, str]) -> str:
    """The label of a permit type as the administrators wrote it."""
    if code == ALL:
        return "tous les types"
    if code == UNKNOWN:
        return "Type non déterminé"
    return labels.get(code, code)
