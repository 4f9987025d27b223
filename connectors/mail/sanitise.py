"""Text that came from outside the code, made safe to stand on one line of a mail.

Labels, names and sentences are typed by admins. A line break in one would add a header
or forge a line of the mail; an invisible character would make it say something else.
"""

import unicodedata
from functools import lru_cache

_BLANK = frozenset({"Zs", "Zl", "Zp", "Cc"})
_INVISIBLE = frozenset({"Cf", "Cs", "Co", "Cn"})
"""Direction overrides, zero-width characters, lone surrogates, private and unassigned ones."""


@lru_cache(maxsize=4096)
def one_line(text: str, *, longest: int) -> str:
    """`text` on one line: visible characters only, blanks single, at most `longest` characters.

    `=?` is taken apart, because the mail library would read it as the start of an
    encoded word and decode what follows, line breaks included.
    """
    visible = "".join(_visible(char) for char in unicodedata.normalize("NFC", text))
    plain = " ".join(visible.replace("=?", "= ?").split())
    return plain if len(plain) <= longest else plain[: longest - 1].rstrip() + "…"


def _visible(char: str) -> str:
    """`char`, a blank for any kind of blank or control, nothing for what cannot be seen."""
    if char.isascii() and char.isprintable():
        return char
    category = unicodedata.category(char)
    if category in _BLANK:
        return " "
    return "" if category in _INVISIBLE else char
