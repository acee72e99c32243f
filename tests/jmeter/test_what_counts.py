"""What counts where a plan says something twice: fields, names of implementations, user defined variables.

The expected requests are those that JMeter 5.5 sent for the same plans (tests/oracle).
"""

from __future__ import annotations

import pytest
from jmeter.test_requests import requests_of
from oracle import jmx_elements as e
from plans.writing import group, plan, text, variables

from holdfast.errors import UsageError
from holdfast.jmeter.reading import JourneysRead, read_journeys
from holdfast.journeys.client import Client, Shared
from holdfast.journeys.sending import sending_of
from holdfast.journeys.steps import Sending
from holdfast.model.answers import Variable

FILES = {"users.csv": b"user,n\nann,1\n"}
CSV = e.element("CSVDataSet", "rows", text("filename", "users.csv"), text("delimiter", ","))


def read(below: str) -> JourneysRead:
    return read_journeys(plan(group(below)), "test.jmx", read_file=FILES.__getitem__, properties={"port": "8000"})


def only(below: str) -> Sending:
    journeys = read(below).journeys
    (crew,) = journeys.crews
    client = Client(crew, 0, Shared(journeys))
    client.comes(0)
    (request,) = requests_of(crew.journey)
    return sending_of(request, 0, client)


@pytest.mark.parametrize("name", ["HTTPSampler2", "java", "${__P(impl,other)}"])
def test_an_implementation_that_jmeter_does_not_know_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(e.request("/", implementation=name))

    assert "which JMeter does not know" in refused.value.why


def test_a_field_that_a_manager_has_twice_is_sent_twice_unless_it_is_added_to_another_one() -> None:
    far = e.header_manager(("X-A", "1"), ("x-a", "2"))

    assert only(far + e.request("/")).headers == (("X-A", "1"), ("x-a", "2"))
    assert only(far + e.request("/", below=e.header_manager(X_B="1"))).headers == (("X-B", "1"), ("X-A", "1"))


@pytest.mark.parametrize(
    ("name", "sets"),
    [
        ("user", CSV),
        ("w_1", e.request("/first", below=e.regex("w", "(a)", match="-1"))),
        ("w_matchNr", e.request("/first", below=e.regex("w", "(a)", match="-1"))),
        ("w_2_g1", e.request("/first", below=e.regex("w", "(a)", match="-1"))),
        ("p_3", e.request("/${__split(a|b,p,|)}")),
        ("w", variables(other_2="w") + e.request("/first", below=e.regex("${other_2}", "(a)"))),
        ("w", e.request("/first", below=e.regex("${__P(none,w)}", "(a)"))),
        ("w", variables(other_2="w") + e.request("/${__intSum(1,2,${other_2})}")),
    ],
)
def test_a_user_defined_variable_that_something_else_may_set_is_not_known_beforehand(name: str, sets: str) -> None:
    read_ = read(variables(**{name: "old", "other_1": "kept"}) + sets + e.request(f"/last/${{{name}}}/${{other_1}}"))
    last = requests_of(read_.journeys.crews[0].journey)[-1]

    assert Variable(name, f"${{{name}}}") in [part for each in last.path for part in _parts(each)]
    assert "other_1" not in str(last.path)


def _parts(part: object) -> list[object]:
    arguments = getattr(part, "arguments", ())
    return [part, *(deeper for each in arguments for one in each for deeper in _parts(one))]
