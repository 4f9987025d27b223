"""The four files, read into entries that know where they stand.

An entry with a mistake is left out of the entries but its code stays known, so that the
checks between files neither stop at the first mistake nor repeat it.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Generic, TypeVar, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from config import proposals
from config.days import explained
from config.diagnostics import Code, Diagnostic, shorten
from config.entry import Entry
from config.foreign_messages import translated
from config.known_keys import key_proposal
from config.messages import tr
from config.names import REFERENCES, Names, takes_several
from config.schema import (
    FILES,
    KindEntry,
    PermitTypeEntry,
    ProcedureEntry,
    ReasonEntry,
    RuleEntry,
    UnitEntry,
)
from config.values import slug, unit_code
from config.yaml_slips import BLANKS, glued
from config.yaml_tree import (
    ListNode,
    MapNode,
    Node,
    Path_,
    ScalarNode,
    find,
    plain,
    read_tree,
    scalars,
)

E = TypeVar("E", bound=Entry)


@dataclass(frozen=True, slots=True)
class Located(Generic[E]):
    """An entry and where it stands."""

    entry: E
    file: str
    node: Node

    def mistake(
        self,
        code: Code,
        path: Path_,
        message: str,
        proposal: str | None = None,
        *,
        value: str | None = None,
        secret: bool = False,
    ) -> Diagnostic:
        """A mistake at `path` in this entry.

        Args:
            value: the scalar below `path` that begins with this text is meant.
            secret: what stands there is not repeated.
        """
        node = find(self.node, path)
        if value is not None:
            node = next((s for s in scalars(node) if s.text.startswith(value)), node)
        text = node.text if isinstance(node, ScalarNode) and not secret else ""
        return Diagnostic(
            file=self.file,
            line=node.line,
            column=node.column,
            code=code,
            text=shorten(text),
            message=message,
            proposal=proposal,
        )


_MISSING = Code.MISSING_KEY
_HARMLESS = frozenset(
    {
        Code.MAILBOX_MALFORMED,
        Code.MAILBOX_PERSONAL,
        Code.MAILBOX_PLACEHOLDER,
        Code.MAILBOX_DOMAIN_UNLIKE,
        Code.MAILBOX_TWICE,
        Code.MAILBOX_DISAGREES,
        Code.CHANNEL_ADDRESS,
        Code.CHANNEL_TWICE,
        Code.UNIT_CODE_DISAGREES,
        Code.UNIT_NAME_DISAGREES,
        Code.ESCALATES_TO_NOBODY,
        Code.CLOSED_UNIT_TARGETED,
        Code.RULE_NEVER_MATCHES,
        Code.RULE_DUPLICATE,
        Code.RULE_SHADOWED,
        Code.DIGEST_WITHOUT_TIMES,
    }
)
"""Mistakes in spite of which rules can be proved and examples be run."""


@dataclass(kw_only=True)
class Configuration:
    """What could be read of a directory.

    Attributes:
        production: whether it is going to be used for real.
        on: the day of the check.
        refused: entries with a mistake, each with its file.
        known: for each kind of thing, the codes that are defined, in wrong entries too.
        mistakes: what has been found wrong so far.
        warnings: what is a mistake only where it is going to be used for real.
        doubts: what may be meant otherwise, and is never a mistake.
        unreachable: ids of the rules that were proved to decide nothing.
    """

    directory: Path
    production: bool
    on: date
    units: list[Located[UnitEntry]] = field(default_factory=list)
    kinds: list[Located[KindEntry]] = field(default_factory=list)
    procedures: list[Located[ProcedureEntry]] = field(default_factory=list)
    permit_types: list[Located[PermitTypeEntry]] = field(default_factory=list)
    rules: list[Located[RuleEntry]] = field(default_factory=list)
    reasons: list[Located[ReasonEntry]] = field(default_factory=list)
    fallback: str | None = None
    trees: dict[str, Node] = field(default_factory=dict)
    refused: list[tuple[str, Node]] = field(default_factory=list)
    known: dict[str, set[str]] = field(default_factory=dict)
    mistakes: list[Diagnostic] = field(default_factory=list)
    warnings: list[Diagnostic] = field(default_factory=list)
    doubts: list[Diagnostic] = field(default_factory=list)
    unreachable: set[str] = field(default_factory=set)

    @property
    def sound(self) -> set[str]:
        """Names of the files that mean what they say, even where they hold mistakes."""
        wrong = {mistake.file for mistake in self.mistakes if mistake.code not in _HARMLESS}
        return {name for name in FILES if self.path(name) not in wrong}

    def add(self, mistakes: Iterable[Diagnostic]) -> None:
        """Notes mistakes. A value of which one is known has no second: the first led to it."""
        places = {mistake.place for mistake in self.mistakes if mistake.code is not _MISSING}
        for mistake in mistakes:
            if mistake.code is _MISSING:
                self.mistakes.append(mistake)
            elif mistake.place not in places:
                places.add(mistake.place)
                self.mistakes.append(mistake)

    def routing(self) -> Located[Entry]:
        """The file of the rules as a whole."""
        return Located(Entry(), self.path("routing.yaml"), self.trees["routing.yaml"])

    def path(self, name: str) -> str:
        """The path of one of the files, as it is shown."""
        return str(self.directory / name)


_CODES = {
    "units": "code",
    "kinds": "code",
    "procedures": "id",
    "permit_types": "code",
    "rules": "id",
    "reasons": "code",
}


def read(directory: Path, *, production: bool, on: date) -> Configuration:
    """Reads the four files of `directory`. Never raises for what they contain."""
    found = Configuration(directory=directory, production=production, on=on)
    for name in FILES:
        tree = read_tree(directory / name, found.mistakes)
        if tree is not None:
            found.trees[name] = tree
    refused = {name: _place(found, name, FILES[name]) for name in found.trees}
    if any(refused.values()):
        names = {name: Names.of(found.trees, name) for name in set(REFERENCES.values())}
        for name, details in refused.items():
            tree, file = found.trees[name], found.path(name)
            located = (_located(file, tree, detail, names) for detail in details)
            found.add(mistake for mistake in located if mistake is not None)
    return found


def _place(found: Configuration, name: str, model: type[Entry]) -> list[ErrorDetails]:
    """Adds what is right in a file, and the codes of everything, to `found`; returns the rest."""
    tree = found.trees[name]
    whole, refused = _whole(tree, model)
    for section, info in model.model_fields.items():
        if section == "fallback":
            node = find(tree, ["fallback"])
            found.fallback = node.text if isinstance(node, ScalarNode) else None
            continue
        items = find(tree, [section])
        if not isinstance(items, ListNode):
            continue
        found.known[section] = set(_codes(items.items, section))
        file = found.path(name)
        entries: Iterable[Located[Any]]
        if whole is not None:
            pairs = zip(getattr(whole, section), items.items, strict=True)
            entries = (Located(entry, file, node) for entry, node in pairs)
        else:
            adapter: TypeAdapter[Any] = TypeAdapter(get_args(info.annotation)[0])
            entries = list(_valid(items.items, adapter, file))
            valid = {id(each.node) for each in entries}
            found.refused += [(file, node) for node in items.items if id(node) not in valid]
        getattr(found, section).extend(entries)
    return refused


def _whole(tree: Node, model: type[Entry]) -> tuple[Entry | None, list[ErrorDetails]]:
    """The file as a whole, or everything that is wrong with its structure."""
    try:
        return model.model_validate_json(json.dumps(plain(tree))), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _codes(nodes: list[Node], section: str) -> Iterator[str]:
    """The codes that are defined, those that are miswritten as they should be."""
    key = _CODES[section]
    for node in nodes:
        code = node.values.get(key) if isinstance(node, MapNode) else None
        if isinstance(code, ScalarNode):
            text = code.text.strip(BLANKS)
            yield from _meant(section, text)


def _meant(section: str, code: str) -> set[str]:
    if section == "units":
        return {code, unit_code(code)}
    return {code if section in {"procedures", "rules"} else slug(code)}


def _valid(nodes: list[Node], adapter: TypeAdapter[Any], file: str) -> Iterator[Located[Any]]:
    for node in nodes:
        try:
            yield Located(adapter.validate_json(json.dumps(plain(node))), file, node)
        except ValidationError:
            continue


def _located(
    file: str, tree: Node, detail: ErrorDetails, names: Mapping[str, Names]
) -> Diagnostic | None:
    path = (*detail["loc"], *detail.get("ctx", {}).get("at", ()))
    at = find(tree, path)
    if isinstance(at, ScalarNode) and plain(at) is None:
        return None  # a missing value has been reported where it was read
    if detail["type"] == "extra_forbidden" or path[-1:] == ("[key]",):
        at = _key_of(tree, path) or at
    code, message, proposal = _explain(detail, at, Path(file).name)
    section = _referred(path)
    if section and code in {Code.WRONG_VALUE, Code.UNQUOTED_CODE} and isinstance(at, ScalarNode):
        meant = names[section].explain(at.text, several=takes_several(path))
        message, proposal = meant or (message, names[section].near(at.text))
    if code is Code.WRONG_VALUE and isinstance(at, ScalarNode) and at.text.strip(BLANKS) != at.text:
        message = tr("begins or ends with a no-break space")
        proposal = tr("write `{choice}`", choice=shorten(at.text.strip(BLANKS)))
    return Diagnostic(
        file=file,
        line=at.line,
        column=at.column,
        code=code,
        text=shorten(at.text) if isinstance(at, ScalarNode) else "",
        message=message,
        proposal=proposal,
    )


def _referred(path: Path_) -> str | None:
    """What the value at `path` names: the last of its keys says it."""
    keys = [part for part in path if isinstance(part, str) and part not in {"in", "not"}]
    if len(keys) == 1 and keys[0] != "fallback":
        return None  # where the things themselves are listed
    return REFERENCES.get(keys[-1]) if keys else None


def _key_of(tree: Node, path: Path_) -> ScalarNode | None:
    """The key that the last part of the path names, when it names one."""
    named = [part for part in path if part != "[key]"]
    parent = find(tree, named[:-1])
    return parent.keys.get(str(named[-1])) if isinstance(parent, MapNode) else None


def _explain(detail: ErrorDetails, at: Node, file: str) -> tuple[Code, str, str | None]:
    """The code, the message and the proposal for an error of pydantic's."""
    context: Mapping[str, Any] = detail.get("ctx", {})
    text = at.text if isinstance(at, ScalarNode) else ""
    kind = detail["type"]
    if kind == "refused":
        return Code(context["code"]), context["message"], context["proposal"]
    if kind == "enum":
        values = re.findall(r"'([^']*)'", context["expected"])
        return (
            Code.WRONG_VALUE,
            tr("is not one of {names}", names=", ".join(values)),
            proposals.of_enumeration(text, values),
        )
    if kind == "string_type" and isinstance(at, ScalarNode) and at.plain:
        return (
            Code.UNQUOTED_CODE,
            tr("is read as a number or a truth value, not as text"),
            tr('write "{text}", in quotes', text=text),
        )
    if kind == "extra_forbidden":
        return Code.UNKNOWN_KEY, tr("is no key known here"), key_proposal(file, detail["loc"])
    if kind == "list_type":
        return Code.WRONG_TYPE, tr("must be a list"), proposals.of_list(at, detail["loc"])
    return _explain_shape(kind, detail, at)


