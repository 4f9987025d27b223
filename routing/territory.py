"""The territory: départements, regions, and which département a place that people type lies in.

Everything comes from the official list (see `routing/data/README.md`). It is
read on first use; a postal code is answered from a small index, and the names
of all communes are only read when a name must tell.
"""

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TypedDict

from routing.text import normalise


@dataclass(frozen=True, slots=True)
class Department:
    """A département, or an overseas collectivity that stands in its place.

    Attributes:
        code: `75`, `2A`, `971`.
        name: official name, accents included.
        region: code of its region; an overseas collectivity is its own.
    """

    code: str
    name: str
    region: str


@dataclass(frozen=True, slots=True)
class Region:
    """A region. Its code is no département's code: `75` is Nouvelle-Aquitaine here."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Commune:
    """A commune, or an arrondissement of Paris, Lyon or Marseille.

    Attributes:
        insee: its code in the official geography, never a postal code.
        name: official name.
        department: code of its département.
    """

    insee: str
    name: str
    department: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentReading:
    """What a value such as `69 – Rhône` says.

    Attributes:
        code: code of the département, None when there is none or it is unknown.
        abroad: the value says abroad (`99 - Étranger`).
        label_agrees: False when the value names another place than its code does.
        blank: the value holds no letter and no digit.
    """

    code: str | None = None
    abroad: bool = False
    label_agrees: bool = True
    blank: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Which département a postal code lies in.

    Attributes:
        department: its code, None when unknown or ambiguous.
        candidates: codes of every département that it can be, in order.
        ambiguous: several can be, and the commune did not tell which.
        by_prefix: the code is not in the official list (a CEDEX) and its first digits answered.
    """

    department: str | None
    candidates: tuple[str, ...]
    ambiguous: bool
    by_prefix: bool


class _Named(TypedDict):
    name: str
    region: str


class _Content(TypedDict):
    """The shape of `territory.json`, as `routing.data.rebuild` writes it."""

    regions: dict[str, str]
    departments: dict[str, _Named]
    moved_communes: dict[str, str]
    postal_codes: dict[str, str]
    shared_codes: dict[str, dict[str, list[str]]]


ABROAD = "99"
"""The code that stands for abroad, in forms and in the official geography alike."""

_ABROAD_KEYS = frozenset({"etranger", "horsdefrance", "horsfrance"})

_FORMER_INSEE = {"97123": "977", "97127": "978"}
"""Saint-Barthélemy and Saint-Martin were communes of Guadeloupe until 2007."""

_FORMER_PREFIXES = {"985": "976"}
"""Mayotte's communes had INSEE codes in 985 until 2011."""

_SHARED_PREFIXES = {
    # CEDEX of Corsica outside 200-202 and 206 follow no département.
    **{f"20{digit}": ("2A", "2B") for digit in "345789"},
    # CEDEX of the two islands that left Guadeloupe kept its old series.
    "970": ("971", "977", "978"),
    # CEDEX of La Réunion overflow into the INSEE prefixes of those islands.
    "977": ("974", "977"),
    "978": ("974", "978"),
}
"""Prefixes of codes outside the official list that do not name one département."""

_CORSICA = {"200": "2A", "201": "2A", "202": "2B", "206": "2B"}

_WORDS = re.compile(r"[a-z0-9]+")
_CODE = re.compile(r"[0-9]{1,3}|0?2[ab]")
_SAINTS = {"st": "saint", "ste": "sainte", "sts": "saints", "stes": "saintes"}
_ARTICLES = frozenset({"l", "le", "la", "les"})
_CEDEX = re.compile(r"cedex[0-9]*")
_ARRONDISSEMENT = re.compile(
    r"(?<=[a-z])( [0-9]{1,2} ?(er|ere|e|eme|nd|nde)?)?( arrondissement| ardt| arrt| arr)?$"
)


def departments() -> Mapping[str, Department]:
    """Every département and overseas collectivity by its code."""
    return _index().departments


def regions() -> Mapping[str, Region]:
    """Every region by its code."""
    return _index().regions


@cache
def communes() -> Mapping[str, tuple[Commune, ...]]:
    """The communes of every postal code of the official list, by postal code."""
    found: dict[str, list[Commune]] = defaultdict(list)
    for line in _commune_lines():
        insee, department, name, codes = line.split("\t")
        commune = Commune(insee, name, department)
        for code in codes.split(" "):
            found[code].append(commune)
    return MappingProxyType({code: tuple(found[code]) for code in sorted(found)})


def department_of_insee(code: str) -> str | None:
    """The département of a commune's INSEE code, None for abroad and for anything else.

    A code that is no longer in use (SIRENE keeps them for years) is answered too.
    """
    insee = code.strip().upper()
    if not re.fullmatch(r"[0-9][0-9AB][0-9]{3}", insee):
        return None
    moved = _index().moved_communes.get(insee) or _FORMER_PREFIXES.get(insee[:3])
    prefix = insee[:3] if insee.startswith(("97", "98")) else insee[:2]
    return moved or (prefix if prefix in departments() else None)


