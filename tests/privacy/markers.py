"""Personal data that nobody has, and the search that finds it however it was written.

Every marker holds the word `zqkanari`, in some spelling, and a number of its own; what must
be digits or dates in life is a number that occurs nowhere else. The search undoes encodings
instead of guessing them: whatever can be decoded is decoded, then compared without case and
accents.
"""

import binascii
import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from urllib.parse import unquote_to_bytes

WORD = "Zqkanari"

PHONE = "0698765432"
SIRET = "98765432100017"
PERMIT = "9903098765"
BIRTH = "1931-03-17"
BIG_NUMBER = 98_765_432_100_017

_SEPARATOR = r"[ .\-/()\u00a0\u202f]{0,2}"


def _spaced(digits: str) -> str:
    return _SEPARATOR.join(digits)


_FOUND = re.compile(
    "|".join(
        (
            r"(?P<word>zqkanari)[ .\-_]?(?P<number>[0-9]{3})?",
            rf"(?P<phone>(?<![0-9a-f])(?:0|(?:00)?33{_SEPARATOR}0?){_SEPARATOR}{_spaced(PHONE[1:])})",
            rf"(?P<siren>(?<![0-9a-f]){_spaced(SIRET[:9])}(?:{_spaced(SIRET[9:])}|(?![0-9a-f])))",
            rf"(?P<permit>(?<![0-9a-f]){_spaced(PERMIT)})",
            rf"(?P<birth>(?<![0-9]){_spaced('19310317')}|{_spaced('17031931')}|17 mars 1931)",
        )
    )
)

_NAMES = (
    "Zqkânarï {n} Épiphanie",
    unicodedata.normalize("NFD", "Zqkânarï {n} Épiphanie"),
    "ZQKÀNARÎ {n}",
    "ẑqkanari-{n}",
)
_KINDS: tuple[Callable[[str], str], ...] = (
    *(name.replace("{n}", "%s").__mod__ for name in _NAMES),
    "zqkanari{}@courriel.example".format,
    lambda n: f"{PHONE} zqkanari{n}",
    lambda n: f"+33 6 98 76 54 32 (zqkanari{n})",
    lambda n: f"06.98.76.54.32 zqkanari{n}",
    lambda n: f"{BIRTH} zqkanari{n}",
    lambda n: f"17/03/1931 zqkanari{n}",
    lambda n: f"{PERMIT} zqkanari{n}",
    lambda n: f"12 rue Zqkânarï{n}\r\n75011 PARIS",
    lambda n: f"987 654 321 00017 zqkanari{n}",
    lambda n: f"<p>Bonjour <b>Zqkânarï{n}</b>, &agrave; bient&ocirc;t</p>",
    lambda n: f"https://fichiers.example/zqkanari{n}.pdf?signature=zqkanari{n}&expires=1",
    lambda n: f"Zqkanari{n} %s %(x)s {{}} {{0}} $1 :x ' \" \\ ; -- \t",
)