def _explain_shape(kind: str, detail: ErrorDetails, at: Node) -> tuple[Code, str, str | None]:
    text = at.text if isinstance(at, ScalarNode) else ""
    if kind == "missing":
        return Code.MISSING_KEY, tr("lacks `{key}`", key=detail["loc"][-1]), None
    if kind in {"too_short", "string_too_short"}:
        return Code.EMPTY_VALUE, tr("is empty"), None
    if kind.startswith("date_"):
        return Code.WRONG_DATE, *explained(text)
    if kind.startswith(("int_", "bool_")) or kind.endswith("_type"):
        return glued(text) or (Code.WRONG_TYPE, _ours(detail), _of_shape(kind, at, detail["loc"]))
    return Code.WRONG_VALUE, _ours(detail), None


def _of_shape(kind: str, at: Node, path: Path_) -> str | None:
    """What to write where a value has another shape than the schema's."""
    if kind.startswith("int_"):
        return proposals.of_number(at)
    if kind.startswith("bool_"):
        return proposals.of_truth(at)
    return proposals.of_text(at) if kind == "string_type" else proposals.of_mapping(at, path)


def _ours(detail: ErrorDetails) -> str:
    """Pydantic's sentence as the end of ours, in YAML's words."""
    sentence = detail["msg"].removeprefix("Input ")
    return translated(sentence.replace("an object", "a mapping").replace("array", "list"))