def resolve(postal_code: str, commune: str | None = None) -> Resolution:
    """The département in which a postal code lies.

    Args:
        postal_code: as people type it; blanks do not matter.
        commune: its commune as people type it. It matters only where the code alone
            can be several départements; one that is not known there is ignored.
    """
    code = re.sub(r"\s", "", postal_code)
    if not re.fullmatch(r"[0-9]{5}", code):
        return Resolution(department=None, candidates=(), ambiguous=False, by_prefix=False)
    listed = _index().postal_codes.get(code)
    candidates = _candidates_by_prefix(code) if listed is None else listed
    department = candidates[0] if len(candidates) == 1 else None
    if len(candidates) > 1 and commune:
        names = _names_at(code) if listed else _names_in(candidates)
        department = _only(names.get(_commune_key(commune), frozenset()))
    return Resolution(
        department=department,
        candidates=candidates,
        ambiguous=len(candidates) > 1 and department is None,
        by_prefix=listed is None and bool(candidates),
    )


def read_department(text: str) -> DepartmentReading:
    """What a département field says: `75 - Paris`, `2a`, `1 - Ain`, `Paris`, `99 - Étranger`.

    Never raises; a value that names no known département, or two, has no code.
    """
    words = _WORDS.findall(normalise(text))
    if not words:
        return DepartmentReading(blank=not any(map(str.isalnum, text)))
    if _is_code(words[0]):
        return _coded(_canonical(words[0]), words[1:])
    if len(words) > 1 and _is_code(words[-1]):
        reading = _coded(_canonical(words[-1]), words[:-1])
        # `Paris 11` is an arrondissement: behind a name, only the code of that name counts.
        return reading if reading.label_agrees else DepartmentReading(label_agrees=False)
    key = _join(words)
    return DepartmentReading(code=_index().names.get(key), abroad=key in _ABROAD_KEYS)


def _coded(code: str, label: list[str]) -> DepartmentReading:
    key = _join(label)
    if code == ABROAD:
        return DepartmentReading(abroad=True, label_agrees=not key or key in _ABROAD_KEYS)
    known = departments().get(code)
    if known is None or any(map(_is_code, label)):
        return DepartmentReading()
    return DepartmentReading(code=code, label_agrees=not key or _index().names.get(key) == code)


def _is_code(word: str) -> bool:
    return _CODE.fullmatch(word) is not None


def _canonical(word: str) -> str:
    return word.upper().lstrip("0").zfill(2)


def _join(words: Iterable[str]) -> str:
    """A name in the form in which two spellings are equal: no blanks, no leading article."""
    full = [_SAINTS.get(word, word) for word in words]
    return "".join(full[1:] if len(full) > 1 and full[0] in _ARTICLES else full)


def _commune_key(name: str) -> str:
    """`_join`, for the name of a commune as it stands in an address."""
    plain = normalise(name).replace("s/", "sur ")
    words = " ".join(_WORDS.findall(plain))
    words = re.sub(r"^[0-9]{5} ", "", _CEDEX.split(words)[0].strip())
    return _join(_ARRONDISSEMENT.sub("", words).split())


def _candidates_by_prefix(code: str) -> tuple[str, ...]:
    if shared := _SHARED_PREFIXES.get(code[:3]):
        return shared
    overseas = code.startswith(("97", "98"))
    prefix = _CORSICA.get(code[:3]) or (code[:3] if overseas else code[:2])
    return (prefix,) if prefix in departments() else ()


def _only(found: frozenset[str]) -> str | None:
    return next(iter(found)) if len(found) == 1 else None


@cache
def _names_at(code: str) -> Mapping[str, frozenset[str]]:
    """The départements of each name at a postal code that several share."""
    shared = _index().shared_codes[code]
    return _by_key((name, department) for department, names in shared.items() for name in names)


@cache
def _names_in(candidates: tuple[str, ...]) -> Mapping[str, frozenset[str]]:
    """The départements of each name of a commune of `candidates`."""
    return _by_key(
        (commune.name, commune.department)
        for found in communes().values()
        for commune in found
        if commune.department in candidates
    )


def _by_key(named: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for name, department in named:
        found[_commune_key(name)].add(department)
    return {key: frozenset(codes) for key, codes in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    """`territory.json` as it is asked."""

    departments: Mapping[str, Department]
    regions: Mapping[str, Region]
    names: Mapping[str, str]
    moved_communes: Mapping[str, str]
    postal_codes: Mapping[str, tuple[str, ...]]
    shared_codes: Mapping[str, Mapping[str, list[str]]]


@cache
def _index() -> _Index:
    content: _Content = json.loads(files("routing.data").joinpath("territory.json").read_bytes())
    named = {
        code: Department(code, row["name"], row["region"])
        for code, row in content["departments"].items()
    }
    return _Index(
        departments=MappingProxyType(named),
        regions=MappingProxyType({c: Region(c, name) for c, name in content["regions"].items()}),
        names={_join(_WORDS.findall(normalise(d.name))): d.code for d in named.values()},
        moved_communes=content["moved_communes"] | _FORMER_INSEE,
        postal_codes=_departments_of_codes(content["postal_codes"]),
        shared_codes=content["shared_codes"],
    )


def _departments_of_codes(listed: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for department, codes in listed.items():
        for code in codes.split(" "):
            found[code] = (*found.get(code, ()), department)
    return found


def _commune_lines() -> list[str]:
    packed = files("routing.data").joinpath("communes.tsv.gz").read_bytes()
    return gzip.decompress(packed).decode().splitlines()[1:]
