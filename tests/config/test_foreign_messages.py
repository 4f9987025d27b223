"""Sentences of others: known by their form, and those of the layers below as they are written."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.foreign_messages import BELOW, translated
from config.messages import tr
from tests.fixtures.french import french_catalogue

ROOT = Path(__file__).resolve().parent.parent.parent
LAYERS = ("connectors", "store", "config", "routing")


def written() -> Iterator[str]:
    """Every text in the sources of the layers below, with `{}` for what is put into it."""
    for folder in LAYERS:
        for path in (ROOT / folder).rglob("*.py"):
            if path.name != "foreign_messages.py":
                for node in ast.walk(ast.parse(path.read_text())):
                    if isinstance(node, ast.JoinedStr):
                        parts = (
                            v.value if isinstance(v, ast.Constant) else "{}" for v in node.values
                        )
                        yield "".join(map(str, parts))
                    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                        yield node.value


def test_what_is_known_of_the_layers_below_is_what_they_say() -> None:
    said = set(written())
    assert [text for text in BELOW if re.sub(r"\{\w+\}", "{}", text) not in said] == []


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("should be a valid list", "doit être une liste"),
        ("should be greater than or equal to 1", "doit être supérieur ou égal à 1"),
        ("should be greater than 0", "doit être supérieur à 0"),
        ("No such file or directory", "fichier ou dossier introuvable"),
        (
            "expected ',' or ']', but got '<stream end>'",
            "`,` ou `]` attendu, mais '<stream end>' trouvé",
        ),
        ("expected ',' or '}', but got ':'", "`,` ou `}` attendu, mais ':' trouvé"),
        (
            "/k.pem: cannot be read: Permission denied",
            "/k.pem : ne peut pas être lu : accès refusé",
        ),
        ("something else", "something else"),
    ],
)
def test_a_sentence_of_others_is_translated_with_what_stands_in_it(
    english: str, french: str
) -> None:
    assert translated(english) == english
    with french_catalogue():
        assert translated(english) == french
    assert tr("yes") == "yes"
