"""Elements of JMeter plans that are rarely combined; expected is what JMeter 5.5 does (tests/oracle)."""

from __future__ import annotations

import pytest
from jmeter.small_plans import controller, paths
from jmeter.small_plans import sent as walk_of
from jmeter.test_requests import read, sent
from journeys.walks import walked
from oracle import jmx_elements as e
from plans.writing import element, group, http, text, variables

from holdfast.journeys.steps import Grouped

A, B = http("/a", name="a"), http("/b", name="b")


def test_of_several_handlers_an_end_comes_first_and_then_the_farthest_one() -> None:
    def after(*actions: str) -> str:
        """What is sent with these handlers, the farthest first."""
        below = controller("LoopController", A + B, LoopController__loops="2") + http("/c")
        for action in reversed(actions):
            handler = element("ResultAction", "handler", text("OnError.action", action))
            below = controller("GenericController", handler + below)
        return paths(group(below, loops="2"), answers=lambda each: 500 if each.path == "/a" else 200)

    assert after("4", "6") == "a a"
    assert after("6", "4") == "a c a c"
    assert after("6", "1") == "a"
    assert after("0", "6") == "a c a c"


def test_a_file_of_a_form_has_the_name_that_its_variable_says_and_needs_that_of_a_parameter() -> None:
    named = variables(n="n.txt") + e.request("/r", e.files(("${n}", "note", "text/plain")), method="POST")
    (sending,) = sent(named)
    (note,) = read(e.request("/r", e.files(*[("n.txt", "", "text/plain")] * 2), method="POST")).notes

    assert b'name="note"; filename="n.txt"' in (sending.body or b"")
    assert "'n.txt', a file of its form, has no parameter name: nothing is sent" in note.meaning


@pytest.mark.parametrize(
    ("said", "host"),
    [
        ({"port": "8000"}, "shop.example:8000"),
        ({"port": "80"}, "shop.example"),
        ({"port": "${p}"}, "shop.example:81"),
        ({"domain": "${h}", "port": ""}, "shop.example"),
    ],
)
def test_a_host_field_gets_the_port_of_the_url(said: dict[str, str], host: str) -> None:
    below = e.request("/r", below=e.header_manager(Host="shop.example"), **said)
    (sending,) = sent(below, {"p": "81", "h": "127.0.0.1"})
    (other,) = sent(e.request("/r", below=e.header_manager(Host="shop.example:90"), **said), {"p": "81", "h": "::1"})

    assert dict(sending.headers)["Host"] == host
    assert dict(other.headers)["Host"] == "shop.example:90"


def test_values_are_looked_for_also_where_a_request_cannot_be_sent() -> None:
    unsent = e.request("/${nobody}", below=e.regex("x", "(.)", default="none"))
    journeys = read(unsent + e.request("/${x}")).journeys

    assert walked(*journeys.crews, journeys=journeys).paths == ["/none"]


@pytest.mark.parametrize(("parent", "requests"), [("true", [1]), ("false", [])])
def test_a_transaction_with_its_requests_below_it_is_a_result_where_its_thread_ends(
    parent: str, requests: list[int]
) -> None:
    end = element("TestAction", "end", text("ActionProcessor.action", "0"))
    both = controller("TransactionController", A + end + B, TransactionController__parent=parent)

    assert [each.requests for each in walk_of(group(both)).steps if isinstance(each, Grouped)] == requests
