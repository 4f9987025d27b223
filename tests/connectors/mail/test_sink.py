"""The sink of the benchmarks counts what it is given."""

import json
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.mail.smtp import SmtpSender
from tests.connectors.mail.samples import SENDER, mail

ROOT = Path(__file__).resolve().parents[3]


class Sink:
    """The sink as a process of its own."""

    def __init__(self, report: Path) -> None:
        self._report = report
        command = [sys.executable, "-m", "benchmarks.smtp_sink", "--report", str(report)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline().split()[-1])

    def stop(self) -> dict[str, object]:
        """End it as a benchmark does; its report."""
        self._process.terminate()
        self._process.communicate(timeout=10)
        report: dict[str, object] = json.loads(self._report.read_text(encoding="utf-8"))
        return report

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    running = Sink(tmp_path / "report.json")
    yield running
    running.kill()


def test_every_message_is_counted_under_its_id(sink: Sink) -> None:
    with SmtpSender(f"smtp://127.0.0.1:{sink.port}", sender=SENDER) as sender:
        for key in ("a", "b", "a"):
            sender.send(mail(key=key))

    report = sink.stop()

    assert (report["accepted"], report["distinct"], report["connections"]) == (3, 2, 1)
    messages = report["messages"]
    assert isinstance(messages, dict)
    assert {name: len(times) for name, times in messages.items()} == {
        mail(key="a").message_id: 2,
        mail(key="b").message_id: 1,
    }


def test_a_client_that_waits_for_each_answer_is_served_and_can_ask_for_the_count(
    sink: Sink,
) -> None:
    with smtplib.SMTP("127.0.0.1", sink.port, local_hostname="test.example") as client:
        for body in ("", ".", "..\r\n.\r\nx"):
            client.sendmail("a@x.example", ["b@x.example"], f"Message-ID: <1@x>\r\n\r\n{body}")

        assert client.docmd("XCOUNT") == (250, b"3 1")
