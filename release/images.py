"""Renews the digests that pin foreign images: `make pin-images`, where a registry can be reached.

A tag can be pushed again, a digest cannot: it is that of the image's index, of all platforms. Our
own image is built, so it has none.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = (*sorted(ROOT.glob("docker-compose*.yml")), ROOT / "Dockerfile")
TIMEOUT_SECONDS = 60
# A stage of the same file has no tag; the tag of our own image is a variable.
_IMAGE = re.compile(
    r"^(?P<tagged> *(?:image:|FROM) +(?P<image>[\w./-]+:[\w.-]+))(?P<digest>@sha256:\w+)?",
    re.MULTILINE,
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def foreign(text: str) -> Iterator[tuple[str, str]]:
    """The foreign images of a compose file or Dockerfile, each with `@` and its digest or ''."""
    for match in _IMAGE.finditer(text):
        yield match["image"], match["digest"] or ""


def newest_digest(image: str) -> str:
    """The digest that the registry has for `NAME:TAG` now.

    Raises:
        subprocess.CalledProcessError: the registry cannot be reached or has no such image.
        subprocess.TimeoutExpired: it does not answer.
        ValueError: what `docker` says is no digest.
    """
    command = ["docker", "buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}"]
    done = subprocess.run(
        [*command, image], stdout=subprocess.PIPE, text=True, check=True, timeout=TIMEOUT_SECONDS
    )
    found = done.stdout.strip()
    if not _DIGEST.fullmatch(found):
        raise ValueError(f"{image}: docker gave no digest: {found!r}; update its buildx plugin")
    return found


def renew(files: Sequence[Path] = FILES) -> None:
    """Pin each foreign image of the files to its tag's newest digest, or change none."""
    texts = {path: path.read_text(encoding="utf-8") for path in files}
    images = sorted({image for text in texts.values() for image, _ in foreign(text)})
    digests = {image: newest_digest(image) for image in images}
    for path, text in texts.items():
        pinned = _IMAGE.sub(lambda match: f"{match['tagged']}@{digests[match['image']]}", text)
        path.write_text(pinned, encoding="utf-8")
    for image, digest in digests.items():
        sys.stdout.write(f"{image}@{digest}\n")


if __name__ == "__main__":
    renew()
