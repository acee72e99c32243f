"""Whether all requests that wait are in the front: only where the kernel tells that none is behind it."""

from __future__ import annotations

import os

import pytest

from holdfast.model.accept_queue import AcceptQueue
from holdfast.observe.kernel import KernelView
from holdfast.probing.front import Behind


class OneQueue(KernelView):
    """The kernel, with a queue between the two of this depth, from which the server has taken nothing."""

    def __init__(self, depth):
        super().__init__()
        self.depth = depth

    def accept_queue(self, _address):
        return AcceptQueue(self.depth, 16)


@pytest.mark.parametrize(("depth", "kept"), [(0, True), (2, False), (None, False)])
def test_a_front_keeps_back_all_that_wait_only_where_the_queue_behind_it_is_known_to_be_empty(depth, kept):
    with OneQueue(depth) as kernel:
        behind = Behind(kernel, (os.getpid(),), os.getpid(), ())
        # A port at which nothing listens, so no connection there is the server's.
        behind.addresses = (9,)

        assert behind.keeps_back(0) is kept
