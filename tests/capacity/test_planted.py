"""Servers whose highest rate is known from arithmetic: `holdfast capacity` finds it to 5 %, and names what ends it."""

from __future__ import annotations

import json
import resource
from functools import partial

import pytest
from planted import CASES, CHEAP, Planted, busy_core, many_handlers, searched
from support.commandline import Holdfast

_FEW_DESCRIPTORS = 64


@pytest.mark.parametrize("busy", [False, True], ids=["quiet", "busy"])
@pytest.mark.parametrize("case", [pytest.param(each, marks=pytest.mark.capacity, id=each.id) for each in CASES])
def test_the_rate_is_found_and_what_ends_it(case: Planted, holdfast: Holdfast, busy: bool) -> None:  # noqa: FBT001
    with busy_core(busy=busy):
        found = searched(case, holdfast)

    assert not case.faults(found, holdfast.directory)


@pytest.mark.capacity
def test_a_pool_that_is_quick_is_found_in_short_loads(holdfast: Holdfast) -> None:
    assert not CHEAP.faults(searched(CHEAP, holdfast), holdfast.directory)


def test_a_load_that_is_short_of_descriptors_says_at_least_and_why(holdfast: Holdfast) -> None:
    """At 250 requests a second of 200 ms, 50 are in flight; the load has some 40 descriptors for them."""
    limited = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (_FEW_DESCRIPTORS, _FEW_DESCRIPTORS))
    with many_handlers(holdfast) as url:
        options = ("--threshold", "p99<2s", "--from", "100", "--for", "500ms", "--processes", "1")
        ended = holdfast.start("capacity", url, *options, "--json", "-", preexec_fn=limited).ended()

    found = json.loads(ended.out)
    assert (ended.exit, found["status"], found["bounded"]) == (3, "at least", False)
    assert 100 <= found["rate_per_s"] <= 250
    assert "descriptors" in found["words"]
    assert found["place"] is None
