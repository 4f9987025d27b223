"""How text typed by people is compared: labels, contract types, names of places."""

import re
import unicodedata

_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ‛`´′＇", "'"))
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "Œ": "oe", "Æ": "ae"})
_BLANKS = re.compile(r"\s+")


def normalise(text: str) -> str:
    """`text` in the form in which two spellings of the same words are equal.

    Case, accents (composed or decomposed), ligatures, kinds of apostrophe and of
    dash, and runs of blanks (no-break ones as well) make no difference.
    """
    if text.isascii():
        return " ".join(text.replace("`", "'").split()).lower()
    folded = unicodedata.normalize("NFKD", text.translate(_LIGATURES))
    bare = "".join(char for char in folded if not unicodedata.combining(char))
    plain = bare.translate(_APOSTROPHES).translate(_DASHES)
    return _BLANKS.sub(" ", plain).strip().casefold()
