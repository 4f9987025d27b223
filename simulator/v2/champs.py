"""The answers of a dossier (*champs*) as typed objects of v2."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from routing.territory import departments
from simulator.dossier import SimulatedDossier
from simulator.fields import PlacedField, code_and_name, placed_fields, value_of
from simulator.form import FieldPath
from simulator.state import Procedure
from simulator.v2.context import Context
from simulator.v2.ids import number_of, typed_id

TEXT = "TextChamp"

TYPES = {
    "header_section": "HeaderSectionChamp",
    "civilite": "CiviliteChamp",
    "date": "DateChamp",
    "integer_number": "IntegerNumberChamp",
    "decimal_number": "DecimalNumberChamp",
    "multiple_drop_down_list": "MultipleDropDownListChamp",
    "linked_drop_down_list": "LinkedDropDownListChamp",
    "drop_down_list": "DropDownListChamp",
    "departements": "DepartementChamp",
    "communes": "CommuneChamp",
    "address": "AddressChamp",
    "regions": "RegionChamp",
    "pays": "PaysChamp",
}
"""The type of a champ by the kind of its field; any other is text."""

ON_REQUEST = frozenset(
    {"CiviliteChamp", "DropDownListChamp", "DepartementChamp", "CommuneChamp", "AddressChamp"}
    | {"RegionChamp", "PaysChamp"}
)
"""Types that arrive as text unless the query has a fragment on them."""

DESCRIPTORS = {
    **{kind: f"{champ}Descriptor" for kind, champ in TYPES.items()},
    "textarea": "TextareaChampDescriptor",
    "email": "EmailChampDescriptor",
    "phone": "PhoneChampDescriptor",
}


def descriptor(field: PlacedField) -> dict[str, Any]:
    """What the form says of a field."""
    return {
        "__typename": DESCRIPTORS.get(field.kind, "TextChampDescriptor"),
        "id": typed_id("Champ", field.id),
        "label": field.label,
        "description": "Ce champ est celui d'un formulaire d'essai.",
        "required": True,
        "type": field.kind,
    }


def champs(
    context: Context,
    procedure: Procedure,
    dossier: SimulatedDossier,
    *,
    wanted: object = None,
    private: bool = False,
) -> list[dict[str, Any]]:
    """The champs of a dossier, or the one of an id; all where the id is blank."""
    form = procedure.form
    shown = procedure.shown(dossier)
    fields: Iterable[PlacedField] = placed_fields(form.procedure, form.kind, shown, private=private)
    if wanted:
        number = number_of(wanted, "Champ")
        fields = [field for field in fields if field.id == number]
    return [_champ(context, dossier, field) for field in fields]


def _champ(context: Context, dossier: SimulatedDossier, field: PlacedField) -> dict[str, Any]:
    kind = TYPES.get(field.kind, TEXT)
    if kind in ON_REQUEST and kind not in context.fragments:
        kind = TEXT
    value = value_of(dossier, field.field)
    more = _MORE.get(kind, _plain)
    return {
        "__typename": kind,
        "id": typed_id("Champ", field.id),
        "champDescriptorId": typed_id("Champ", field.id),
        "label": field.label,
        "stringValue": _text(value),
        "updatedAt": context.instant(dossier.changed_at),
        "prefilled": False,
        "columns": [],
        **more(value, dossier.home),
    }


def _text(value: object) -> str | None:
    """A value as v2 writes it for people; several choices come with commas."""
    choices = _choices(value)
    if choices is not None:
        return ", ".join(str(choice) for choice in choices if choice is not None)
    return None if value is None else str(value)


def _choices(value: object) -> list[object] | None:
    if isinstance(value, str) and value.startswith("["):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return None
    return value if isinstance(value, list) else None


def _plain(value: object, _: FieldPath) -> Mapping[str, Any]:
    return {"value": _text(value), "date": _text(value)}


def _department(value: object, _: FieldPath) -> Mapping[str, Any]:
    return {"departement": _coded(value)}


def _region(value: object, _: FieldPath) -> Mapping[str, Any]:
    return {"region": _coded(value)}


def _country(value: object, _: FieldPath) -> Mapping[str, Any]:
    return {"pays": {"code": "XX", "name": _text(value)} if value else None}


def _coded(value: object) -> Mapping[str, str] | None:
    found = code_and_name(_text(value) or "")
    return {"code": found[0], "name": found[1]} if found else None


def _commune(value: object, home: FieldPath) -> Mapping[str, Any]:
    if not value:
        return {"commune": None, "departement": None}
    return {
        "commune": {"code": home.insee, "name": home.commune, "postalCode": home.postal_code},
        "departement": {"code": home.department, "name": departments()[home.department].name},
    }


def _address(value: object, home: FieldPath) -> Mapping[str, Any]:
    address = {
        "label": f"1 rue du Modèle {home.postal_code} {home.commune}",
        "type": "housenumber",
        "streetAddress": "1 rue du Modèle",
        "cityName": home.commune,
        "cityCode": home.insee,
        "postalCode": home.postal_code,
        "departmentCode": home.department,
        "departmentName": departments()[home.department].name,
    }
    return {"address": address if value else None, **_commune(value, home)}


def _multiple(value: object, _: FieldPath) -> Mapping[str, Any]:
    chosen = _choices(value)
    choices = [value] if chosen is None else chosen
    return {"values": [str(choice) for choice in choices if choice]}


def _linked(value: object, _: FieldPath) -> Mapping[str, Any]:
    choices = _choices(value) or []
    primary, secondary = (*choices[:2], None, None)[:2]
    return {"primaryValue": primary, "secondaryValue": secondary}


_MORE: dict[str, Callable[[object, FieldPath], Mapping[str, Any]]] = {
    "DepartementChamp": _department,
    "RegionChamp": _region,
    "PaysChamp": _country,
    "CommuneChamp": _commune,
    "AddressChamp": _address,
    "MultipleDropDownListChamp": _multiple,
    "LinkedDropDownListChamp": _linked,
}
