"""Which socket of a server behind a front is named as the one to measure."""

from __future__ import annotations

import pytest

from holdfast.model.timeline import Listener
from holdfast.probing.injection import held_by_most

MASTER, WORKERS, FRONT = 10, (11, 12), 20


def listener(inode: int, *pids: int) -> Listener:
    return Listener(inode, "127.0.0.1", 8000 + inode, 0, 128, pids)


FRONTS = listener(1, FRONT)
REQUESTS = listener(2, MASTER, *WORKERS)
CONTROL = listener(3, MASTER)


@pytest.mark.parametrize("listeners", [(FRONTS, CONTROL, REQUESTS), (REQUESTS, CONTROL, FRONTS)])
def test_it_is_the_socket_that_most_of_its_processes_hold(listeners):
    assert held_by_most(listeners, {MASTER, *WORKERS}) == REQUESTS


def test_sockets_of_the_front_alone_are_none_of_the_server():
    assert held_by_most((FRONTS,), {MASTER, *WORKERS}) is None
