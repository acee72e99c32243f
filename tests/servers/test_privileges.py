"""The user as which root starts a server whose tasks are limited."""

from __future__ import annotations

import os

import pytest

from holdfast.servers.privileges import spare_uid


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_runs_that_begin_together_do_not_share_the_limit_of_one_user():
    chosen = [spare_uid() for _ in range(10)]

    # Out of four thousand: all the same by chance once in 10^32 times.
    assert len(set(chosen)) > 1
    assert None not in chosen
