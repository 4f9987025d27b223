"""Days as people write them, for a proposal where YAML has none."""

import re
from calendar import monthrange
from contextlib import suppress
from datetime import date

from config.messages import tr
from routing.text import normalise

_MONTHS = (
    *("janvier", "fevrier", "mars", "avril", "mai", "juin"),
    *("juillet", "aout", "septembre", "octobre", "novembre", "decembre"),
)
_FORMS = (
    re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d).*"),
    re.compile(r"(?P<day>\d{1,2})[-/.](?P<month>\d{1,2})[-/.](?P<year>\d{4})(?!\d).*"),
    re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})"),
    re.compile(r"(?P<day>\d{1,2})[-/.](?P<month>\d{1,2})[-/.](?P<short>\d{2})"),
    re.compile(
        rf"(?P<day>\d{{1,2}})(er)? (?P<month>{'|'.join(_MONTHS)}|[a-z]{{3,5}}\.?) (?P<year>\d{{4}})"
    ),
)


def explained(text: str) -> tuple[str, str]:
    """What is wrong with a text that is no day, and what to write."""
    for form in _FORMS:
        found = form.fullmatch(" ".join(normalise(text).split()))
        if found is not None and (month := _month(found["month"])):
            parts = found.groupdict()
            year = int(parts.get("year") or f"20{parts['short']}")
            return _near(year, month, int(parts["day"]))
    return tr("is not a day"), tr("for example {example}", example="2020-11-30")


def _month(text: str) -> int | None:
    """The number of a month, also of one that is shortened; None when it is none."""
    if text.isdigit():
        return int(text)
    found = [at for at, month in enumerate(_MONTHS, 1) if month.startswith(text.rstrip("."))]
    return found[0] if len(found) == 1 else None


def _near(year: int, month: int, day: int) -> tuple[str, str]:
    with suppress(ValueError):
        meant = date(year, month, day).isoformat()
        return tr("is not a day"), tr("write it as {example}", example=meant)
    with suppress(ValueError):
        last = date(year, month, monthrange(year, month)[1])
        if day > last.day:
            message = tr("there is no such day")
            return message, tr("that month ends on {last}", last=last)
    return tr("there is no such day"), tr("for example {example}", example="2020-11-30")
