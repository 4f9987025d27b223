"""`wif up`: worker and beat as real processes on an embedded broker."""

import json
import signal
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from routing.forms import Form
from simulator import Server
from tests.fixtures.harness import PARIS_FORM, Harness
from tests.fixtures.processes import ROOT, WIF, clean_environment, until, wif

PARTS = {"beat", "poll", "route", "deliver", "upkeep"}
LISTENING = "0A"
"""The state of a listening socket in `/proc/net/tcp`."""


def test_the_service_tells_of_what_is_there_and_of_what_comes_and_stops_when_told(
    harness: Harness, tps: Server, tmp_path: Path
) -> None:
    paris: Form = harness.form(PARIS_FORM)
    for _ in range(60):
        harness.tps.add(paris)
    for _ in range(3):
        harness.tps.add(paris, state="closed")
    environment = clean_environment(
        {
            "WIF_TPS_URL": tps.url,
            "WIF_TPS_TOKEN": tps.simulator.token,
            "WIF_DATABASE_URL": harness.runtime.settings.database,
            "WIF_VAR_DIR": str(tmp_path / "var"),
            "WIF_OUTBOX_DIR": str(harness.outbox),
            "WIF_TPS_PROCEDURES": str(PARIS_FORM),
            "WIF_POLL_INTERVAL": "1",
            "WIF_NOTIFY_DECIDED": "false",
        }
    )
    with (tmp_path / "log").open("wb") as log:
        service = subprocess.Popen(
            [*WIF, "up", "--concurrency", "2"], env=environment, cwd=ROOT, stdout=log, stderr=log
        )
    try:
        until(lambda: len(list(harness.outbox.glob("*.eml"))) == 60, "60 mails")
        _assert_private(service.pid, tmp_path)
        until(lambda: b"first contact" in log_of(tmp_path), "the first contact is told of")
        # TPS's clock and that of the service differ by less than a day in life.
        harness.now = datetime.now(UTC)
        harness.tps.add(paris)
        until(lambda: len(list(harness.outbox.glob("*.eml"))) == 61, "the newcomer's mail")
        until(lambda: _alive(environment) == PARTS, "beat and every queue are seen alive")
    finally:
        service.send_signal(signal.SIGTERM)
        code = service.wait(60)
    assert code == 0
    said = b"first contact: 60 dossiers are told to their office, 3 are only recorded"
    assert log_of(tmp_path).count(said) == 1
    states = {delivery.state for delivery in harness.deliveries()}
    assert states == {"sent"}
    assert len(harness.deliveries()) == 61
    for chatter in (b"task-succeeded", b"task-received", b"task-due", b"[config]"):
        assert chatter not in log_of(tmp_path)


def log_of(folder: Path) -> bytes:
    """What the service printed."""
    return (folder / "log").read_bytes()


def _alive(environment: dict[str, str]) -> set[str]:
    given = {name: value for name, value in environment.items() if name.startswith("WIF_")}
    found = json.loads(wif("status", "--json", **given).stdout)["alive"]
    return {part for part, pulse in found.items() if pulse["alive"]}


def _assert_private(service: int, folder: Path) -> None:
    """No port of ours is open, and what the service writes is its user's alone."""
    assert "broker: embedded" in (folder / "log").read_text()
    processes = {process.pid: process for process in _descendants(service)}
    assert any("valkey" in process.name for process in processes.values())
    assert not [port for process in processes.values() for port in process.listening]
    for path in (folder / "var").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@dataclass(frozen=True)
class Process:
    """One process as the kernel shows it."""

    pid: int
    name: str
    listening: list[str]


def _descendants(pid: int) -> Iterator[Process]:
    folder = Path("/proc") / str(pid)
    yield Process(pid, (folder / "comm").read_text().strip(), list(_listening(folder)))
    for child in (folder / "task" / str(pid) / "children").read_text().split():
        yield from _descendants(int(child))


def _listening(folder: Path) -> Iterator[str]:
    sockets = {str(each.readlink()) for each in (folder / "fd").iterdir() if each.is_symlink()}
    for table in ("tcp", "tcp6"):
        for line in (folder / "net" / table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and f"socket:[{fields[9]}]" in sockets:
                yield fields[1]
