"""The tree of a YAML file: scalars, lists and mappings that know where they stand."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
NULL = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A scalar as it is written. Lines and columns count from 1."""

    text: str
    plain: bool
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list."""

    line: int
    column: int
    items: list["Node"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MapNode:
    """A mapping: for each key where it stands, and its value."""

    line: int
    column: int
    keys: dict[str, ScalarNode] = field(default_factory=dict)
    values: dict[str, "Node"] = field(default_factory=dict)


Node = ScalarNode | ListNode | MapNode

Path_ = Sequence[str | int]
"""Keys and positions that lead from a node to one below it."""


def plain(node: Node) -> Any:  # noqa: ANN401
    """The tree without its positions, as JSON's types. Dates stay text."""
    if isinstance(node, MapNode):
        return {key: plain(value) for key, value in node.values.items()}
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    text = node.text
    if not node.plain:
        return text
    if text in NULL:
        return None
    if text in {"true", "false"}:
        return text == "true"
    return int(text) if INTEGER.fullmatch(text) else text


def find(node: Node, path: Path_) -> Node:
    """The node that `path` leads to, or the last one on its way that exists.

    Parts of the path that name no key and no position (the schema's own) are skipped.
    """
    for part in path:
        if isinstance(node, MapNode) and isinstance(part, str) and part in node.values:
            node = node.values[part]
        elif isinstance(node, ListNode) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
    return node


def scalars(node: Node) -> Iterator[ScalarNode]:
    """Every scalar below `node` that is not a key, in order."""
    match node:
        case MapNode():
            for value in node.values.values():
                yield from scalars(value)
        case ListNode():
            for item in node.items:
                yield from scalars(item)
        case ScalarNode():
            yield node
