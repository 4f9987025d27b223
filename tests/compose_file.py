"""Reads docker-compose.yml and the Dockerfile as the tools that run them do."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = ROOT / "docker-compose.yml"
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


def _interpolated(node: Any, variables: Mapping[str, str]) -> Any:  # noqa: ANN401
    if isinstance(node, dict):
        return {key: _interpolated(value, variables) for key, value in node.items()}
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
