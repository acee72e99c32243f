"""Servers whose highest rate is known from arithmetic: `holdfast capacity` finds it to 5 %, and names what ends it."""

from __future__ import annotations

import json
import resource
import shutil
from functools import partial

import pytest
from known_rates import CASES, CHEAP, Planted, busy_core, many_handlers, searched, searched_by_one_process
from support.commandline import Holdfast

_FEW_DESCRIPTORS = 64


@pytest.mark.parametrize("busy", [False, True], ids=["quiet", "busy"])
@pytest.mark.parametrize("case", [pytest.param(each, marks=pytest.mark.capacity, id=each.id) for each in CASES])
def test_the_rate_is_found_and_what_ends_it(case: Planted, holdfast: Holdfast, busy: bool) -> None:  # noqa: FBT001
    with busy_core(busy=busy):
        found = searched(case, holdfast)

    assert not case.faults(found, holdfast.directory)


@pytest.mark.capacity
@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed (apt-get install nginx)")
def test_a_load_that_is_slower_than_its_server_does_not_take_its_own_limit_for_the_servers(holdfast: Holdfast) -> None:
    assert not searched_by_one_process(holdfast)[1]


def test_a_quick_pool_is_found_in_short_loads_or_it_is_said_what_was_in_the_way(holdfast: Holdfast) -> None:
    """On a machine that other tests keep busy, the search may have no answer; it never has a wrong one."""
    found = searched(CHEAP, holdfast)

    if found["status"] == "edge":
        assert not CHEAP.faults(found, holdfast.directory)
    else:
        assert (found["rate_per_s"] or 0.0) <= 210
        assert any(each["limited"] for each in found["loads"]) or found["warnings"]


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
