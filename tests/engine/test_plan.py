from __future__ import annotations

from array import array

from driving import steady
from hypothesis import given
from hypothesis import strategies as st

from holdfast.engine.plan import Plan, processes_for, share_out, sources_for, whole
from holdfast.engine.shapes import Closed, Open, most_within
from holdfast.model import schedule
from holdfast.model.scenario import Timeouts


def test_connections_beyond_one_process_need_another():
    assert processes_for(0, 19_968) == 1
    assert processes_for(19_968, 19_968) == 1
    assert processes_for(19_969, 19_968) == 2
    assert processes_for(40_000, 19_968) == 3


def test_connections_beyond_half_of_one_sources_ports_need_another_loopback_address():
    assert sources_for("127.0.0.1", 14_116, 28_232) == ()
    assert sources_for("127.0.0.1", 14_117, 28_232) == ("127.0.0.1", "127.0.0.2")
    assert sources_for("127.0.0.1", 40_000, 28_232) == ("127.0.0.1", "127.0.0.2", "127.0.0.3")
    assert len(sources_for("127.0.0.1", 50_000_000, 28_232)) == 256


def test_no_source_is_made_up_where_only_the_kernel_knows_ours():
    for address in ("192.0.2.1", "::1", "example.org"):
        assert sources_for(address, 100_000, 28_232) == ()


@given(st.integers(0, 300), st.integers(1, 9), st.integers(0, 40))
def test_the_parts_have_each_row_and_each_connection_once(requests, processes, connections):
    for shape in (Open(schedule.burst(requests)), Closed(connections, requests)):
        plan = Plan("127.0.0.1", 80, b"", shape)

        parts = share_out(plan, whole(plan), processes)

        assert sorted(row for part in parts for row in part.rows) == list(range(requests))
        assert sum(part.connections for part in parts) == plan.connections


@given(st.lists(st.integers(0, 1000), max_size=60), st.integers(1, 1200))
def test_as_many_as_are_due_within_a_time_are_never_taken_for_fewer(due, within):
    due_ns = array("q", sorted(due))
    truly = max((sum(at <= each < at + within for each in due_ns) for at in due_ns), default=0)

    assert truly <= most_within(due_ns, within) <= len(due_ns)


def test_a_low_rate_for_a_long_time_takes_one_load_process():
    plan = Plan("127.0.0.1", 1, b"", Open(steady(100, 3600)), timeouts=Timeouts(whole_s=60.0))

    assert 12_000 <= plan.connections <= 15_100
    assert processes_for(plan.connections, 19_000) == 1
    assert Plan("127.0.0.1", 1, b"", Open(steady(100, 3600))).connections == 360_000
