"""People who do not exist, and could not be taken for anybody who does."""

from dataclasses import dataclass
from functools import lru_cache

_GIVEN = (
    "Zéphyrine", "Théodule", "Cunégonde", "Hégésippe", "Pélagie", "Anicet", "Bérengère",
    "Gontran", "Sidonie", "Évariste", "Léocadie", "Philibert", "Œdipe", "Ursule", "Noé", "Aïda",
)  # fmt: skip
_SURNAMES = (
    "Fictif", "Inventé", "Exemplaire", "Maquette", "Esquisse", "Postiche", "Chimère", "Mirage",
    "Trompe-l’œil", "D'Essai", "Prototype", "Figurant", "Pantin", "Brouillon", "Simulacre",
)  # fmt: skip
_TOWNS = ("Villemensonge", "Bourg-l'Illusion", "Sainte-Chimère", "Nulle-Part-sur-Mer")
_JOBS = ("Contrôleur d'essais", "Dessinatrice de maquettes", "Vendeur d'exemples", "Développeuse")


@dataclass(frozen=True, slots=True)
class Person:
    """A person made up from a number, always the same from the same one."""

    civility: str
    given: str
    surname: str
    email: str
    phone: str
    birth_date: str
    birth_place: str
    job: str


@lru_cache(maxsize=256)
def person(number: int) -> Person:
    """The person of that number. The phone is in a series that is given to nobody."""
    mixed = (number * 2_654_435_761) & 0xFFFF_FFFF
    given = _GIVEN[mixed % len(_GIVEN)]
    surname = _SURNAMES[(mixed >> 5) % len(_SURNAMES)]
    return Person(
        civility=("M.", "Mme")[(mixed >> 3) & 1],
        given=given,
        surname=surname,
        email=f"personne-{number}@boite.example",
        phone=f"01 99 00 {(mixed >> 9) % 100:02d} {(mixed >> 17) % 100:02d}",
        birth_date=f"{1985 + (mixed >> 7) % 18}-{1 + (mixed >> 11) % 12:02d}-{1 + mixed % 28:02d}",
        birth_place=_TOWNS[(mixed >> 13) % len(_TOWNS)],
        job=_JOBS[(mixed >> 15) % len(_JOBS)],
    )
