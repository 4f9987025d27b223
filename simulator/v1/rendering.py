"""A simulated dossier as TPS wrote it, in the shape of 2018 and in that of 2021.

The document of a form is laid out once with gaps; a request only fills the gaps, so
that the simulator costs a benchmark less than what it measures.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

import orjson

from routing.calendar import PARIS
from simulator.dossier import SimulatedDossier
from simulator.fields import Gap, PlacedField, answers, placed_fields
from simulator.people import person
from simulator.state import Revision


class Era(StrEnum):
    """Which TPS is simulated."""

    Y2018 = "2018"
    """From March 2018: pages up to 1000, no order, no state in lists, `accompagnateurs`."""
    Y2021 = "2021"
    """Lists sorted by deposit, `order=desc`, `state` in lists, `instructeurs`, no places."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a server writes.

    Attributes:
        era: its era.
        paris: write instants with the offset of Paris instead of `Z`.
    """

    era: Era
    paris: bool = False

    def instant(self, moment: datetime) -> str:
        """`moment` as this server writes it."""
        if self.paris:
            return moment.astimezone(PARIS).isoformat(timespec="milliseconds")
        plain = moment.astimezone(UTC).replace(tzinfo=None)
        return plain.isoformat(timespec="milliseconds") + "Z"


def detail(dossier: SimulatedDossier, style: Style, revision: Revision) -> bytes:
    """The answer to a GET of a dossier whose form looks like `revision`."""
    if dossier.body is not None:
        return dossier.body
    layout = _layout(dossier.form.procedure, dossier.form.kind, style, revision)
    plain = layout.fill(_gaps(dossier, style))
    return _altered(plain, dossier, revision) if dossier.values or dossier.defect else plain


def row(dossier: SimulatedDossier, style: Style) -> bytes:
    """The row of a dossier in a list."""
    state = f',"state":"{dossier.state}"' if style.era is Era.Y2021 else ""
    changed, filed = style.instant(dossier.changed_at), style.instant(dossier.filed_at)
    return (
        f'{{"id":{dossier.number},"updated_at":"{changed}","initiated_at":"{filed}"{state}}}'
    ).encode()


def _gaps(dossier: SimulatedDossier, style: Style) -> dict[str, object]:
    worker = person(dossier.number)
    received, processed = dossier.received_at, dossier.processed_at
    return {
        "number": dossier.number,
        "created_at": style.instant(dossier.begun_at),
        "updated_at": style.instant(dossier.changed_at),
        "state": dossier.state.value,
        "archived": dossier.archived,
        "initiated_at": style.instant(dossier.filed_at),
        "received_at": style.instant(received) if received else None,
        "processed_at": style.instant(processed) if processed else None,
        "siret": f"000{dossier.number % 1_000_000:06d}00018",
        "work_postal_code": dossier.work.postal_code,
        "work_commune": dossier.work.commune.upper(),
        "work_insee": dossier.work.insee,
        "message": f"Bonjour {worker.civility} {worker.surname}, nous avons reçu votre demande.",
        "file": f"https://fichiers.example/{dossier.number}?signature={dossier.number * 7919:x}",
        **answers(dossier),
    }


@dataclass(frozen=True, slots=True)
class _Layout:
    """A document as static bytes with gaps between them."""

    static: tuple[bytes, ...]
    names: tuple[str, ...]

    def fill(self, values: Mapping[str, object]) -> bytes:
        parts = [b""] * (2 * len(self.names) + 1)
        parts[0::2] = self.static
        parts[1::2] = [orjson.dumps(values[name]) for name in self.names]
        return b"".join(parts)


_GAP = re.compile(rb'"@gap:(\w+)@"')


@lru_cache(maxsize=1024)
def _layout(procedure: int, kind: str, style: Style, revision: Revision) -> _Layout:
    document = orjson.dumps(
        _document(procedure, kind, style, revision),
        default=_placeholder,
        option=orjson.OPT_PASSTHROUGH_DATACLASS,
    )
    pieces = _GAP.split(document)
    return _Layout(tuple(pieces[0::2]), tuple(name.decode() for name in pieces[1::2]))


def _placeholder(gap: object) -> str:
    if not isinstance(gap, Gap):
        raise TypeError("only gaps stand for values in a layout")
    return f"@gap:{gap.name}@"


def _document(procedure: int, kind: str, style: Style, revision: Revision) -> dict[str, object]:
    modern = style.era is Era.Y2021
    agents = "instructeurs" if modern else "accompagnateurs"
    fields = placed_fields(procedure, kind, revision)
    private = placed_fields(procedure, kind, revision, private=True)
    return {
        "dossier": {
            "id": Gap("number"),
            "created_at": Gap("created_at"),
            "updated_at": Gap("updated_at"),
            "archived": Gap("archived"),
            "email": Gap("worker_email"),
            "state": Gap("state"),
            "simplified_state": "En construction",
            "initiated_at": Gap("initiated_at"),
            "received_at": Gap("received_at"),
            "processed_at": Gap("processed_at"),
            "motivation": None,
            agents: ["agent@bureau.example"],
            **({"groupe_instructeur": {"id": 1, "label": "défaut"}} if modern else {}),
            "individual": None,
            "entreprise": _company(),
            "etablissement": _establishment(),
            "cerfa": [],
            "commentaires": [_comment()],
            "champs_private": _champs(private, style),
            "pieces_justificatives": [_file(index) for index in range(4)],
            "types_de_piece_justificative": [_kind_of_file(index) for index in range(4)],
            "champs": _champs(fields, style),
        }
    }


def _champs(fields: Sequence[PlacedField], style: Style) -> list[dict[str, object]]:
    placed = style.era is Era.Y2018
    return [
        {
            "value": each.field.value,
            "type_de_champ": {
                "id": each.id,
                "libelle": each.label,
                "type_champ": each.kind,
                "order_place": index if placed else -1,
                "description": "Ce champ est celui d'un formulaire d'essai.",
            },
        }
        for index, each in enumerate(fields)
    ]


def _company() -> dict[str, object]:
    return {
        "siren": "000000000",
        "capital_social": 1000,
        "numero_tva_intracommunautaire": None,
        "forme_juridique": "Société fictive",
        "forme_juridique_code": "5599",
        "nom_commercial": Gap("employer_surname"),
        "raison_sociale": Gap("employer_surname"),
        "siret_siege_social": Gap("siret"),
        "code_effectif_entreprise": "01",
        "date_creation": "2001-01-01T00:00:00.000+00:00",
        "nom": Gap("employer_surname"),
        "prenom": Gap("employer_given"),
    }


def _establishment() -> dict[str, object]:
    return {
        "siret": Gap("siret"),
        "siege_social": True,
        "naf": "0000Z",
        "libelle_naf": "Activités d'essai",
        "adresse": Gap("street"),
        "numero_voie": "1",
        "type_voie": "RUE",
        "nom_voie": "DU MODELE",
        "complement_adresse": None,
        "code_postal": Gap("work_postal_code"),
        "localite": Gap("work_commune"),
        "code_insee_localite": Gap("work_insee"),
    }


def _comment() -> dict[str, object]:
    return {
        "email": "contact@tps.example",
        "body": Gap("message"),
        "created_at": Gap("initiated_at"),
        "attachment": None,
    }


def _file(index: int) -> dict[str, object]:
    return {
        "created_at": Gap("initiated_at"),
        "type_de_piece_justificative_id": 9000 + index,
        "content_url": Gap("file"),
        "user": {"email": Gap("worker_email")},
    }


def _kind_of_file(index: int) -> dict[str, object]:
    return {
        "id": 9000 + index,
        "libelle": f"Pièce d'essai {index + 1}",
        "description": "",
        "order_place": index,
        "lien_demarche": "",
    }


def _altered(plain: bytes, dossier: SimulatedDossier, revision: Revision) -> bytes:
    """The document with the dossier's own values and its defect."""
    document = orjson.loads(plain)
    fields = placed_fields(dossier.form.procedure, dossier.form.kind, revision)
    for entry, each in zip(document["dossier"]["champs"], fields, strict=True):
        entry["value"] = dossier.values.get(each.field.label, entry["value"])
    if dossier.defect:
        _DEFECTS[dossier.defect](document)
    return orjson.dumps(document)


def _broken(key: str, value: object) -> Callable[[dict[str, dict[str, object]]], None]:
    def break_(document: dict[str, dict[str, object]]) -> None:
        document["dossier"][key] = value

    return break_


def _undated(document: dict[str, dict[str, object]]) -> None:
    document["dossier"] |= {"initiated_at": "2018-09-013", "created_at": None}


def _rootless(document: dict[str, dict[str, object]]) -> None:
    document["error"] = document.pop("dossier")


_DEFECTS: dict[str, Callable[[dict[str, dict[str, object]]], None]] = {
    "id": _broken("id", "?"),
    "state": _broken("state", "perdu"),
    "initiated_at": _undated,
    "champs": _broken("champs", None),
    "etablissement": _broken("etablissement", "inconnu"),
    "dossier": _rootless,
}
