"""No test depends on the day on which it runs: the wall clock is read where this page says why.

`time_machine.travel` gives a command that runs in this process the instant of the test.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
THIS = Path(__file__).name

READERS = {
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "utc_now"),
    *("time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime"),
}

ALLOWED = {
    "cli/test_up.py": "a TPS for processes that have the machine's clock",
    "cli/test_stats.py": "the command reads the machine's clock",
    "connectors/webhook/test_signing.py": "the library that verifies has the machine's clock",
    "fixtures/webhook.py": "as above",
    "faults/clock.py": "a clock that the processes of a fault test share, moved from here",
    "fixtures/smtp.py": "when a message was accepted: its processes have the machine's clock",
    "privacy/documents.py": "TPS's dates, for processes that have the machine's clock",
    "privacy/planting.py": "rows for processes that have the machine's clock",
    "store/audit/test_timestamps.py": "openssl signs timestamps by the machine's clock",
    "deploy/test_compose_commands.py": "a health check compares the age of a file",
    "fixtures/signed_batches.py": "the library that verifies has the machine's clock",
    "connectors/tps/test_hints.py": "as above",
}
"""Modules that read the wall clock, and why they have to."""


def readings(source: str) -> Iterator[int]:
    """Lines on which a module reads the wall clock."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in READERS:
            converts = ast.unparse(node.func).startswith(("time.localtime", "time.gmtime"))
            if not (converts and node.args):
                yield node.lineno


MODULES = [path.relative_to(TESTS).as_posix() for path in sorted(TESTS.rglob("*.py"))]


def test_a_test_reads_no_wall_clock() -> None:
    found = [
        f"{name}:{line}"
        for name in MODULES
        if name not in {*ALLOWED, THIS}
        for line in readings((TESTS / name).read_text(encoding="utf-8"))
    ]
    assert found == [], "the wall clock is read: pass an instant, or travel to one"


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_allowed_is_still_used(name: str) -> None:
    assert list(readings((TESTS / name).read_text(encoding="utf-8")))


def test_every_reader_is_found() -> None:
    source = "\n".join(f"{reader}()" for reader in sorted(READERS))
    assert len(list(readings(source))) == len(READERS)
    assert list(readings("time.monotonic()\ntime.gmtime(0)")) == []
