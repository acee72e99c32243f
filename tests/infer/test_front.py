"""Where requests wait behind a front, from what the kernel showed of the queue between it and the server."""

from __future__ import annotations

from dataclasses import replace

import pytest
from records import snapshot

from holdfast.infer.front import front_of
from holdfast.model.front import QueueBetween, SeenFront
from holdfast.model.verdict import Places

QUEUE = QueueBetween("/run/shop.sock", 0, depth=17, limit=16, connections=13)
PLACES = Places(in_service=3, userspace_queue=40)


def front(*queues: QueueBetween, places: Places = PLACES):
    seen = SeenFront("nginx", (10, 11), "gunicorn", queues)
    return front_of(replace(snapshot(), front=seen), places)


def test_what_the_front_has_accepted_is_in_it_or_between_or_in_the_server():
    found, unknown = front(QUEUE)

    assert found is not None
    assert (found.in_front, found.accept_queue, found.in_server) == (13, 17, 10)
    assert found.through == ("unix:/run/shop.sock",)
    assert not unknown


def test_several_queues_are_added_up():
    found, unknown = front(QUEUE, replace(QUEUE, address="127.0.0.1", port=8001, depth=1, limit=8, connections=1))

    assert found is not None
    assert (found.in_front, found.accept_queue, found.in_server) == (11, 18, 11)
    assert found.accept_queue_limit is None
    assert set(unknown) == {"front.accept_queue_limit"}


@pytest.mark.parametrize(
    ("queues", "nulls"),
    [
        ((), {"in_front", "accept_queue", "accept_queue_limit", "in_server"}),
        ((replace(QUEUE, connections=None),), {"in_front", "in_server"}),
        ((replace(QUEUE, depth=None, limit=None),), {"in_front", "accept_queue", "accept_queue_limit"}),
        # More connections than requests: the two looks were not at one moment.
        ((replace(QUEUE, connections=60),), {"in_front", "in_server"}),
        ((replace(QUEUE, connections=2),), {"in_front", "in_server"}),
    ],
)
def test_what_was_not_seen_is_null_with_its_reason(queues, nulls):
    found, unknown = front(*queues)

    assert found is not None
    assert {
        name for name in ("in_front", "accept_queue", "accept_queue_limit", "in_server") if getattr(found, name) is None
    } == nulls
    assert set(unknown) == {f"front.{name}" for name in nulls}
    assert all(unknown.values())


def test_a_server_without_a_front_has_none():
    found, unknown = front_of(snapshot(), PLACES)

    assert found is None
    assert "the server itself" in unknown["front"]
