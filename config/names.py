"""The names that the rule files give to units, kinds, permit types and procedures."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from config.diagnostics import did_you_mean
from config.messages import tr
from config.values import SEPARATORS, slug, unit_code
from config.yaml_slips import BLANKS
from config.yaml_tree import (
    ListNode,
    MapNode,
    Node,
    Path_,
    ScalarNode,
)
from routing.ruleset import DEPARTMENT_UNIT
from routing.text import normalise

_DEPARTMENT_UNIT = re.compile(r"((l )?unite[-_ ](du[-_ ])?)?departement(ale)?|department[-_ ]?unit")
"""How `department-unit` is called in French, and miswritten."""

_NOT = re.compile(r"(?:not|sauf|pas|non|tout sauf|!=?)\s+(.+)", re.IGNORECASE)

REFERENCES = {
    "permit_type": "permit_types",
    "kind": "kinds",
    "kinds": "kinds",
    "send_to": "units",
    "inform": "units",
    "unit": "units",
    "successor": "units",
    "escalate_to": "units",
    "fallback": "units",
    "procedure": "procedures",
}
"""The keys whose value names something, and what."""


_LISTS = frozenset({"send_to", "inform", "unit", "kinds", "in", "not"})


def takes_several(path: Path_) -> bool:
    """Whether a list of names may stand where `path` leads."""
    keys = [part for part in path if isinstance(part, str)]
    return "when" in keys or bool(keys and keys[-1] in _LISTS)


@dataclass(frozen=True, slots=True)
class Names:
    """The codes of one kind of thing, and the codes of its labels."""

    codes: tuple[str, ...]
    labels: Mapping[str, str]

    @classmethod
    def of(cls, trees: Mapping[str, Node], section: str) -> Self:
        """What the files define under `section`."""
        items = next(
            (
                found.items
                for tree in trees.values()
                if isinstance(tree, MapNode)
                and isinstance(found := tree.values.get(section), ListNode)
            ),
            [],
        )
        labels: dict[str, str] = {}
        codes: list[str] = []
        for item in items:
            values = item.values if isinstance(item, MapNode) else {}
            if isinstance(code := values.get("code"), ScalarNode):
                codes.append(code.text.strip(BLANKS))
                label = values.get("label") or values.get("name")
                if isinstance(label, ScalarNode):
                    labels[normalise(label.text)] = code.text
        return cls(tuple(codes), labels)

    def code_of(self, text: str) -> str | None:
        """The code that `text` is, or is the label of."""
        return text if text in self.codes else self.labels.get(normalise(text))

    def explain(self, text: str, *, several: bool) -> tuple[str, str] | None:
        """What is wrong with `text` where a code belongs, and what to write; None if unclear.

        Args:
            several: whether a list may stand there.
        """
        if (found := _NOT.fullmatch(text)) and (code := self.code_of(found[1])):
            return tr("says what is not meant"), tr("write `{choice}`", choice=f"{{ not: {code} }}")
        parts = [part for part in SEPARATORS.split(text) if part]
        codes = [code for part in parts if (code := self.code_of(part))]
        words = text.split()
        if len(words) > 1 and all(self.code_of(word) for word in words):
            codes = [self.code_of(word) or "" for word in words]
        if codes and (len(parts) > 1 or len(codes) > 1):
            choices = ", ".join(codes)
            proposal = tr("write a list: [{choices}]", choices=choices)
            if not several:
                proposal = tr("write one of them: {names}", names=choices)
            return tr("holds several values in one text"), proposal
        if (code := self.code_of(text)) is not None:
            return tr("is a label where a code belongs"), tr("write `{choice}`", choice=code)
        return None

    def near(self, text: str) -> str | None:
        """A proposal from the codes that there are."""
        words = normalise(text)
        if _DEPARTMENT_UNIT.fullmatch(words):
            return tr("did you mean `{choice}`?", choice=DEPARTMENT_UNIT)
        if SEPARATORS.search(text):
            return None
        if (code := unit_code(text)) in self.codes or (code := slug(text)) in self.codes:
            return tr("did you mean `{choice}`?", choice=code)
        named = [code for label, code in self.labels.items() if f" {words} " in f" {label} "]
        if len(named) == 1:
            return tr("did you mean `{choice}`?", choice=named[0])
        return did_you_mean(text, self.codes)


def references(node: Node, section: str | None = None) -> Iterator[tuple[str, ScalarNode]]:
    """References below `node`: the kind of thing that each names, and where its code stands."""
    match node:
        case MapNode():
            for key, value in node.values.items():
                inner = section if key in {"in", "not"} else REFERENCES.get(key)
                yield from references(value, inner)
        case ListNode():
            for item in node.items:
                yield from references(item, section)
        case ScalarNode() if section is not None:
            yield section, node
