"""Files that were damaged at random: each is read, or refused in lines that say where and what."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.ruleset import check_directory, compile_document, read_directory
from config.schema import FILES
from config.yaml_tree import read_tree, scalars
from tests.config.test_diagnostics import DAY
from tests.config.wrong_configurations import VALID
from tests.fixtures.french import french_catalogue

TEXTS = {name: (VALID / name).read_text() for name in FILES}
HUGE = "9" * 4_301
"""More digits than Python turns into an integer."""

tokens = st.one_of(
    st.sampled_from(
        (
            *("", " ", "\n", "\t", "\n\n", "  ", ":", ": ", "- ", "-", ",", "#", " #", "'", '"'),
            *("[", "]", "{", "}", "&a ", "*a", "!", "!!int ", "%", "@", "|", ">", "?", "---\n"),
            *("...\n", "<<: ", "~", "null", "true", "NO", "01", "1e9", "0x10", "2021-13-01"),
            *("\0", "\ufeff", "\u00a0", "\u2028", "\ud800", "é", "«", "”", "\u200b", "\U0001f600"),
            *(HUGE, f"-{HUGE}", f"0{HUGE}", f"{HUGE}.0", f"1e{HUGE}", f"0x{HUGE}", f"{HUGE}:00"),
            *("[" * 50, "{a: " * 50, "- " * 50, "not: {" * 50, "\n" + " " * 300),
        )
    ),
    st.text(max_size=6),
)
"""What comes in: signs of YAML, numbers that are too long, any text."""

mutations = st.tuples(st.sampled_from(sorted(FILES)), st.floats(0, 1), st.integers(0, 40), tokens)
"""A file, where in it (from 0 to 1), how many characters go there, and what comes instead."""


def write(folder: Path, texts: Mapping[str, str]) -> Path:
    """The files in `folder`; text that cannot be UTF-8 becomes bytes that are none."""
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode(errors="surrogatepass"))
    return folder


def said(folder: Path) -> list[str]:
    """What is wrong, after a look at how it is told."""
    _, mistakes = check_directory(folder, production=False, on=DAY)
    for each in mistakes:
        lines = Path(each.file).read_bytes().decode(errors="replace").splitlines() or [""]
        assert 1 <= each.line <= len(lines) + 1
        assert each.column >= 1
        assert each.message
        assert len(str(each)) < 1_000
        assert "\n" not in str(each)
    return list(map(str, mistakes))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(mutations, min_size=1, max_size=3))
def test_a_damaged_file_is_read_or_refused(
    changes: list[tuple[str, float, int, str]], tmp_path: Path
) -> None:
    texts = dict(TEXTS)
    for name, at, length, token in changes:
        start = int(at * len(texts[name]))
        texts[name] = texts[name][:start] + token + texts[name][start + length :]
    folder = write(tmp_path, texts)

    mistakes = said(folder)
    with french_catalogue():
        assert len(said(folder)) == len(mistakes)
    if not mistakes:
        compile_document(read_directory(folder, on=DAY))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("number", [HUGE, f"-{HUGE}", f"0{HUGE}"], ids=["plain", "minus", "zero"])
def test_a_number_of_4301_digits_is_refused_wherever_it_stands(
    name: str, number: str, tmp_path: Path
) -> None:
    shutil.copytree(VALID, tmp_path, dirs_exist_ok=True)
    tree = read_tree(VALID / name, [])
    assert tree is not None
    lines = TEXTS[name].splitlines(keepends=True)
    for scalar in scalars(tree):
        here = lines[scalar.line - 1]
        start = scalar.column - 1
        end = start + len(scalar.text) + (0 if scalar.plain else 2)
        if here[start:end].strip('"') != scalar.text:
            continue  # a text of several lines
        changed = [*lines]
        changed[scalar.line - 1] = here[:start] + number + here[end:]
        (tmp_path / name).write_text("".join(changed))

        assert any(f"{name}:{scalar.line}:" in each for each in said(tmp_path))
