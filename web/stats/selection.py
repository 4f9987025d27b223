"""What a visitor chose, as it stands in the address: month, permit type, département, map."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from urllib.parse import urlencode

from service.statistics.suppression import ALL
from web.stats.wording import month_code

PATH = "/stats"


class Picture(StrEnum):
    """What the map shows; the value stands in the address."""

    REQUESTS = "demandes"
    MEDIAN = "delai"
    LATE = "retard"


class UnknownChoice(Exception):
    """An address names a month, a permit type or a département that there is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What can be chosen: months in order, and codes."""

    months: Sequence[date]
    permit_types: Collection[str]
    departments: Collection[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What was chosen.

    Attributes:
        month: its first day; None for the latest, and where there is none.
        permit_type: code, `ALL` for all.
        department: code, `ALL` for France.
        picture: what the map shows.
    """

    month: date | None = None
    permit_type: str = ALL
    department: str = ALL
    picture: Picture = Picture.REQUESTS

    @property
    def query(self) -> str:
        """What stands behind the path: nothing for what is the default."""
        given = {
            "mois": month_code(self.month) if self.month else "",
            "type": "" if self.permit_type == ALL else self.permit_type,
            "departement": "" if self.department == ALL else self.department,
            "carte": "" if self.picture is Picture.REQUESTS else self.picture.value,
        }
        return urlencode({name: value for name, value in given.items() if value})

    def url(self, path: str = PATH) -> str:
        """The address of this selection."""
        return f"{path}?{self.query}" if self.query else path

    def choose(self, **changes: object) -> "Selection":
        """The selection with something else chosen."""
        return replace(self, **changes)  # type: ignore[arg-type]


def read_selection(query: Mapping[str, str], choices: Choices) -> Selection:
    """The selection of an address.

    Raises:
        UnknownChoice: it names something that cannot be chosen.
    """
    months = {month_code(month): month for month in choices.months}
    wanted = query.get("mois", "")
    kind, place = query.get("type") or ALL, query.get("departement") or ALL
    picture = query.get("carte") or Picture.REQUESTS.value
    if (wanted and wanted not in months) or picture not in set(Picture):
        raise UnknownChoice
    if kind not in {ALL, *choices.permit_types} or place not in {ALL, *choices.departments}:
        raise UnknownChoice
    return Selection(
        month=months.get(wanted), permit_type=kind, department=place, picture=Picture(picture)
    )
