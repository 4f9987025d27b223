"""A simulated dossier as TPS wrote it, in the shape of 2018 and in that of 2021.

The document of a form is laid out once with gaps; a request only fills the gaps, so
that the simulator costs a benchmark less than what it measures.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

import orjson

from simulator.dossier import SimulatedDossier
from simulator.form import STUDENT
from simulator.people import Person, person

CONTRACT_TYPE = "Type de contrat"
NATIONALITY = "Nationalité"
PERMIT_DEPARTMENT = "Département qui figure sur le titre de séjour"
POSTAL_CODE = "Code postal de résidence en France"
COMMUNE = "Commune de résidence en France"

PARIS = ZoneInfo("Europe/Paris")


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
        renamed: for the id of a form (None: any) and a label, the label that stands instead.
    """

    era: Era
    paris: bool = False
    renamed: tuple[tuple[int | None, str, str], ...] = ()

    def instant(self, moment: datetime) -> str:
        """`moment` as this server writes it."""
        if self.paris:
            return moment.astimezone(PARIS).isoformat(timespec="milliseconds")
        plain = moment.astimezone(UTC).replace(tzinfo=None)
        return plain.isoformat(timespec="milliseconds") + "Z"

    def label(self, procedure: int, label: str) -> str:
        """The label as it stands in the form `procedure`."""
        for where, old, new in self.renamed:
            if old == label and where in {None, procedure}:
                return new
        return label


def detail(dossier: SimulatedDossier, style: Style) -> bytes:
    """The answer to a GET of a dossier."""
    if dossier.body is not None:
        return dossier.body
    layout = _layout(dossier.form.procedure, dossier.form.kind, style)
    plain = layout.fill(_gaps(dossier, style))
    return _altered(plain, dossier, style) if dossier.values or dossier.defect else plain


def row(dossier: SimulatedDossier, style: Style) -> bytes:
    """The row of a dossier in a list."""
    state = f',"state":"{dossier.state}"' if style.era is Era.Y2021 else ""
    changed, filed = style.instant(dossier.changed_at), style.instant(dossier.filed_at)
    return (
        f'{{"id":{dossier.number},"updated_at":"{changed}","initiated_at":"{filed}"{state}}}'
    ).encode()


def _gaps(dossier: SimulatedDossier, style: Style) -> dict[str, object]:
    worker, employer = person(dossier.number), person(dossier.number + 1_000_003)
    received, processed = dossier.received_at, dossier.processed_at
    return {
        "number": dossier.number,
        "created_at": style.instant(dossier.begun_at),
        "updated_at": style.instant(dossier.changed_at),
        "state": dossier.state.value,
        "initiated_at": style.instant(dossier.filed_at),
        "received_at": style.instant(received) if received else None,
        "processed_at": style.instant(processed) if processed else None,
        "siret": f"000{dossier.number % 1_000_000:06d}00018",
        "street": f"{1 + dossier.number % 98} rue du Modèle\r\n{dossier.work.postal_code} "
        f"{dossier.work.commune.upper()}\r\nFRANCE",
        "work_postal_code": dossier.work.postal_code,
        "work_commune": dossier.work.commune.upper(),
        "work_insee": dossier.work.insee,
        "message": f"Bonjour {worker.civility} {worker.surname}, nous avons reçu votre demande.",
        "commune": f"{dossier.home.commune} ",
        "postal_code": f"{dossier.home.postal_code} ",
        "contract": dossier.contract,
        "nationality": dossier.nationality,
        "permit_department": dossier.permit_department,
        "permit_number": f"FICTIF{dossier.number:09d}",
        "file": f"https://fichiers.example/{dossier.number}?signature={dossier.number * 7919:x}",
        **_of_person("worker", worker),
        **_of_person("employer", employer),
    }


def _of_person(prefix: str, who: Person) -> dict[str, object]:
    return {
        f"{prefix}_civility": who.civility,
        f"{prefix}_surname": who.surname,
        f"{prefix}_given": who.given,
        f"{prefix}_email": who.email,
        f"{prefix}_phone": who.phone,
        f"{prefix}_birth_date": who.birth_date,
        f"{prefix}_birth_place": who.birth_place,
        f"{prefix}_job": who.job,
    }


# Each field: label, type, and what stands in it: the name of a gap, or a value as it is.
_Field = tuple[str, str, "Gap | str | None"]


@dataclass(frozen=True, slots=True)
class Gap:
    """A place in a document that each dossier fills."""

    name: str


