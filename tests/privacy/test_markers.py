"""The search itself: it finds a marker in every encoding, and nothing where there is none."""

import json
import random
import secrets

import pytest

from tests.privacy.encodings import BINARY, NAME, TEXTUAL, planted_bytes
from tests.privacy.markers import Markers, found

FORMATS = (
    "0698765432",
    "06 98 76 54 32",
    "06.98.76.54.32",
    "06-98-76-54-32",
    "+33698765432",
    "+33 6 98 76 54 32",
    "+33 (0)6 98 76 54 32",
    "0033698765432",
    "987654321",
    "987 654 321 00017",
    "98765432100017",
    "9903098765",
    "99 0309 8765",
    "1931-03-17",
    "17/03/1931",
    "17 mars 1931",
    '{"telephone":33698765432}',
)

AROUND = {
    "nothing": (b"", b""),
    "words": ("à côté de ".encode(), " et après".encode()),
    "JSON": (b'{"a":"', b'"}'),
    "zeros": (b"\0\0\0", b"\0\0"),
    "noise": (bytes(range(128, 256)), bytes(range(256))),
}


@pytest.mark.parametrize("name", TEXTUAL)
@pytest.mark.parametrize("around", AROUND)
def test_every_textual_encoding_is_found(name: str, around: str) -> None:
    before, after = AROUND[around]
    assert "901" in found(before + TEXTUAL[name](f"{NAME}901").encode() + after)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("around", ["nothing", "words", "zeros"])
def test_every_binary_encoding_is_found(name: str, around: str) -> None:
    before, after = AROUND[around]
    assert "902" in found(before + BINARY[name](f"{NAME}902") + after)


@pytest.mark.parametrize("text", FORMATS)
@pytest.mark.parametrize("name", ["as it is", "base64", "URL", "JSON", "hexadecimal", "full width"])
def test_numbers_and_dates_are_found_in_every_format(text: str, name: str) -> None:
    assert found(TEXTUAL[name](text).encode())


def test_all_markers_are_found_wherever_they_stand_together() -> None:
    everything = planted_bytes()
    assert found(b"\n".join(everything.values())) >= set(everything)


def test_each_kind_of_marker_is_found() -> None:
    markers = Markers()
    for number in range(1, 65):
        assert f"{number:03}" in found(markers.next().encode())


def test_nothing_is_found_where_there_is_nothing() -> None:
    noise = random.Random(1)
    lines = "\n".join(
        json.dumps(
            {
                "timestamp": f"2026-11-23T07:{noise.randrange(60):02}:22.{noise.randrange(10**6)}",
                "procedure": 13760,
                "number": noise.randrange(10**8),
                "hash": noise.randbytes(32).hex(),
                "task": secrets.token_urlsafe(64),
            }
        )
        for _ in range(5000)
    )
    assert found(lines.encode()) == set()
    assert found(noise.randbytes(500_000)) == set()
