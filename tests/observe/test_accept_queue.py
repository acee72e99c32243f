"""When an accept queue is full, and how many more SYNs it takes."""

from __future__ import annotations

import pytest

from holdfast.model.accept_queue import AcceptQueue
from holdfast.model.timeline import Listener


@pytest.mark.parametrize(
    ("depth", "limit", "room", "spare"),
    [
        (0, 0, 1, 1),
        (1, 0, 0, 0),
        (0, 1, 2, 1),
        (1, 1, 1, 0),
        (0, 128, 129, 65),
        (64, 128, 65, 1),
        (65, 128, 64, 0),
        (128, 128, 1, 0),
        (129, 128, 0, 0),
        # listen() with a smaller backlog leaves in the queue what was there.
        (200, 128, 0, 0),
    ],
)
def test_a_queue_holds_one_more_than_its_limit_and_spares_half_of_it(depth, limit, room, spare):
    queue = AcceptQueue(depth, limit)

    assert (queue.room, queue.spare, queue.full) == (room, spare, room == 0)


@pytest.mark.parametrize("queue", [AcceptQueue(), AcceptQueue(300, None), AcceptQueue(None, 128)])
def test_of_a_queue_that_is_not_shown_nothing_is_claimed(queue):
    assert (queue.room, queue.spare, queue.full) == (None, None, False)


def test_a_listener_has_its_queue():
    assert Listener(7, "127.0.0.1", 8000, depth=3, limit=2).queue == AcceptQueue(3, 2)
