#!/usr/bin/env python3
"""Stands in for `redis-cli` where the machine has none: `redis-cli -h HOST -p PORT COMMAND`."""

import argparse
import os
import socket
import sys


def _ask(connection: socket.socket, *words: str) -> str:
    packed = "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
    connection.sendall(f"*{len(words)}\r\n{packed}".encode())
    return connection.recv(4096).decode().strip()


def main() -> int:
    """Authenticate with `REDISCLI_AUTH`, send the command, print its reply."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("-h", dest="host")
    parser.add_argument("-p", dest="port", type=int)
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    with socket.create_connection((given.host, given.port), timeout=5) as connection:
        _ask(connection, "AUTH", os.environ["REDISCLI_AUTH"])
        reply = _ask(connection, *given.command)
    sys.stdout.write(f"{reply.lstrip('+')}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
