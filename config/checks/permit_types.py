"""Permit types: each can be recognised, by what its forms really carry."""

from collections.abc import Iterator, Mapping

from config.diagnostics import Code, Diagnostic
from config.document import compile_permit_type
from config.loader import Configuration, Located
from config.messages import tr
from config.schema import KindEntry, PermitTypeEntry, RecognitionEntry
from routing.classification import Answers, classify
from routing.facts import Competence, Filer
from routing.forms import Field, Form, PermitType

Fields = Mapping[str, set[Field]]
"""For each kind of form, the fields that some procedure of it is read for."""

_RESIDENCE = frozenset({Field.RESIDENCE_PERMIT_DEPARTMENT, Field.RESIDENCE_POSTAL_CODE})


def check(configuration: Configuration) -> Iterator[Diagnostic]:
    """Everything that is wrong among the permit types, and with fields that nobody reads."""
    if "procedures.yaml" in configuration.sound:
        fields = _fields(configuration)
        for kind in configuration.kinds:
            yield from _residence(kind, fields)
        for permit_type in configuration.permit_types:
            yield from _on_forms(permit_type, fields, configuration)
    if "permit_types.yaml" in configuration.sound:
        yield from _taken(configuration)


def _fields(configuration: Configuration) -> Fields:
    found = {kind.entry.code: set(kind.entry.fields) for kind in configuration.kinds}
    for procedure in configuration.procedures:
        own = {*procedure.entry.fields, *procedure.entry.field_ids}
        found.setdefault(procedure.entry.kind, set()).update(own)
    return found


def _residence(kind: Located[KindEntry], fields: Fields) -> Iterator[Diagnostic]:
    """Where the residence decides, the form tells it."""
    decides = kind.entry.competence is Competence.RESIDENCE_PERMIT
    if decides and not fields[kind.entry.code] & _RESIDENCE:
        yield kind.mistake(
            Code.FIELD_NOT_ON_FORM,
            ["competence"],
            tr("needs a field for the residence, and `fields` has none"),
            tr("add `{field}` to `fields`", field=Field.RESIDENCE_PERMIT_DEPARTMENT),
        )


def _on_forms(
    permit_type: Located[PermitTypeEntry], fields: Fields, configuration: Configuration
) -> Iterator[Diagnostic]:
    entry = permit_type.entry
    field = entry.recognised_by.field
    abroad = {
        kind.entry.code
        for kind in configuration.kinds
        if kind.entry.competence is Competence.ESTABLISHMENT
        and not fields[kind.entry.code] & _RESIDENCE
    }
    for at, kind in enumerate(entry.recognised_by.kinds):
        if field is not None and kind in fields and field not in fields[kind]:
            yield permit_type.mistake(
                Code.FIELD_NOT_ON_FORM,
                ["recognised_by", "field"],
                tr("is no field of the kind `{kind}`", kind=kind),
                tr("add its label to `fields` in procedures.yaml"),
            )
        if entry.competence is Competence.RESIDENCE_PERMIT and kind in abroad:
            yield permit_type.mistake(
                Code.FIELD_NOT_ON_FORM,
                ["recognised_by", "kinds", at],
                tr("has no field for the residence, which decides for this permit type"),
                tr("add its label to `fields` in procedures.yaml"),
            )


def _taken(configuration: Configuration) -> Iterator[Diagnostic]:
    """What shows a permit type does not show an earlier one, which would take its dossiers."""
    types = [compile_permit_type(placed.entry) for placed in configuration.permit_types]
    kinds = [kind.entry.code for kind in configuration.kinds]
    for placed in configuration.permit_types:
        recognition = placed.entry.recognised_by
        for path, word in _words(recognition):
            values = {recognition.field: word} if recognition.field else {}
            shown = {_shown(kind, values, types) for kind in recognition.kinds or kinds}
            if shown and placed.entry.code not in shown:
                other = next(code for code in shown)
                message = tr("shows the permit type `{other}`, which comes first", other=other)
                yield placed.mistake(Code.RECOGNISED_TWICE, path, message, tr("change their order"))


def _words(recognition: RecognitionEntry) -> Iterator[tuple[list[str | int], str | None]]:
    """Each value that shows a type, with where it stands; None where the kind of form is enough."""
    if recognition.field is None:
        yield ["recognised_by", "kinds"], None
    elif not (recognition.equals and recognition.contains):
        for key, words in (("equals", recognition.equals), ("contains", recognition.contains)):
            for at, word in enumerate(words or ()):
                yield ["recognised_by", key, at], word


def _shown(kind: str, values: Mapping[Field, str | None], types: list[PermitType]) -> str | None:
    """The permit type that a dossier with nothing but `values` shows."""
    form = Form(
        procedure=0,
        department=None,
        kind=kind,
        filer=Filer.UNKNOWN,
        competence=Competence.ESTABLISHMENT,
        labels={},
    )
    return classify(form, Answers(values), types).permit_type