_WORKER: tuple[_Field, ...] = (
    ("Salarié", "header_section", None),
    (COMMUNE, "text", Gap("commune")),
    (POSTAL_CODE, "text", Gap("postal_code")),
    ("Civilité", "civilite", Gap("worker_civility")),
    ("Nom", "text", Gap("worker_surname")),
    ("Prénom", "text", Gap("worker_given")),
    (NATIONALITY, "pays", Gap("nationality")),
    ("Date de naissance", "date", Gap("worker_birth_date")),
    ("Lieu de naissance", "text", Gap("worker_birth_place")),
    ("E-mail", "email", Gap("worker_email")),
    ("Téléphone", "phone", Gap("worker_phone")),
    ("Demande", "drop_down_list", "Première demande"),
)

_PERMIT: tuple[_Field, ...] = (
    ("Référence de l’ancienne autorisation de travail", "text", ""),
    ("Document autorisant le séjour en France", "header_section", None),
    ("Numéro", "text", Gap("permit_number")),
    ("Date d’expiration", "date", "2027-09-30"),
    (PERMIT_DEPARTMENT, "drop_down_list", Gap("permit_department")),
    ("Délivré par", "text", "Préfecture"),
)

_EMPLOYER: tuple[_Field, ...] = (
    ("Employeur", "header_section", None),
    ("Nom de l'employeur", "text", Gap("employer_surname")),
    ("Prénom de l'employeur", "text", Gap("employer_given")),
    ("E-mail de l'employeur", "email", Gap("employer_email")),
    ("Téléphone de l'employeur", "phone", Gap("employer_phone")),
)

_CONTRACT: tuple[_Field, ...] = (
    ("Informations sur le contrat", "header_section", None),
    ("Emploi occupé", "text", Gap("worker_job")),
    ("Adresse ou l'étudiant va travailler", "textarea", Gap("street")),
    (CONTRACT_TYPE, "drop_down_list", Gap("contract")),
    ("Date de début", "date", "2026-10-01"),
    ("Date de fin", "date", "2027-09-31"),
    ("Nombre d'heures", "text", "18 heures/semaine"),
    ("Salaire brut", "text", "1200 euros/mois"),
)

_PRIVATE: tuple[_Field, ...] = (
    ("Date de début APT", "date", "2026-10-013"),
    ("Date de fin APT", "date", ""),
    ("Cadre réservé à l'administration", "textarea", ""),
)


def _fields_of(kind: str) -> tuple[_Field, ...]:
    """A worker who is still abroad has no residence permit."""
    if kind == STUDENT or kind.startswith("changement"):
        return (*_WORKER, *_PERMIT, *_EMPLOYER, *_CONTRACT)
    return (*_WORKER[3:], *_EMPLOYER, *_CONTRACT)


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
def _layout(procedure: int, kind: str, style: Style) -> _Layout:
    document = orjson.dumps(
        _document(procedure, kind, style),
        default=_placeholder,
        option=orjson.OPT_PASSTHROUGH_DATACLASS,
    )
    pieces = _GAP.split(document)
    return _Layout(tuple(pieces[0::2]), tuple(name.decode() for name in pieces[1::2]))


def _placeholder(gap: object) -> str:
    if not isinstance(gap, Gap):
        raise TypeError("only gaps stand for values in a layout")
    return f"@gap:{gap.name}@"


def _document(procedure: int, kind: str, style: Style) -> dict[str, object]:
    modern = style.era is Era.Y2021
    agents = "instructeurs" if modern else "accompagnateurs"
    return {
        "dossier": {
            "id": Gap("number"),
            "created_at": Gap("created_at"),
            "updated_at": Gap("updated_at"),
            "archived": False,
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
            "champs_private": _champs(_PRIVATE, procedure, style, first=500),
            "pieces_justificatives": [_file(index) for index in range(4)],
            "types_de_piece_justificative": [_kind_of_file(index) for index in range(4)],
            "champs": _champs(_fields_of(kind), procedure, style, first=0),
        }
    }


def _champs(
    fields: tuple[_Field, ...], procedure: int, style: Style, *, first: int
) -> list[dict[str, object]]:
    placed = style.era is Era.Y2018
    return [
        {
            "value": value,
            "type_de_champ": {
                "id": procedure * 1000 + first + index,
                "libelle": style.label(procedure, label),
                "type_champ": kind,
                "order_place": index if placed else -1,
                "description": "Ce champ est celui d'un formulaire d'essai.",
            },
        }
        for index, (label, kind, value) in enumerate(fields)
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


def _altered(plain: bytes, dossier: SimulatedDossier, style: Style) -> bytes:
    """The document with the dossier's own values and its defect."""
    document = orjson.loads(plain)
    labels = {
        style.label(dossier.form.procedure, label): value for label, value in dossier.values.items()
    }
    for entry in document["dossier"]["champs"]:
        label = entry["type_de_champ"]["libelle"]
        entry["value"] = labels.get(label, entry["value"])
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
DEFECTS = tuple(_DEFECTS)
"""Promises of the protocol that a dossier can break."""
