"""The document of a rule set: canonical JSON, known by its hash, compiled into a `RuleSet`.

Two configurations that mean the same have the same document, whatever their comments,
their layout and the order of what has none.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import time
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from config.channel_entries import ChannelEntry
from config.condition_schema import Choice, ConditionEntry
from config.entry import Entry
from config.loader import Configuration
from config.schema import (
    DigestEntry,
    KindEntry,
    PermitTypeEntry,
    ProcedureEntry,
    ReasonEntry,
    RecognitionEntry,
    RuleEntry,
    UnitEntry,
)
from config.values import UnitCode
from connectors.channels import CHANNELS
from routing.conditions import ALWAYS, AllOf, AnyOf, Attribute, Condition, Filed, Not, OneOf
from routing.forms import Form, PermitType, Recognition
from routing.reasons import SHIPPED
from routing.ruleset import Rule, RuleSet
from routing.units import Digest, DigestDays, Unit, UnitChannel

_UNORDERED = frozenset({"in", "not", "departments", "kinds", "equals", "contains", "inform"})


class Document(Entry):
    """All that a rule set is made of."""

    format: Literal[1] = 1
    fallback: UnitCode
    units: list[UnitEntry]
    kinds: list[KindEntry]
    procedures: list[ProcedureEntry]
    permit_types: list[PermitTypeEntry]
    rules: Annotated[list[RuleEntry], Field(min_length=1)]
    reasons: list[ReasonEntry] = Field(default=[])


_DOCUMENTS = TypeAdapter(Document)


def document_of(configuration: Configuration) -> Document:
    """The document of a configuration without mistakes."""
    return Document.model_construct(
        fallback=configuration.fallback or "",
        units=[placed.entry for placed in configuration.units],
        kinds=[placed.entry for placed in configuration.kinds],
        procedures=[placed.entry for placed in configuration.procedures],
        permit_types=[placed.entry for placed in configuration.permit_types],
        rules=[placed.entry for placed in configuration.rules],
        reasons=[placed.entry for placed in configuration.reasons],
    )


def write_document(document: Document) -> str:
    """`document` as canonical JSON."""
    content = document.model_dump(mode="json", by_alias=True, exclude_none=True)
    if not content["reasons"]:
        # So that a rule set without any keeps the hash that it always had.
        del content["reasons"]
    content["units"].sort(key=lambda unit: unit["code"])
    content["kinds"].sort(key=lambda kind: kind["code"])
    content["procedures"].sort(key=lambda procedure: procedure["id"])
    return json.dumps(_in_order(content), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def document_hash(document: str) -> str:
    """SHA-256 (hex) of the document's bytes."""
    return hashlib.sha256(document.encode()).hexdigest()


@lru_cache(maxsize=4)
def compile_document(document: str) -> RuleSet:
    """The rule set that a document describes; the last few are kept.

    Raises:
        pydantic.ValidationError: it is not the document of a checked configuration.
    """
    content = _DOCUMENTS.validate_json(document)
    return compile_entries(content, document_hash(document))


def compile_entries(content: Document, content_hash: str) -> RuleSet:
    """The rule set of a document that has been read."""
    kinds = {kind.code: kind for kind in content.kinds}
    return RuleSet(
        hash=content_hash,
        units={unit.code: _unit(unit) for unit in content.units},
        forms={entry.id: _form(entry, kinds[entry.kind]) for entry in content.procedures},
        permit_types=tuple(map(compile_permit_type, content.permit_types)),
        rules=tuple(map(compile_rule, content.rules)),
        fallback=content.fallback,
        reasons={each.code: each.label for each in content.reasons} or SHIPPED,
    )


def compile_rule(entry: RuleEntry) -> Rule:
    """The rule of an entry."""
    return Rule(
        id=entry.id,
        why=entry.why,
        when=compile_condition(entry.when),
        send_to=tuple(entry.send_to),
        article=entry.article,
        valid_from=entry.valid_from,
        valid_before=entry.valid_before,
        inform=tuple(entry.inform or ()),
        notify=entry.notify,
    )


def compile_permit_type(entry: PermitTypeEntry) -> PermitType:
    """The permit type of an entry."""
    return PermitType(
        code=entry.code,
        label=entry.label,
        competence=entry.competence,
        recognition=_recognition(entry.recognised_by),
    )


def compile_condition(entry: ConditionEntry) -> Condition:
    """The condition of an entry, of whose keys all must hold."""
    parts = tuple(_parts(entry))
    if not parts:
        return ALWAYS
    return parts[0] if len(parts) == 1 else AllOf(parts)


def _parts(entry: ConditionEntry) -> Iterator[Condition]:
    for attribute in Attribute:
        choice: Choice[Any] | None = getattr(entry, attribute.value)
        if choice is not None:
            yield _choice(attribute, choice)
    if entry.filed is not None:
        yield Filed(entry.filed.from_, entry.filed.before)
    if entry.all_ is not None:
        yield AllOf(tuple(map(compile_condition, entry.all_)))
    if entry.any_ is not None:
        yield AnyOf(tuple(map(compile_condition, entry.any_)))
    if entry.not_ is not None:
        yield Not(compile_condition(entry.not_))


def _choice(attribute: Attribute, choice: Choice[Any]) -> Condition:
    if choice.in_ is not None:
        return OneOf(attribute, frozenset(choice.in_))
    return Not(OneOf(attribute, frozenset(choice.not_ or ())))


def _digest(entry: DigestEntry | None) -> Digest | None:
    if entry is None:
        return None
    times = sorted({time.fromisoformat(each) for each in entry.at})
    every_day = entry.days is DigestDays.ALL
    return Digest(tuple(times), every_day=every_day, on_request=bool(entry.on_request))


def _channel(entry: ChannelEntry) -> UnitChannel:
    return UnitChannel(entry.kind, entry.address, CHANNELS[entry.kind].carries_many)


def _unit(entry: UnitEntry) -> Unit:
    return Unit(
        code=entry.code,
        name=entry.name,
        departments=tuple(entry.departments),
        channels=tuple(_channel(each) for each in entry.channels),
        opens=entry.opens,
        closes=entry.closes,
        successor=entry.successor,
        contact=entry.contact,
        digest=_digest(entry.digest),
        escalate_to=entry.escalate_to,
    )


def _form(entry: ProcedureEntry, kind: KindEntry) -> Form:
    labels = {field: tuple(labels) for field, labels in (kind.fields | entry.fields).items()}
    return Form(
        procedure=entry.id,
        department=entry.department,
        kind=entry.kind,
        filer=entry.filer,
        competence=kind.competence,
        labels=labels,
        field_ids=dict(entry.field_ids),
        notify_since=entry.notify_since,
        api=entry.api,
        name=kind.label,
    )


def _recognition(entry: RecognitionEntry) -> Recognition:
    return Recognition(
        kinds=frozenset(entry.kinds),
        field=entry.field,
        equals=tuple(entry.equals or ()),
        contains=tuple(entry.contains or ()),
    )


def _in_order(value: Any, key: str = "") -> Any:  # noqa: ANN401
    """`value` with every list whose order means nothing sorted, and without repetitions."""
    if isinstance(value, dict):
        return {name: _in_order(item, name) for name, item in value.items()}
    if not isinstance(value, list):
        return value
    items = [_in_order(item) for item in value]
    if key in _UNORDERED and not any(isinstance(item, dict) for item in items):
        return sorted(set(items))
    return items
