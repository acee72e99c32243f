"""Waits for sockets: what is ready is told at once, and what is not is waited for no longer than asked."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator

import pytest

from holdfast.engine.waiting import BUSY_NS, LONG_NS, Waiting
from holdfast.model.units import MS

READABLE = select.EPOLLIN | select.EPOLLET


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@pytest.fixture
def waiting() -> Iterator[Waiting]:
    made = Waiting()
    yield made
    made.close()


@pytest.mark.parametrize("waits_before", [0, 1, 2])
def test_what_is_ready_is_told_once_also_after_waits_in_vain(waiting, pair, waits_before):
    one, other = pair
    waiting.register(one, READABLE)
    for _ in range(waits_before):
        assert waiting.wait(MS) == []

    other.send(b"x")

    assert waiting.wait(20_000 * MS) == [(one.fileno(), select.EPOLLIN)]
    assert waiting.wait(0) == []


def test_a_wait_in_vain_lasts_as_long_as_asked_and_counts_as_idle(waiting, pair):
    waiting.register(pair[0], READABLE)

    for asked_ns in (LONG_NS // 2, LONG_NS, LONG_NS + 1, 2 * LONG_NS + 1):
        idle_ns, began_ns = waiting.idle_ns, time.monotonic_ns()
        assert waiting.wait(asked_ns) == []
        lasted_ns = time.monotonic_ns() - began_ns
        assert asked_ns <= waiting.idle_ns - idle_ns <= lasted_ns


def test_a_wait_for_nothing_asks_only(waiting, pair):
    waiting.register(pair[0], READABLE)
    assert waiting.wait(2 * BUSY_NS) == []

    assert waiting.wait(0) == waiting.wait(-MS) == []
    pair[1].send(b"x")

    assert waiting.wait(0) == [(pair[0].fileno(), select.EPOLLIN)]
