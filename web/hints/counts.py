"""How many requests at the addresses of hints this process answered, and how."""

from collections import Counter
from enum import StrEnum


class Kind(StrEnum):
    """Of a hint: an unsigned form, or a signed batch."""

    FORM = "form"
    BATCH = "batch"


class Outcome(StrEnum):
    """What became of a request."""

    STORED = "stored"
    MALFORMED = "malformed"
    UNVERIFIED = "unverified"
    TOO_MANY = "too-many"
    UNAVAILABLE = "unavailable"


COUNTS: Counter[tuple[Kind, Outcome]] = Counter()
"""Changed in the event loop alone."""
