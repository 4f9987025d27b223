"""Labels and words of forms: one in each text, or quotes where a separator belongs to it."""

import re
from collections.abc import Iterator
from typing import Any

from config.diagnostics import Code, Diagnostic, shorten
from config.loader import Configuration, Located
from config.messages import tr
from config.values import SEPARATORS
from config.yaml_tree import Path_, find, scalars

_BETWEEN_LABELS = re.compile(r"\s*[;|]\s*|\s+/\s+|,\s+")
"""Labels hold « et » and slashes themselves, as in « Nom/Prénom »."""


def check(configuration: Configuration) -> Iterator[Diagnostic]:
    """Texts without quotes that look like several."""
    for permit_type in configuration.permit_types:
        for key in ("equals", "contains"):
            yield from _several(permit_type, ["recognised_by", key], SEPARATORS)
    forms: tuple[Located[Any], ...] = (*configuration.kinds, *configuration.procedures)
    for placed in forms:
        for field in placed.entry.fields:
            yield from _several(placed, ["fields", field.value], _BETWEEN_LABELS)


def _several(
    placed: Located[Any], path: Path_, separators: re.Pattern[str]
) -> Iterator[Diagnostic]:
    if find(placed.node, path) is find(placed.node, path[:-1]):
        return
    for scalar in scalars(find(placed.node, path)):
        parts = [part for part in separators.split(scalar.text) if part]
        if scalar.plain and len(parts) > 1:
            yield placed.mistake(
                Code.WRONG_VALUE,
                path,
                tr("may be several values in one text"),
                tr(
                    "write a list: [{choices}]; or, when it is one value, put it in quotes",
                    choices=shorten(", ".join(parts)),
                ),
                value=scalar.text,
            )
