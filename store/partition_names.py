"""Partitions of the audit log: a month each, and their names."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

TABLE = "audit_lines"


def open_partition(names: list[str]) -> str:
    return next(name for name in names if name.startswith(f"{TABLE}_from_"))


def first_day(name: str) -> date:
    """The first day of the partition with that name."""
    year, month = re.findall(r"\d+", name)
    return date(int(year), int(month), 1)


def name_of(month: date) -> str:
    return f"{TABLE}_{month:%Y_%m}"


def open_name(month: date) -> str:
    return f"{TABLE}_from_{month:%Y_%m}"


def quoted(day: date) -> str:
    return f"'{day:%Y-%m-%d} 00:00:00+00'"


def month_of(instant: datetime) -> date:
    return instant.astimezone(UTC).date().replace(day=1)


def later(month: date, months: int) -> date:
    count = month.year * 12 + month.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def months(since: date, before: date) -> Iterator[date]:
    while since < before:
        yield since
        since = later(since, 1)
