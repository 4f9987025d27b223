"""Finding the fields that routing reads among those of a form, by label or by configured id."""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from rapidfuzz import fuzz

from connectors.tps.errors import MalformedReason
from connectors.tps.json_checks import MalformedJson, a_list, an_object
from routing.form_fields import FieldMismatch, FormField
from routing.forms import Field, Form
from routing.text import normalise

MOST_FIELDS = 2000
"""Of a form: a server that says more is not believed."""

LIKELY, MOST_LIKELY = 60, 3
"""Of a hundred, how much alike two labels are that may be the same field; how many are shown."""

_NO_ANSWER = frozenset(
    {"HeaderSectionChampDescriptor", "ExplicationChampDescriptor", "RepetitionChampDescriptor"}
)
"""Types that hold no answer of their own: a heading may well read as the field below it."""

_ADDRESS = "AddressChampDescriptor"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A field as the form describes it.

    Attributes:
        id: opaque.
        label: what people read above it.
        kind: its type, in the server's words.
    """

    id: str
    label: str
    kind: str

    @property
    def answerable(self) -> bool:
        """Whether an answer can stand in it."""
        return self.kind not in _NO_ANSWER


@dataclass(frozen=True, slots=True)
class FormRevision:
    """A published state of a form."""

    id: str
    descriptors: tuple[Descriptor, ...]


@dataclass(frozen=True, slots=True)
class FoundFields:
    """The fields that routing reads, as one revision has them.

    Attributes:
        revision: id of the revision.
        ids: by field.
        addresses: whether one of them is an address.
        mismatch: fields that cannot be told, and why.
    """

    revision: str
    ids: Mapping[Field, str]
    addresses: bool
    mismatch: Mapping[Field, FieldMismatch]


def revision_of(value: object) -> FormRevision:
    """A revision with its fields.

    Raises:
        MalformedJson: it is not what the protocol promises.
    """
    revision = an_object(value, MalformedReason.REVISION)
    listed = a_list(revision.get("champDescriptors"), MalformedReason.FIELDS)
    return FormRevision(
        text_of(revision.get("id")), tuple(_descriptor(each) for each in listed[:MOST_FIELDS])
    )


def find(form: Form, revision: FormRevision) -> FoundFields:
    """Where the fields of `form` stand in a revision.

    A configured id wins over labels. A label that stands twice is as good as none: which of
    the two decides cannot be told.
    """
    candidates = {field: _candidates(form, field, revision) for field in wanted(form)}
    found = {field: each[0] for field, each in candidates.items() if len(each) == 1}
    return FoundFields(
        revision=revision.id,
        ids={field: descriptor.id for field, descriptor in found.items()},
        addresses=any(descriptor.kind == _ADDRESS for descriptor in found.values()),
        mismatch={
            field: FieldMismatch.AMBIGUOUS if each else FieldMismatch.MISSING
            for field, each in candidates.items()
            if len(each) != 1
        },
    )


def find_in_older(form: Form, revision: FormRevision, today: Mapping[Field, str]) -> FoundFields:
    """Where the fields stand in the revision with which an older dossier was filed.

    A field that stands there by the id that it has today is the same, whatever its label was.
    """
    there = {descriptor.id: descriptor for descriptor in revision.descriptors}
    found = find(form, revision)
    same = {field: each for field, each in today.items() if each in there}
    ids = {**found.ids, **same}
    kinds = {there[each].kind for each in ids.values() if each in there}
    return FoundFields(revision.id, ids, _ADDRESS in kinds, {})


def described(form: Form, revision: FormRevision) -> tuple[FormField, ...]:
    """The fields of `form` in a revision, for a person to look at."""
    found = find(form, revision)
    labels = {descriptor.id: descriptor.label for descriptor in revision.descriptors}
    taken = {normalise(labels[each]) for each in found.ids.values()}
    free = [
        each.label
        for each in revision.descriptors
        if each.answerable and normalise(each.label) not in taken
    ]
    return tuple(
        FormField(
            field=field,
            labels=form.labels.get(field, ()),
            label=labels.get(found.ids.get(field, "")),
            id=found.ids.get(field),
            mismatch=found.mismatch.get(field),
            likely=_likely(form.labels.get(field, ()), free) if field in found.mismatch else (),
        )
        for field in wanted(form)
    )


def wanted(form: Form) -> tuple[Field, ...]:
    """The fields that the configuration names."""
    named = form.labels.keys() | form.field_ids.keys()
    return tuple(field for field in Field if field in named)


def wanted_digest(form: Form) -> str:
    """Of what the configuration says of fields: found ids are those of this configuration."""
    said = [
        (field.value, form.labels.get(field, ()), form.field_ids.get(field))
        for field in wanted(form)
    ]
    return sha256(repr(said).encode()).hexdigest()[:16]


def global_id(configured: str) -> str:
    """The id of a field as v2 writes it; a bare number is the one that v1 knows."""
    bare = configured.strip()
    return b64encode(f"Champ-{bare}".encode()).decode() if bare.isdigit() else bare


def text_of(value: object) -> str:
    """A text that must be there.

    Raises:
        MalformedJson: it is not.
    """
    if not isinstance(value, str) or not value:
        raise MalformedJson(MalformedReason.FIELD)
    return value


def _descriptor(value: object) -> Descriptor:
    given = an_object(value, MalformedReason.FIELD)
    label = given.get("label")
    kind = given.get("__typename")
    return Descriptor(
        text_of(given.get("id")),
        label if isinstance(label, str) else "",
        kind if isinstance(kind, str) else "",
    )


def _candidates(form: Form, field: Field, revision: FormRevision) -> Sequence[Descriptor]:
    given = form.field_ids.get(field)
    if given is not None:
        return _distinct(each for each in revision.descriptors if each.id == global_id(given))
    labels = {normalise(label) for label in form.labels.get(field, ())}
    return _distinct(
        each for each in revision.descriptors if each.answerable and normalise(each.label) in labels
    )


def _likely(labels: Sequence[str], free: Sequence[str]) -> tuple[str, ...]:
    """The labels of `free` that read most like one of `labels`."""
    scores = {
        other: max(fuzz.token_set_ratio(normalise(label), normalise(other)) for label in labels)
        for other in free
        if labels
    }
    near = [other for other, score in scores.items() if score >= LIKELY]
    return tuple(sorted(near, key=lambda other: -scores[other])[:MOST_LIKELY])


def _distinct(found: Iterable[Descriptor]) -> Sequence[Descriptor]:
    return list({each.id: each for each in found}.values())
