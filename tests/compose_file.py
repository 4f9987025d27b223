"""Reads docker-compose.yml and the Dockerfile as the tools that run them do."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = ROOT / "docker-compose.yml"
WORKERS = ROOT / "docker-compose.workers.yml"
DOCKERFILE = ROOT / "Dockerfile"

_VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?:(:-|:\?)([^}]*))?\})")
_INSTRUCTION = re.compile(r"^([A-Z]+)\s+(.+)$")


class UnsetVariable(Exception):
    """The file needs a variable that was not given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service: what its container is told to run, and with what."""

    name: str
    content: Mapping[str, Any]

    @property
    def command(self) -> list[str]:
        """The program with its arguments, empty when the image's own is run."""
        return [*self.content.get("entrypoint", []), *self.content.get("command", [])]

    @property
    def environment(self) -> Mapping[str, str]:
        """What the compose file adds to the image's environment."""
        return {key: str(value) for key, value in self.content.get("environment", {}).items()}

    @property
    def health(self) -> list[str]:
        """The health check as a program with its arguments, empty when there is none."""
        kind, *words = self.content.get("healthcheck", {}).get("test", ["NONE"])
        return ["sh", "-c", *words] if kind == "CMD-SHELL" else words

    @property
    def ours(self) -> bool:
        """Whether it runs our own image."""
        return "build" in self.content


@dataclass(frozen=True, slots=True)
class Instruction:
    """One line of the Dockerfile."""

    name: str
    text: str


def document(variables: Mapping[str, str]) -> dict[str, Any]:
    """The compose file with `variables` put in.

    Raises:
        UnsetVariable: it needs another one.
    """
    content = YAML(typ="safe", pure=True).load(COMPOSE)
    found: dict[str, Any] = _interpolated(content, variables)
    return found


def services(variables: Mapping[str, str]) -> dict[str, Service]:
    """The services of the compose file by name."""
    found = document(variables)["services"]
    return {name: Service(name=name, content=content) for name, content in found.items()}


def worker_services(variables: Mapping[str, str]) -> dict[str, Service]:
    """The services of the compose file with docker-compose.workers.yml laid over it."""
    base = document(variables)["services"]
    over = override(variables)["services"]
    found = dict(base)
    for name, content in over.items():
        extended = content.pop("extends", {}).get("service", name)
        found[name] = _laid_over(base.get(extended, {}), content)
    return {name: Service(name=name, content=content) for name, content in found.items()}


def override(variables: Mapping[str, str]) -> dict[str, Any]:
    """docker-compose.workers.yml, with marks where it replaces or removes instead of adding."""
    loader = YAML(typ="safe", pure=True)
    loader.constructor.add_constructor("!override", _override)
    loader.constructor.add_constructor("!reset", lambda *_: RESET)
    found: dict[str, Any] = _interpolated(loader.load(WORKERS), variables)
    return found


RESET = object()
"""Stands for what is removed."""

REPLACED = {"command", "test"}
"""Lists that the compose specification replaces; others it adds to."""


class Override(list[Any]):
    """A list that replaces the one below."""


def _override(loader: Any, node: Any) -> Override:  # noqa: ANN401
    return Override(loader.construct_sequence(node, deep=True))


def _laid_over(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if value is RESET:
            merged.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[key] = _laid_over(below, value)
        elif (
            isinstance(value, list)
            and isinstance(below, list)
            and not (key in REPLACED or isinstance(value, Override))
        ):
            merged[key] = [*below, *value]
        else:
            merged[key] = value
    return merged


def _interpolated(node: Any, variables: Mapping[str, str]) -> Any:  # noqa: ANN401
    if isinstance(node, dict):
        return {key: _interpolated(value, variables) for key, value in node.items()}
    if isinstance(node, Override):
        return Override(_interpolated(item, variables) for item in node)
    if isinstance(node, list):
        return [_interpolated(item, variables) for item in node]
    if isinstance(node, str):
        return _VARIABLE.sub(lambda match: _value(match, variables), node)
    return node


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    name, operator, operand = match.groups()
    if name is None:
        return "$"
    if value := variables.get(name):
        return value
    if operator == ":-":
        return str(operand)
    raise UnsetVariable(f"{name}: {operand}")


def instructions() -> Iterator[Instruction]:
    """The instructions of the Dockerfile, in order; each stands on one line."""
    for line in DOCKERFILE.read_text(encoding="utf-8").splitlines():
        if match := _INSTRUCTION.match(line):
            yield Instruction(match[1], match[2])
