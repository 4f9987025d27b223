"""Compares the lock file with recorded security advisories: `make audit`, without any network.

The record (`release/advisories.json`) is made by `make audit-record`, which asks osv.dev for what
is known of the locked versions, wherever osv.dev can be reached. A record answers for the versions
that it was asked about: a pin that it does not cover is named, and so is the record's age.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from packaging.utils import NormalizedName, canonicalize_name

from release.lock import Pin, read_lock

RECORD = Path(__file__).resolve().parent / "advisories.json"
SOURCE = "https://api.osv.dev"
OLD_DAYS = 30
TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Advisory:
    """A known weakness of one version of a distribution.

    Attributes:
        id: for example `GHSA-…` or `PYSEC-…`.
    """

    id: str
    package: str
    version: str
    summary: str


@dataclass(frozen=True, slots=True)
class Record:
    """What was known at an instant of the versions that were asked about.

    Attributes:
        recorded_at: None when nothing was ever recorded.
        asked: `name==version` of each.
    """

    recorded_at: datetime | None
    asked: frozenset[str]
    advisories: tuple[Advisory, ...]


def read_record(path: Path = RECORD) -> Record:
    """The record that is kept with the project."""
    content = json.loads(path.read_text(encoding="utf-8"))
    at = content["recorded_at"]
    return Record(
        recorded_at=datetime.fromisoformat(at) if at else None,
        asked=frozenset(content.get("asked", ())),
        advisories=tuple(Advisory(**each) for each in content["advisories"]),
    )


def audit(
    pins: Mapping[NormalizedName, Pin], record: Record, *, now: datetime
) -> tuple[list[Advisory], list[str]]:
    """Advisories that hold for the pins, and what the record cannot answer for, in words."""
    locked = {f"{name}=={pin.version}" for name, pin in pins.items()}
    found = [each for each in record.advisories if f"{each.package}=={each.version}" in locked]
    return found, list(_gaps(locked, record, now))


def _gaps(locked: set[str], record: Record, now: datetime) -> Iterator[str]:
    if record.recorded_at is None:
        yield "nothing was recorded yet: run `make audit-record` where osv.dev can be reached"
        return
    days = (now - record.recorded_at).days
    if days > OLD_DAYS:
        yield f"the record is {days} days old: run `make audit-record`"
    if missing := sorted(locked - record.asked):
        yield f"{len(missing)} locked versions were never asked about: {', '.join(missing[:5])}"


def ask(pins: Mapping[NormalizedName, Pin], *, source: str = SOURCE) -> dict[str, Any]:
    """What `source` (an OSV API) knows of the locked versions, as a record to keep.

    Raises:
        requests.RequestException: it cannot be reached or refuses.
    """
    queries = [
        {"package": {"ecosystem": "PyPI", "name": name}, "version": str(pin.version)}
        for name, pin in pins.items()
    ]
    answer = requests.post(
        f"{source}/v1/querybatch", json={"queries": queries}, timeout=TIMEOUT_SECONDS
    )
    answer.raise_for_status()
    results = answer.json()["results"]
    advisories = [
        {
            "id": known["id"],
            "package": canonicalize_name(name),
            "version": str(pin.version),
            "summary": _summary(source, known["id"]),
        }
        for (name, pin), result in zip(pins.items(), results, strict=True)
        for known in result.get("vulns", ())
    ]
    return {
        "recorded_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": source,
        "asked": [f"{name}=={pin.version}" for name, pin in pins.items()],
        "advisories": advisories,
    }


def _summary(source: str, advisory: str) -> str:
    answer = requests.get(f"{source}/v1/vulns/{advisory}", timeout=TIMEOUT_SECONDS)
    answer.raise_for_status()
    return str(answer.json().get("summary", ""))[:200]


def main() -> None:
    """Audit the lock; with `--record`, ask first. Exit code 1: a locked version is known weak."""
    pins = read_lock()
    if "--record" in sys.argv[1:]:
        RECORD.write_text(json.dumps(ask(pins), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    found, gaps = audit(pins, read_record(), now=datetime.now(UTC))
    for gap in gaps:
        sys.stdout.write(f"NOT AUDITED: {gap}\n")
    for each in found:
        sys.stdout.write(f"{each.package} {each.version}: {each.id} {each.summary}\n")
    if not gaps and not found:
        sys.stdout.write(f"{len(pins)} locked versions: no known weakness\n")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
