"""Files: regular ones only, no more of them than expected, and written whole or not at all.

Connectors and the store use this module too: it imports nothing of ours.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

LONGEST_LINE = 8_000_000
"""Bytes of one line of a file that is read line by line."""


def read_regular(path: Path, *, most: int, below: Path | None = None, whole: bool = False) -> bytes:
    """The first `most` bytes of a regular file; a pipe, a device or a folder is refused unread.

    Args:
        path: of the file.
        most: bytes to read.
        whole: whether a file that has more is refused.
        below: the folder that a link may not lead out of; None lets links lead anywhere.

    Raises:
        OSError: it is none, leads elsewhere or cannot be read; `strerror` says which.
    """
    if below is not None and not path.resolve().is_relative_to(below.resolve()):
        raise OSError(errno.ELOOP, "is a link to a file elsewhere; put the file itself here")
    with open_regular(path) as stream:
        content = stream.read(most + 1)
    if whole and len(content) > most:
        raise OSError(errno.EFBIG, f"has more than {most} bytes")
    return content[:most]


@contextlib.contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """A regular file, open for reading; a pipe, a device or a folder is refused unread.

    Raises:
        OSError: it is none or cannot be read; `strerror` says which.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "is no regular file")
        yield stream


def read_lines(path: Path, *, longest: int = LONGEST_LINE) -> Iterator[bytes]:
    """The lines of a regular file with their ends, one at a time.

    Raises:
        OSError: it is none, cannot be read, or has a line of more than `longest` bytes.
    """
    with open_regular(path) as stream:
        while line := stream.readline(longest + 1):
            if len(line) > longest:
                raise OSError(errno.EFBIG, f"has a line of more than {longest} bytes")
            yield line


def write_whole(
    path: Path, content: bytes, *, mode: int = 0o600, replace: bool = True, sync: bool = False
) -> None:
    """Write a file that appears whole or not at all, in a folder that is made if need be.

    Args:
        mode: the permissions of the file, less the umask.
        replace: whether a file that is there is replaced; otherwise it stays as it is, so that
            two processes that start together agree on what the first one wrote.
        sync: whether the file survives a power cut once this returns.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_whole(path, mode=mode, replace=replace, sync=sync) as file:
        file.write(content)


@contextlib.contextmanager
def open_whole(
    path: Path, *, mode: int = 0o600, replace: bool = True, sync: bool = False
) -> Iterator[BinaryIO]:
    """A file to write that appears whole at the end, and not at all when an error leaves the block.

    The arguments are those of `write_whole`; the folder has to be there.

    Raises:
        OSError: it cannot be written.
    """
    draft = path.with_name(f".{path.name[:100]}.{os.urandom(8).hex()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            if sync:
                file.flush()
                os.fsync(descriptor)
        _place(draft, path, replace=replace)
    finally:
        draft.unlink(missing_ok=True)
    if sync:
        _sync_folder(path.parent)


def _place(draft: Path, path: Path, *, replace: bool) -> None:
    if replace:
        draft.replace(path)
        return
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
