"""Sets of ids as text: `1-9999,10003`. Short for what databases hand out, readable for people."""

import re
from collections.abc import Iterable
from itertools import pairwise

_TEXT = re.compile(r"\d{1,19}(-\d{1,19})?(,\d{1,19}(-\d{1,19})?)*", re.ASCII)


def compress(ids: Iterable[int]) -> str:
    """The ranges of `ids`, in the order given: only ascending ids join into a range."""
    spans: list[list[int]] = []
    for number in ids:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in spans)


def expand(text: str, *, most: int) -> list[int]:
    """The ids that `text` names, `most` at most.

    Raises:
        ValueError: it is not what `compress` makes of ascending ids, or names more of them.
    """
    if not text:
        return []
    if not _TEXT.fullmatch(text):
        raise ValueError("not a list of ranges")
    spans = [part.partition("-")[::2] for part in text.split(",")]
    bounds = [(int(low), int(high or low)) for low, high in spans]
    if sum(high - low + 1 for low, high in bounds) > most:
        raise ValueError("more ids than there can be")
    ids = [number for low, high in bounds for number in range(low, high + 1)]
    if compress(ids) != text or any(a >= b for a, b in pairwise(ids)):
        raise ValueError("ranges that are not ascending")
    return ids
