"""The answers of a dossier, each by its type, as the text that routing compares."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from connectors.tps.errors import MalformedReason
from connectors.tps.json_checks import a_list, an_object, is_object
from connectors.tps.values import joined, texts
from routing.classification import Answers
from routing.forms import Field

_Object = Mapping[str, object]


def answers_of(dossier: _Object, fields: Iterable[Field]) -> Answers:
    """What a dossier says in each field, and of its employer's establishment where asked for.

    Raises:
        MalformedJson: an answer is not what the protocol promises.
    """
    values = {field: _value(dossier.get(field.value), field) for field in fields}
    address = _establishment(dossier.get("demandeur"))
    return Answers(
        values,
        establishment_insee=_text(address.get("cityCode")),
        establishment_postal_code=_text(address.get("postalCode")),
    )


def is_absent(dossier: _Object, field: Field) -> bool:
    """Whether a dossier has no such field at all: a blank one it would have."""
    return not dossier.get(field.value)


def _value(champs: object, field: Field) -> str:
    found = [an_object(each, MalformedReason.FIELD) for each in a_list(champs, _FIELDS)]
    return joined([text for champ in found for text in texts(_typed(champ, field), field)])


_FIELDS = MalformedReason.FIELDS


def _typed(champ: _Object, field: Field) -> object:
    """The value of a champ; by its text where its type says no more, or is not known."""
    read = _READERS.get(str(champ.get("__typename")))
    value = read(champ, field) if read else None
    return champ.get("stringValue") if value is None else value


def _number(champ: _Object, _: Field) -> object:
    """A number loses its leading zeros, and gets them back as a number does in v1."""
    text = champ.get("stringValue")
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else None


def _department(champ: _Object, field: Field) -> object:
    found = _within(champ, "departement")
    code, name = _text(found.get("code")), _text(found.get("name"))
    if field is not Field.RESIDENCE_PERMIT_DEPARTMENT or not code:
        return None
    return f"{code} - {name}" if name else code


def _region(champ: _Object, _: Field) -> object:
    return _text(_within(champ, "region").get("name"))


def _country(champ: _Object, _: Field) -> object:
    return _text(_within(champ, "pays").get("name"))


def _commune(champ: _Object, field: Field) -> object:
    commune = _within(champ, "commune")
    return _place(
        field,
        department=_within(champ, "departement").get("code"),
        postal_code=commune.get("postalCode"),
        commune=commune.get("name"),
    )


def _address(champ: _Object, field: Field) -> object:
    address = _within(champ, "address")
    found = _place(
        field,
        department=address.get("departmentCode"),
        postal_code=address.get("postalCode"),
        commune=address.get("cityName"),
    )
    # Never the whole address, which may be a person's home.
    return found or ""


def _place(field: Field, *, department: object, postal_code: object, commune: object) -> str | None:
    parts = {
        Field.RESIDENCE_PERMIT_DEPARTMENT: department,
        Field.RESIDENCE_POSTAL_CODE: postal_code,
        Field.RESIDENCE_COMMUNE: commune,
    }
    return _text(parts.get(field))


def _choices(champ: _Object, _: Field) -> object:
    return champ.get("values") or None


def _linked(champ: _Object, _: Field) -> object:
    both = [champ.get("primaryValue"), champ.get("secondaryValue")]
    return [each for each in both if each] or None


_READERS: Mapping[str, Callable[[_Object, Field], object]] = {
    "IntegerNumberChamp": _number,
    "DepartementChamp": _department,
    "RegionChamp": _region,
    "PaysChamp": _country,
    "CommuneChamp": _commune,
    "AddressChamp": _address,
    "MultipleDropDownListChamp": _choices,
    "LinkedDropDownListChamp": _linked,
}


def _establishment(demandeur: object) -> _Object:
    """The address of an establishment; a person who files has none that is asked for."""
    if demandeur is None:
        return {}
    return _within(an_object(demandeur, MalformedReason.ESTABLISHMENT), "address")


def _within(value: _Object, key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if is_object(found) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
