"""Personal data that nobody has, in the spellings in which it might come out."""

NAME = "Zoé Kanarienne"
MAIL = "zoe.kanarienne@canari.example"
PHONE = "0698765432"
WORD = "kanarienne"
"""A single word: what a pattern for codes could take for one."""

ALL = f"{NAME} <{MAIL}> {PHONE} {WORD}"

MARKS = ("kanarienne", "canari", "98765432", "zo\\u00e9")
"""What is searched for, in small letters."""


def found(text: str) -> list[str]:
    """The marks that stand in `text`."""
    small = text.lower()
    return [mark for mark in (*MARKS, "zoé") if mark in small]
