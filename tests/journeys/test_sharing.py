"""What clients share, so that they cannot be dealt out among processes."""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any

import pytest
from walks import crew, request

from holdfast.journeys.sharing import OWN, SHARES, keeps_numbers, shared_by_clients
from holdfast.model import answers, journey, journey_request, journey_values
from holdfast.model.answers import FunctionCall, HookExtract, Variable
from holdfast.model.journey import (
    Alone,
    Assign,
    Condition,
    Count,
    Delay,
    Draw,
    If,
    Journeys,
    Loop,
    Meeting,
    OneOf,
    Pace,
    Share,
    TakeRow,
    Timed,
    Transaction,
)

TIMES = ("2",)
NUMBERS = {
    "the counter n is one for all clients",
    "no two clients get the same row of users.csv",
    "no two clients get the same row of a table",
    "clients keep to one rate together",
    "__counter is one for all clients",
}


def call(name: str, *arguments: str) -> FunctionCall:
    return FunctionCall(name, tuple((each,) for each in arguments))


@pytest.mark.parametrize(
    ("node", "why"),
    [
        (Count("n"), "the counter n is one for all clients"),
        (TakeRow(("n",), (("1",),), origin="users.csv"), "no two clients get the same row of users.csv"),
        (TakeRow(("n",), (("1",),), shared_by="crew"), "no two clients get the same row of a table"),
        (Draw("n", ("1",), ("6",), seed=("7",)), "the random numbers of n are one series for all"),
        (Timed((Pace(("60",), shared_by="load"),), ()), "clients keep to one rate together"),
        (Timed((Pace(("60",), precise=True, within_s=1.0),), ()), "clients keep to one schedule together"),
        (Timed((Pace(schedule=((1.0, 1.0, 1.0),)),), ()), "clients keep to one schedule together"),
        (Timed((Meeting(TIMES),), ()), "clients wait for each other"),
        (Share(("50",), ()), "a share is of the passes of all clients"),
        (Alone(("lock",), ()), "one client at a time does a part of it"),
        (request("/", extracts=(HookExtract("file.py", "sign"),)), "sign may keep values for all clients"),
        (Assign("n", (call("__counter", "FALSE"),)), "__counter is one for all clients"),
        (Assign("n", (FunctionCall("__counter", ((Variable("which"),),)),)), "__counter is one for all clients"),
        (Assign("n", (call("__setProperty", "a", "b"),)), "__setProperty is about all clients"),
        (If(Condition((call("__StringFromFile", "f"),)), ()), "__StringFromFile is about all clients"),
        (request("/", headers=((("A",), (call("__eval", "x"),)),)), "__eval may call what is about all clients"),
        (
            Assign("n", (FunctionCall("__if", ((call("__CSVRead", "f", "0"),),)),)),
            "__CSVRead is about all clients",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_what_clients_share_is_found_however_deep_it_lies(node: Any, why: str):
    inside = Loop(TIMES, (OneOf("by turns", (Transaction(("t",), (node,)),)),))

    of_hosts = [*shared_by_clients(Journeys((crew(inside),)), several_hosts=True)]
    of_processes = [*shared_by_clients(Journeys((crew(inside),)))]
    assert why in of_hosts
    # Numbers are shared by the processes of a host.
    assert (why in of_processes) == (why not in NUMBERS)
    assert set(of_processes) <= set(of_hosts)


def test_a_counter_in_what_is_decided_for_all_clients_is_not_counted_by_each_process():
    values = ((("n", (call("__counter", "FALSE"),)),),)

    assert [*shared_by_clients(Journeys((crew(request("/")),), values=values))] == ["__counter is one for all clients"]


def test_nodes_that_remember_are_found_as_often_as_they_are_there_and_not_within_requests():
    count, draw, pace = Count("n"), Draw("n", ("1",), ("6",)), Pace(("60",))
    row = TakeRow(("n",), (("1",),))
    inside = Loop(TIMES, (count, OneOf("by turns", (count, Timed((pace, Delay(("1",))), (draw, row, request("/")))))))

    assert [*keeps_numbers((inside,))] == [count, count, pace, draw]


def test_what_each_client_has_for_itself_is_not_shared():
    nodes = (
        Count("n", per_client=True),
        TakeRow(("n",), (("1",),), shared_by="client"),
        Draw("n", ("1",), ("6",)),
        Draw("n", ("1",), ("6",), seed=("7",), per_client=True),
        Timed((Pace(("60",)), Delay(("10",))), (request("/"),)),
        Share(("50",), (), per_client=True),
        Assign("n", (call("__counter", "TRUE"), call("__threadNum"), call("__P", "a"), call("__UUID"))),
    )

    assert [*shared_by_clients(Journeys((crew(*nodes, clients=3), crew(*nodes))), several_hosts=True)] == []


def test_groups_that_wait_for_each_other_are_not_dealt_out():
    one, other = crew(request("/")), crew(request("/"), stage="after")
    why = ["a group of clients waits for the end of another one"]

    assert [*shared_by_clients(Journeys((one, one)))] == []
    assert [*shared_by_clients(Journeys((one, one), one_by_one=True))] == why
    assert [*shared_by_clients(Journeys((one, other)))] == why


def kinds() -> list[type]:
    """All that a journey is made of."""
    found = {
        kind
        for module in (answers, journey, journey_request, journey_values)
        for kind in vars(module).values()
        if isinstance(kind, type) and is_dataclass(kind)
    }
    return sorted(
        found - {answers.Answer, journey.Crew, journey.Journeys, journey.Stay}, key=lambda kind: kind.__name__
    )


@pytest.mark.parametrize("kind", kinds())
def test_of_everything_that_a_journey_is_made_of_it_is_known_whether_clients_share_it(kind: type):
    assert (kind in SHARES) != (kind in OWN)