class Markers:
    """Gives texts that look like what people type, each of its own number and kind by kind."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def next(self) -> str:
        """Another one."""
        number = next(self._numbers)
        return _KINDS[number % len(_KINDS)](f"{number % 1000:03}")

    def letters(self) -> str:
        """Another one without digits, which routing would read."""
        number = f"{next(self._numbers) % 1000:03}"
        return "Zqkânarï" + "".join("abcdefghij"[int(digit)] for digit in number)

    def plain(self) -> str:
        """Another one that can stand where only ASCII letters and digits can."""
        return f"{WORD}{next(self._numbers) % 1000:03}"


def found(data: bytes) -> set[str]:
    """What stands in `data` of any marker, in whatever encoding; empty when nothing does."""
    hits: set[str] = set()
    for view in _suspicious(data):
        for match in _FOUND.finditer(view):
            hits.add(match["number"] or match[0])
    return hits


def where(data: bytes) -> list[str]:
    """The surroundings of the first hits, for a person who looks for the leak."""
    return [
        view[max(0, match.start() - 120) : match.end() + 60]
        for view in _suspicious(data)
        for match in list(_FOUND.finditer(view))[:2]
    ][:6]


_CORES = ("zqkanari", PHONE[1:], SIRET[:9], PERMIT, "19310317", "17031931", "17mars1931")
_SEPARATORS = dict.fromkeys(map(ord, " .-/()\u00a0\u202f"))


def _suspicious(data: bytes) -> Iterator[str]:
    """The views in which a marker may stand: a quick look before the exact one."""
    for view in _views(data):
        folded = _folded(view)
        bare = folded.translate(_SEPARATORS)
        if any(core in bare for core in _CORES):
            yield folded


def _folded(text: str) -> str:
    if not text.isascii():
        text = _COMBINING.sub("", unicodedata.normalize("NFKD", text))
    return text.casefold()


_COMBINING = re.compile("[\u0300-\u036f]")


def _views(data: bytes) -> Iterator[str]:
    """Everything that `data` can be read as, one encoding inside another included."""
    for text in _texts(data):
        for plain in dict.fromkeys((text, _unescaped(text))):
            yield plain
            for inner in (*_from_base64(plain), *_from_hex(plain)):
                for again in _texts(inner):
                    yield again
                    yield _unescaped(again)


def _promising(data: bytes) -> bool:
    """Whether a marker may stand here: a quick look."""
    bare = data.lower().translate(None, b" .-/()\0")
    return _KAN.search(bare) is not None or any(core in bare for core in _NUMBERS)


_KAN = re.compile(rb"qk.{1,7}n", re.DOTALL)
"""In every spelling q and k have no accent; between k and n stands a letter or an escape."""
_NUMBERS = tuple(core.encode() for core in _CORES[1:])


def _texts(data: bytes) -> Iterator[str]:
    yield data.decode("utf-8", "ignore")
    if not _promising(data):
        return
    if not data.isascii():
        yield data.decode("latin-1")
    if b"\0" in data:
        yield _MARKS_OF_UTF_16.sub("", data.replace(b"\0", b"").decode("latin-1"))


_MARKS_OF_UTF_16 = re.compile("[\x01-\x27]?\x03[\x01-\x27]?")
"""A combining accent of UTF-16 when its zeros are gone, in either order of bytes."""


def _unescaped(text: str) -> str:
    """URL-, quoted-printable-, HTML-, JSON- and Python-escapes undone, nested ones too."""
    for _ in range(5):
        before = text
        if "\\" in text:
            text = _ESCAPE.sub(_escaped, text)
        if "=" in text:
            text = _as_bytes(_SOFT_BREAK.sub("", text), _QUOTED)
        if "%" in text:
            text = _as_bytes(text, _PERCENT)
        if "&" in text:
            text = html.unescape(text)
        if text == before:
            break
    return text


_SOFT_BREAK = re.compile(r"=\r?\n[ \t]*")
_QUOTED = re.compile(r"(?:=[0-9A-Fa-f]{2})+")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_ESCAPE = re.compile(
    r"\\u([0-9a-fA-F]{4})"
    r"|((?:\\x[0-9a-fA-F]{2})+)"
    r"|((?:\\[0-3][0-7]{2})+)"
    r"|\\([rnt\"'/\\])"
)


def _as_bytes(text: str, form: re.Pattern[str]) -> str:
    def decoded(match: re.Match[str]) -> str:
        return unquote_to_bytes(match[0].replace("=", "%")).decode("utf-8", "replace")

    return form.sub(decoded, text)


def _escaped(match: re.Match[str]) -> str:
    unit, hexadecimal, octal, letter = match.groups()
    if unit:
        return chr(int(unit, 16))
    if hexadecimal:
        return _utf_8_or_latin_1(bytes.fromhex(hexadecimal.replace(r"\x", "")))
    if octal:
        return _utf_8_or_latin_1(bytes(int(code, 8) for code in octal[1:].split("\\")))
    return {"r": "\r", "n": "\n", "t": "\t"}.get(letter, letter)


def _utf_8_or_latin_1(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


_BREAK = re.compile(r"[\r\n]+[ \t]*")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{11,}")
_HEX = re.compile(r"[0-9a-fA-F]{16,}")
_STANDARD = str.maketrans("-_", "+/")


def _from_base64(text: str) -> Iterator[bytes]:
    """What runs of base64 hold, at each of the four alignments, lines joined."""
    runs = [run.translate(_STANDARD) for run in _BASE64.findall(_BREAK.sub("", text))]
    for offset in range(4):
        yield _joined(_decoded(run[offset:]) for run in runs)


def _decoded(run: str) -> bytes:
    """A run of base64 whose padding is not known."""
    rest = len(run) % 4
    return binascii.a2b_base64(run[:-1] if rest == 1 else run + "=" * (-rest % 4))


def _from_hex(text: str) -> Iterator[bytes]:
    runs = _HEX.findall(_BREAK.sub("", text))
    for offset in range(2):
        whole = (run[offset : offset + (len(run) - offset) // 2 * 2] for run in runs)
        yield _joined(bytes.fromhex(part) for part in whole)


def _joined(decoded: Iterable[bytes]) -> bytes:
    """What may hold a marker of what was decoded; most of it is noise."""
    return b"\n".join(each for each in decoded if _promising(each))
