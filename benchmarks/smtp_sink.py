"""An SMTP server that accepts everything as fast as it can and remembers when.

    python -m benchmarks.smtp_sink [--host HOST] [--port PORT] [--report FILE]

It prints `listening on PORT`, and on SIGTERM or SIGINT writes its report as JSON:
`accepted` (messages), `distinct` (Message-IDs), `connections`, `cpu_seconds` (its own),
and `messages`: for each Message-ID the `time.time()` of each acceptance. Besides SMTP it
answers `XCOUNT` with `250 ACCEPTED DISTINCT`, so that a benchmark can wait for its end.

It checks nothing and keeps no message, so that it takes as little as it can of the
machine that it shares with what is measured. Never for mail that matters.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

_END = b"\r\n.\r\n"
_ID = b"\r\nmessage-id:"
_LINE_ENDS = b"\r\n"
_HELLO = b"250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 0\r\n"
_OK = b"250 OK\r\n"


@dataclass(slots=True)
class Record:
    """What the sink has accepted so far."""

    accepted: int = 0
    connections: int = 0
    messages: dict[str, list[float]] = field(default_factory=dict)

    def add(self, content: bytes | bytearray) -> None:
        """Count one message, known by the Message-ID in its header."""
        start = content.lower().find(_ID) + len(_ID)
        found = start >= len(_ID)
        end = content.find(_LINE_ENDS, start)
        message_id = content[start:end].strip().decode("ascii", "replace") if found else ""
        self.accepted += 1
        self.messages.setdefault(message_id, []).append(time.time())

    def as_json(self) -> str:
        """The report."""
        own = os.times()
        report = {
            "accepted": self.accepted,
            "distinct": len(self.messages),
            "connections": self.connections,
            "cpu_seconds": own.user + own.system,
            "messages": self.messages,
        }
        return json.dumps(report)


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._in_content = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._record.connections += 1
        transport.write(b"220 sink.example ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        answers = bytearray()
        while self._take(answers):
            pass
        if self._transport is not None and answers:
            self._transport.write(answers)

    def _take(self, answers: bytearray) -> bool:
        """Take one command or message off the buffer; False when none is whole."""
        if self._in_content:
            return self._take_content(answers)
        line, end, rest = self._buffer.partition(_LINE_ENDS)
        if not end:
            return False
        self._buffer = rest
        answers += self._answer(line[:6].upper().split(b" ", 1)[0].strip())
        return True

    def _take_content(self, answers: bytearray) -> bool:
        # the line end of DATA is put in front, so that an empty message ends as others do
        end = self._buffer.find(_END)
        if end < 0:
            return False
        self._record.add(self._buffer[:end])
        del self._buffer[: end + len(_END)]
        self._in_content = False
        answers += _OK
        return True

    def _answer(self, verb: bytes | bytearray) -> bytes:
        match bytes(verb):
            case b"EHLO":
                return _HELLO
            case b"DATA":
                self._in_content = True
                self._buffer[:0] = _LINE_ENDS
                return b"354 go on\r\n"
            case b"QUIT":
                asyncio.get_running_loop().call_soon(self._close)
                return b"221 bye\r\n"
            case b"XCOUNT":
                return f"250 {self._record.accepted} {len(self._record.messages)}\r\n".encode()
            case _:
                return _OK

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def serve(host: str, port: int, report: Path | None) -> None:
    """Listen until a signal comes; port 0 takes a free one."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    record = Record()
    server = await loop.create_server(lambda: Connection(record), host, port, backlog=512)
    print(f"listening on {server.sockets[0].getsockname()[1]}", flush=True)
    await stop.wait()
    server.close()
    if report is None:
        sys.stdout.write(record.as_json() + "\n")
    else:
        report.write_text(record.as_json(), encoding="utf-8")


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="an SMTP server that accepts everything")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 (default): a free one")
    parser.add_argument("--report", type=Path, help="where the report goes; default: stdout")
    options = parser.parse_args()
    asyncio.run(serve(options.host, options.port, options.report))


if __name__ == "__main__":
    main()
