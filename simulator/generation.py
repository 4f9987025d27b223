"""Generated dossiers: every permit type, every département, and what real ones have wrong.

What is particular about a dossier follows from its place in the series, so that a
small series has some of everything; the rest is drawn from the seed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random

from routing.facts import DossierState
from routing.territory import departments
from simulator.dossier import DEFECTS
from simulator.form import (
    CHANGE_OF_STATUS,
    INTRODUCTION,
    STUDENT,
    FieldPath,
    FormLike,
    places,
)

ALGERIA = "ALGERIE"
COUNTRIES = ("CAMEROUN", "MAROC", "TUNISIE", "SENEGAL", "Chine", "Brésil", "Inde", "Liban")
ALGERIAN_SPELLINGS = (ALGERIA, "Algérie", "ALGÉRIE ")

CONTRACTS = {
    "apprentissage": ("contrat d'apprentissage", "Contrat d’apprentissage "),
    "professionnalisation": ("contrat de professionnalisation",),
    "interne-medecine": ("interne en médecine", "INTERNE EN ME\u0301DECINE"),
    "accord-franco-algerien": (
        "contrat à durée déterminée (CDD)",
        "contrat à durée indéterminée (CDI)",
    ),
    "doctorat": ("contrat doctoral",),
    "expert-comptable-stagiaire": ("expert-comptable stagiaire",),
}
"""For each permit type of the student form, what stands in « Type de contrat »."""

OTHER_CONTRACT = "Autre"
UNKNOWN_DEPARTMENT = "999 - Inconnu"

STATES = (
    *(DossierState.INITIATED,) * 6,
    *(DossierState.RECEIVED,) * 2,
    DossierState.CLOSED,
    DossierState.REFUSED,
    DossierState.CLOSED,
    DossierState.WITHOUT_CONTINUATION,
)
"""In the proportions in which a list shows them while offices keep up."""

_ROUND = 50
_MALFORMED_EVERY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is particular about a dossier before it has a number.

    Attributes: as in `SimulatedDossier`.
    """

    permit_type: str | None
    department: str | None
    contract: str | None
    nationality: str | None
    permit_department: str | None
    home: FieldPath
    work: FieldPath
    defect: str | None = None


@lru_cache(maxsize=512)
def department_value(code: str, *, en_dash: bool = False) -> str:
    """A choice of the drop-down list of départements: `75 - Paris`."""
    return f"{code} {'–' if en_dash else '-'} {departments()[code].name}"


class Generator:
    """Drafts of dossiers in a series.

    Args:
        seed: the same seed gives the same series.
        en_dash: write départements with an en dash, as servers do since December 2022.
        oddities: whether some dossiers are odd: filed in another département's form, blank,
            unknown, abroad, contradictory, malformed.
    """

    def __init__(self, seed: int, *, en_dash: bool = False, oddities: bool = True) -> None:
        self._seed = seed
        self._en_dash = en_dash
        self._oddities = oddities

    def draft(self, form: FormLike, index: int, *, variant: int) -> Draft:
        """The draft at `index` of a series; its `variant` tells its permit type. From 0."""
        random = Random(f"{self._seed}:{index}")  # noqa: S311 (made-up people, no secret)
        kind = index % _ROUND if self._oddities else 0
        home = self._home(form, random, elsewhere=kind in _ELSEWHERE)
        plain = self._plain(form, variant, home, random)
        if self._oddities and index % _MALFORMED_EVERY == _MALFORMED_EVERY - 3:
            defect = DEFECTS[index // _MALFORMED_EVERY % len(DEFECTS)]
            return replace(plain, defect=defect)
        return _ODDITIES.get(kind, _as_it_is)(plain) if form.kind == STUDENT else plain

    def _home(self, form: FormLike, random: Random, *, elsewhere: bool) -> FieldPath:
        here = None if elsewhere else form.department
        known = places()
        return random.choice(known[here if here in known else random.choice(list(known))])

    def _plain(self, form: FormLike, variant: int, home: FieldPath, random: Random) -> Draft:
        permit_type = _TYPES.get(form.kind, _STUDENT_TYPES)[variant % 6]
        work = home if form.kind in {INTRODUCTION, CHANGE_OF_STATUS} else self._work(random)
        contracts = CONTRACTS.get(permit_type, CONTRACTS["accord-franco-algerien"])
        algerian = permit_type == "accord-franco-algerien"
        return Draft(
            permit_type=permit_type,
            department=home.department,
            contract=random.choice(contracts),
            nationality=random.choice(ALGERIAN_SPELLINGS if algerian else COUNTRIES),
            permit_department=department_value(home.department, en_dash=self._en_dash),
            home=home,
            work=work,
        )

    @staticmethod
    def _work(random: Random) -> FieldPath:
        return random.choice(places()[random.choice(("75", "92", "69", "13"))])


_ELSEWHERE = frozenset({11, 37, 43})

_STUDENT_TYPES: Sequence[str] = tuple(CONTRACTS)
_TYPES: dict[str, Sequence[str]] = {
    INTRODUCTION: (INTRODUCTION,) * len(CONTRACTS),
    CHANGE_OF_STATUS: (CHANGE_OF_STATUS,) * len(CONTRACTS),
}


def _as_it_is(plain: Draft) -> Draft:
    return plain


_ODDITIES: dict[int, Callable[[Draft], Draft]] = {
    # The postal code of residence has to tell.
    7: lambda plain: replace(plain, permit_department=None),
    13: lambda plain: replace(plain, permit_department="99 - Étranger", department=None),
    19: lambda plain: replace(plain, permit_department=UNKNOWN_DEPARTMENT, department=None),
    # The code counts, not its label.
    23: lambda plain: replace(plain, permit_department=f"{plain.home.department} - Nulle-Part"),
    29: lambda plain: replace(
        plain, contract=OTHER_CONTRACT, nationality="MAROC", permit_type=None
    ),
    31: lambda plain: replace(plain, contract=None, nationality="MAROC", permit_type=None),
    41: lambda plain: replace(plain, permit_department=f" {plain.home.department.lower()} "),
}
