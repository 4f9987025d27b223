"""Foreign images: each is pinned by digest, and `make pin-images` renews the digests in place."""

import hashlib
import os
import re
import subprocess
from pathlib import Path

import pytest

from release.images import FILES, ROOT, foreign, renew

OURS = "work-in-france-routing:"
DEPLOYED = [*FILES, *sorted((ROOT / "deploy").rglob("*.y*ml"))]
"""What names images: compose files, the Dockerfile, what Kubernetes is given."""

COMPOSE = """\
services:
  database:
    image: postgres:17.10  # kept
  mail:
    image: mail.example/catcher:v1@sha256:0000
  web:
    image: work-in-france-routing:${WIF_VERSION:-0.2.0.dev0}
"""
DOCKERFILE = """\
FROM python:3.11.17-slim AS build
RUN echo FROM nothing:1
FROM build
FROM python:3.11.17-slim
"""
DOCKER = """\
#!/bin/sh
[ "$1 $2 $3 $4 $5" = "buildx imagetools inspect --format {{.Manifest.Digest}}" ] || exit 2
[ "$6" != unknown:1 ] || exit 1
[ "$6" != local:1 ] || { echo "<no value>"; exit; }
printf "sha256:%s\\n" "$(printf %s "$6" | sha256sum | cut -c1-64)"
"""
"""A registry whose digest of an image is the hash of its name."""


def pinned(image: str) -> str:
    return f"{image}@sha256:{hashlib.sha256(image.encode()).hexdigest()}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for files, and `docker` as above in front of any other."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(DOCKER)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return tmp_path


def named(path: Path) -> list[str]:
    """Every image of a file, whoever made it."""
    lines = re.findall(r"^\s*(?:- )?(?:image:|FROM)\s+(.+)$", path.read_text(), re.MULTILINE)
    return [line.split()[0].strip("\"'") for line in lines]


def test_every_foreign_image_is_pinned_by_digest() -> None:
    images = [image for path in DEPLOYED for image in named(path)]
    assert len(images) > 10
    loose = [each for each in images if not re.fullmatch(r"[^@]+:[^@]+@sha256:[0-9a-f]{64}", each)]
    assert [each for each in loose if not each.startswith(OURS)] == []


def test_the_digests_that_are_renewed_are_those_of_all_foreign_images() -> None:
    theirs = [each for path in DEPLOYED for each in named(path) if not each.startswith(OURS)]
    renewed = [image + digest for path in FILES for image, digest in foreign(path.read_text())]
    assert renewed == theirs


def test_digests_are_renewed_in_place_and_nothing_else_is_changed(folder: Path) -> None:
    compose, dockerfile = folder / "compose.yml", folder / "Dockerfile"
    compose.write_text(COMPOSE)
    dockerfile.write_text(DOCKERFILE)
    for _ in range(2):
        renew([compose, dockerfile])
        assert compose.read_text() == COMPOSE.replace(
            "postgres:17.10", pinned("postgres:17.10")
        ).replace("mail.example/catcher:v1@sha256:0000", pinned("mail.example/catcher:v1"))
        assert dockerfile.read_text() == DOCKERFILE.replace(
            "python:3.11.17-slim", pinned("python:3.11.17-slim")
        )


@pytest.mark.parametrize(
    ("image", "refusal"), [("unknown:1", subprocess.CalledProcessError), ("local:1", ValueError)]
)
def test_an_image_without_a_digest_leaves_every_file_as_it_is(
    folder: Path, image: str, refusal: type[Exception]
) -> None:
    compose, dockerfile = folder / "compose.yml", folder / "Dockerfile"
    compose.write_text(COMPOSE)
    dockerfile.write_text(f"{DOCKERFILE}FROM {image}\n")
    with pytest.raises(refusal, match=image):
        renew([compose, dockerfile])
    assert compose.read_text() == COMPOSE
