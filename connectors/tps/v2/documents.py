"""The queries that are sent: static documents, each a file beside this module.

Whatever is selected of TPS stands in these files and nowhere else; a test holds each against
the list of fields that carry nobody's personal data.
"""

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Document:
    """A query and the name of its operation."""

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

ALL = (*PAGE.values(), *DOSSIER.values(), NUMBERS, FORM, DOSSIER_FORM, PROCEDURE)
"""Every document that the connector can send."""
