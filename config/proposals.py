"""What to write where a value of another shape belongs: a number, a list, a mapping, a text."""

import re

from config.diagnostics import did_you_mean, shorten
from config.french_words import TRUTHS, VALUES, meant_by
from config.messages import tr
from config.values import SEPARATORS
from config.yaml_signs import hyphen_mended
from config.yaml_tree import ListNode, MapNode, Node, Path_, ScalarNode
from connectors.channel import AddressForm
from connectors.channels import CHANNELS, DEFAULT_CHANNEL
from routing.territory import departments
from routing.text import normalise

_NUMBER = re.compile(r"\D*([0-9][0-9\s._']*)\D*")
_HYPHENS = re.compile(r"([-–—•*·])\s*(\S.*)")
_PAIR = re.compile(r"([a-z_]+)\s*=\s*(\S.*)")
_LISTS = frozenset({"departments", "kinds", "in", "at"})
"""The keys that take a list of single values alone."""

_MAPPINGS = {
    "when": "{ permit_type: … }",
    "filed": "{ from: 2020-01-01, before: 2021-01-01 }",
    "digest": '{ at: ["08:30"] }',
    "given": '{ permit_type: …, department: "75" }',
}
"""How a mapping is written that people take for a single value."""


def of_enumeration(text: str, values: list[str]) -> str | None:
    """A proposal for a text that is none of the `values`."""
    parts = [part for part in SEPARATORS.split(text) if part]
    if len(parts) > 1 and set(parts) <= set(values):
        return tr("write one of them: {names}", names=shorten(", ".join(parts)))
    if meant := meant_by(text, VALUES, values):
        return tr("did you mean `{choice}`?", choice=meant)
    return did_you_mean(text, values)


def of_number(at: Node) -> str | None:
    """A proposal for what stands where a whole number belongs."""
    if isinstance(at, ListNode):
        return tr("write an entry for each")
    text = at.text if isinstance(at, ScalarNode) else ""
    found = _NUMBER.fullmatch(text)
    digits = "".join(filter(str.isdigit, found[1])).lstrip("0") if found else ""
    if digits and digits == text:
        return tr("write {number}, without quotes", number=shorten(digits))
    if digits:
        return tr("write `{choice}`", choice=shorten(digits))
    return tr("write an entry for each") if len(re.findall(r"[0-9]+", text)) > 1 else None


def of_truth(at: Node) -> str:
    """A proposal for what stands where a truth value belongs."""
    meant = TRUTHS.get(normalise(at.text)) if isinstance(at, ScalarNode) else None
    return tr("write `{choice}`", choice=meant) if meant else tr("write `true` or `false`")


def of_text(at: Node) -> str | None:
    """A proposal for a list or a mapping where one text belongs."""
    if isinstance(at, ListNode):
        if len(at.items) == 1 and isinstance(one := at.items[0], ScalarNode):
            return tr("write `{choice}`", choice=shorten(one.text))
        return tr("only one belongs here")
    if isinstance(at, MapNode) and len(at.keys) == 1:
        key, value = next(iter(at.values.items()))
        between = " - " if key in departments() else ": "
        return tr('write "{text}", in quotes', text=shorten(f"{key}{between}{_text(value)}"))
    return None


def of_list(at: Node, path: Path_) -> str | None:
    """How what stands there is written as a list."""
    if isinstance(at, ScalarNode):
        return _as_item(at.text) or _as_list(at.text, path)
    if not isinstance(at, MapNode) or not at.keys:
        return None
    if path[-1] == "departments":
        choices = ", ".join(f'"{each} - {_text(value)}"' for each, value in at.values.items())
        return tr("write a list: [{choices}]", choices=shorten(choices))
    key = next(iter(at.keys))
    return _as_item(f"{key}: …") or tr("begin with a hyphen: `- {key}: …`", key=shorten(key))


def _as_item(text: str) -> str | None:
    """How an item is written that begins with another sign, or lacks a blank."""
    found = _HYPHENS.fullmatch(text)
    return hyphen_mended(found[1] == "-", found[2])[1] if found else None


def _as_list(text: str, path: Path_) -> str | None:
    if path[-1] == "channels":
        return _channel(text)
    if path[-1] not in _LISTS:
        return None
    inner = text.strip("[](){} ")
    choice = f'"{inner}"' if inner.isdigit() else shorten(inner)
    return tr("write a list: [{choices}]", choices=choice)


def of_mapping(at: Node, path: Path_) -> str | None:
    """A proposal for a list or a text where keys and values belong."""
    if isinstance(at, ListNode):
        return tr("remove the hyphen: this is no list")
    text = at.text if isinstance(at, ScalarNode) else ""
    if (found := _PAIR.fullmatch(text)) is not None:
        return tr("write `{choice}`", choice=shorten(f"{found[1]}: {found[2]}"))
    names = [part for part in path if isinstance(part, str) and not part.endswith("-channel")]
    if names[-1:] == ["channels"]:
        return _channel(text)
    example = _MAPPINGS.get(names[-1]) if names else None
    return tr("for example {example}", example=f"{names[-1]}: {example}") if example else None


def _channel(text: str) -> str:
    form = AddressForm.URL if "://" in text else AddressForm.MAILBOX
    fitting = (kind for kind, channel in CHANNELS.items() if channel.address_form is form)
    kind = next(fitting, DEFAULT_CHANNEL)
    return tr("write `{choice}`", choice=f"- {kind}: …")


def _text(node: Node) -> str:
    return node.text if isinstance(node, ScalarNode) else "…"
