"""docs/architecture.md names modules that there are, fits its page, and has each word once."""

import re
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[1]
TEXT = (HERE / "docs" / "architecture.md").read_text(encoding="utf-8")
PATHS = sorted(
    set(re.findall(r"\b(?:routing|connectors|store|service|tasks|config|web|cli)/[\w/]+\.py", TEXT))
)


@pytest.mark.parametrize("path", PATHS)
def test_every_module_that_it_names_exists(path: str) -> None:
    assert (HERE / path).is_file()


def test_every_word_stands_in_its_table_once() -> None:
    table = TEXT.split("## Words")[1].split("\n## ")[0]
    words = [
        word.strip()
        for row in re.findall(r"^\| (.+?) \|", table, re.MULTILINE)
        for word in row.split(",")
    ]
    repeated = {word for word, times in Counter(words).items() if times > 1}
    assert not repeated
