"""The documents that are sent, each static and in a file beside this module.

All that is selected of TPS stands in these files and nowhere else; a test holds each against
the list of fields that carry nobody's personal data.
"""

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Document:
    """A document and the name of the operation of it that is meant."""

    operation: str
    text: str


def _document(operation: str, *files: str) -> Document:
    texts = [(HERE / f"{name}.graphql").read_text(encoding="utf-8") for name in files]
    return Document(operation, "\n".join(texts))


def _routed(operation: str, file: str) -> dict[bool, Document]:
    """A query of dossiers, by whether the establishment is needed."""
    return {
        False: _document(operation, file, "dossier_by_residence", "answer"),
        True: _document(operation, file, "dossier_by_establishment", "answer"),
    }


PAGE = _routed("DossierPage", "page")
DOSSIER = _routed("OneDossier", "dossier")
NUMBERS = _document("DossierNumbers", "numbers")
FORM = _document("FormFields", "form", "fields_of_revision")
DOSSIER_FORM = _document("FormFieldsOfDossier", "dossier_form", "fields_of_revision")
PROCEDURE = _document("Procedure", "procedure")

GROUPS = _document("Groups", "groups")
DOSSIER_GROUP = _document("DossierGroup", "groups")
MOVE = _document("MoveDossier", "groups")
ANSWERS = _document("Answers", "groups")

ALL = (
    *(*PAGE.values(), *DOSSIER.values(), NUMBERS, FORM, DOSSIER_FORM, PROCEDURE),
    *(GROUPS, DOSSIER_GROUP, MOVE, ANSWERS),
)
"""Every document that the connector can send."""
