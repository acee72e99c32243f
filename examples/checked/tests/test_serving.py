"""What must hold of the way in which the shop is served: a change that halves it fails here."""

from __future__ import annotations

import pytest

from holdfast.pytest_plugin import Measuring

pytestmark = pytest.mark.holdfast(max_offered=200, time_limit=60)


def test_eight_requests_run_at_once(holdfast: Measuring) -> None:
    # gunicorn.conf.py: 2 workers x 4 threads
    verdict = holdfast.probe()

    assert verdict.ceiling.in_service == 8
    assert verdict.model.processes == 2
    assert verdict.model.threads_reused


def test_an_order_takes_one_place_as_every_page_does(holdfast: Measuring) -> None:
    assert holdfast.probe(path="/orders/7").ceiling.in_service == 8
