"""Files are read when they are regular and small enough, and written whole or not at all."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from config.files import open_whole, read_lines, read_regular, write_whole


@pytest.mark.parametrize(
    ("make", "said"),
    [
        pytest.param(os.mkfifo, "is no regular file", id="pipe"),
        pytest.param(Path.mkdir, "Is a directory", id="folder"),
        pytest.param(Path.exists, "No such file", id="nothing"),
    ],
)
def test_what_is_no_regular_file_is_refused_unread(
    tmp_path: Path, make: Callable[[Path], object], said: str
) -> None:
    make(tmp_path / "given")
    with pytest.raises(OSError, match=said):
        read_regular(tmp_path / "given", most=10)


def test_no_more_is_read_than_expected(tmp_path: Path) -> None:
    path = tmp_path / "given"
    path.write_bytes(b"12345")
    assert read_regular(path, most=5, whole=True) == b"12345"
    assert read_regular(path, most=4) == b"1234"
    with pytest.raises(OSError, match="has more than 4 bytes"):
        read_regular(path, most=4, whole=True)
    with pytest.raises(OSError, match="a line of more than 4 bytes"):
        list(read_lines(path, longest=4))


def test_a_link_leads_nowhere_else(tmp_path: Path) -> None:
    inside, outside = tmp_path / "folder", tmp_path / "secret"
    inside.mkdir()
    outside.write_text("secret")
    (inside / "link").symlink_to(outside)
    with pytest.raises(OSError, match="is a link to a file elsewhere"):
        read_regular(inside / "link", most=10, below=inside)
    assert read_regular(inside / "link", most=10) == b"secret"


@pytest.mark.parametrize("sync", [True, False])
def test_a_file_is_written_for_its_owner_alone(tmp_path: Path, sync: bool) -> None:
    path = tmp_path / "deep" / "file"
    write_whole(path, b"one", sync=sync)
    write_whole(path, b"two", sync=sync)
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_first_of_two_writers_wins_where_nothing_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "key"
    write_whole(path, b"first", replace=False)
    write_whole(path, b"second", replace=False)
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_in_the_midst_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "export"
    path.write_bytes(b"before")

    def write() -> None:
        with open_whole(path) as file:
            file.write(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        write()
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
