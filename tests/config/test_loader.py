"""Whatever is done to a valid configuration, it is refused at a place or means what it says."""

import io
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from config.diagnostics import ConfigurationError
from config.ruleset import compile_document, read_directory
from config.schema import FILES
from config.yaml_tree import plain, read_tree
from tests.config.wrong_configurations import VALID

DAY = date(2020, 6, 15)
TEXTS = {name: (VALID / name).read_text() for name in FILES}

_PIECES = st.sampled_from(
    [
        *"abA0129-:#,.[]{}&*!|>'\"%@`?~\\/ \n\t\r\0é\u00a0\u2028\ufeff",
        *["  ", "- ", ": ", "# ", "---\n", "...", "<<: ", "*a", "&a ", "!!str ", "NO", "01", "1e3"],
        *["null", "true", "2020-01-01", "not: ", "in: ", "all: ", "{}", "[]", "''", "\\u0000"],
    ]
) | st.text(max_size=3)


@st.composite
def _mutated(draw: st.DrawFn) -> tuple[str, str]:
    """A file's name and its text after a few edits of characters and lines."""
    name = draw(st.sampled_from(sorted(FILES)))
    text = TEXTS[name]
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        end = min(len(text), at + draw(st.integers(0, 12)))
        lines = text.splitlines(keepends=True) or [""]
        line = draw(st.integers(0, len(lines) - 1))
        text = draw(
            st.sampled_from(
                [
                    text[:at] + draw(_PIECES) + text[at:],
                    text[:at] + draw(_PIECES) + text[end:],
                    text[:at] + text[end:],
                    "".join([*lines[:line], *lines[line + 1 :]]),
                    "".join([*lines[:line], lines[line], *lines[line:]]),
                    "".join([*lines[:line], " " * draw(st.integers(1, 4)), *lines[line:]]),
                ]
            )
        )
    return name, text


@contextmanager
def _directory(**changed: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(VALID, folder, dirs_exist_ok=True)
        for name, content in changed.items():
            (Path(folder) / f"{name}.yaml").write_bytes(content)
        yield Path(folder)


def _read_by_others(path: Path, version: tuple[int, int]) -> Any:  # noqa: ANN401
    """What a plain reader of that version of YAML makes of a file; days are text."""
    reader = YAML(typ="safe", pure=True)
    reader.version = version
    return _without_days(reader.load(path.read_text(encoding="utf-8-sig")))


def _without_days(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _without_days(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_days(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


@settings(max_examples=settings().max_examples * 3)
@given(_mutated())
def test_an_edit_is_refused_at_a_place_or_means_what_every_reader_of_yaml_sees(
    mutated: tuple[str, str],
) -> None:
    name, text = mutated
    content = text.encode("utf-8", "surrogatepass")
    with _directory(**{name.removesuffix(".yaml"): content}) as directory:
        try:
            document = read_directory(directory, on=DAY)
        except ConfigurationError as refused:
            _assert_located(refused, directory)
            return
        assert compile_document(document).rules
        ours = plain(read_tree(directory / name, []))  # type: ignore[arg-type]
        assert ours == _read_by_others(directory / name, (1, 2))
        assert ours == _read_by_others(directory / name, (1, 1))


def _assert_located(refused: ConfigurationError, directory: Path) -> None:
    assert refused.mistakes
    for mistake in refused.mistakes:
        path = Path(mistake.file)
        assert path.parent == directory
        lines = path.read_bytes().decode(errors="replace").splitlines()
        assert 1 <= mistake.line <= len(lines) + 1
        assert mistake.column >= 1
        assert mistake.message
        assert "\n" not in str(mistake)


@given(st.sampled_from(sorted(FILES)), st.binary(max_size=200))
def test_any_bytes_at_all_are_refused_or_read(name: str, content: bytes) -> None:
    with (
        _directory(**{name.removesuffix(".yaml"): content}) as directory,
        pytest.raises(ConfigurationError) as refused,
    ):
        read_directory(directory, on=DAY)

    assert refused.value.mistakes


def _shuffled(value: Any, rng: random.Random) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: _shuffled(value[key], rng) for key in keys}
    return [_shuffled(item, rng) for item in value] if isinstance(value, list) else value


@settings(max_examples=settings().max_examples // 2)
@given(st.integers(0, 2**32), st.booleans(), st.booleans())
def test_layout_quotes_and_the_order_of_keys_mean_nothing(
    seed: int, flow: bool, escaped: bool
) -> None:
    rng = random.Random(seed)
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = flow
    writer.allow_unicode = not escaped
    writer.width = 4096  # the writer folds escaped text where a blank would be read
    changed: dict[str, bytes] = {}
    for name in FILES:
        content = _shuffled(plain(read_tree(VALID / name, [])), rng)  # type: ignore[arg-type]
        for section in ("units", "kinds", "procedures"):
            rng.shuffle(content.get(section, []))
        stream = io.StringIO()
        writer.dump(content, stream)
        changed[name.removesuffix(".yaml")] = f"# remarque\n{stream.getvalue()}\n".encode()

    with _directory(**changed) as directory:
        assert read_directory(directory, on=DAY) == read_directory(VALID, on=DAY)
