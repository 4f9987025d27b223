"""Labels and words of forms: one in each text, or quotes where a separator belongs to it."""

import re
from collections.abc import Iterator
from typing import Any

from config.diagnostics import Code, Diagnostic, shorten
from config.loader import Configuration, Located
from config.messages import tr
from config.values import SEPARATORS
from config.yaml_tree import Path_, find, scalars

_OUTSIDE = r"(?![^()]*\))"
"""Not between parentheses: « Adresse (n°, rue, commune) » is one label."""

_BETWEEN_WORDS = re.compile(f"(?:{SEPARATORS.pattern}){_OUTSIDE}")
_BETWEEN_LABELS = re.compile(rf"(?:\s*[;|]\s*|\s+/\s+|,\s+){_OUTSIDE}")
"""Labels hold « et » and slashes themselves, as in « Nom/Prénom »."""


def check(configuration: Configuration) -> Iterator[Diagnostic]:
    """Texts without quotes that look like several.

    Labels and choices are whatever TPS calls them, « Nom, prénom » too: they are doubted and
    never refused. The words of `contains` are the admin's own, and several in one never match.
    """
    for permit_type in configuration.permit_types:
        configuration.doubts += _several(permit_type, ["recognised_by", "equals"], _BETWEEN_LABELS)
        yield from _several(permit_type, ["recognised_by", "contains"], _BETWEEN_WORDS)
    forms: tuple[Located[Any], ...] = (*configuration.kinds, *configuration.procedures)
    for placed in forms:
        for field in placed.entry.fields:
            configuration.doubts += _several(placed, ["fields", field.value], _BETWEEN_LABELS)


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
