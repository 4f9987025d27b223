"""Files that somebody else puts there: regular ones only, and no more of them than expected."""

import errno
import os
import stat
from pathlib import Path


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
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "is no regular file")
        content = stream.read(most + 1)
    if whole and len(content) > most:
        raise OSError(errno.EFBIG, f"has more than {most} bytes")
    return content[:most]
