"""What is read from outside ends in time and in size, whatever the peer does."""

import math
import socket
import threading

import pytest

from connectors.deadline import TooManyBytes, reader, remaining, within


def test_nothing_is_bounded_where_no_bound_is_in_force() -> None:
    assert remaining() == math.inf
    assert remaining(3.0) == 3.0


def test_an_inner_block_cannot_outlast_the_outer_one() -> None:
    with within(1.0):
        with within(100.0):
            assert remaining() <= 1.0
        with within(0.0), pytest.raises(TimeoutError):
            remaining()
        assert remaining() > 0


def test_a_drip_ends_at_the_deadline_although_no_read_is_late() -> None:
    ours, theirs = socket.socketpair()
    ended = threading.Event()

    def drip() -> None:
        while not ended.wait(0.01):
            theirs.send(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    file = reader(ours, silence=5.0)
    with within(0.2), pytest.raises(TimeoutError):
        file.readline()
    ended.set()
    thread.join()
    ours.close()
    theirs.close()


def test_a_flood_ends_at_the_bound() -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(b"x" * 20_000)
    file = reader(ours)
    with within(5.0, most_bytes=10_000), pytest.raises(TooManyBytes):
        file.read(20_000)
    ours.close()
    theirs.close()


def test_the_bound_counts_anew_for_each_block() -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(b"a" * 6_000)
    file = reader(ours)
    with within(5.0, most_bytes=6_000):
        assert len(file.read(6_000)) == 6_000
    theirs.sendall(b"b" * 6_000)
    with within(5.0, most_bytes=6_000):
        assert len(file.read(6_000)) == 6_000
    ours.close()
    theirs.close()
