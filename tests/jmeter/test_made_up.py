"""Samplers that send nothing: what they make up, what they set, and what requests after them see of it.

What is expected is what JMeter 5.5 did with the same elements (tests/oracle/cases_of_made_up.py), and with the plug-in
"Parameterized Controller" compiled from its source.
"""

from __future__ import annotations

import pytest
from jmeter.small_plans import controller, paths, read, sent
from oracle.jmx_elements import debug, dummy, java, regex
from plans.writing import collection, element, group, http, inner, text, variables

from holdfast.errors import UsageError
from holdfast.journeys.functions_made_up import decoded_number


def setting(kind: str, *pairs: tuple[str, str], below: str = "") -> str:
    """A Set Variables Action or a Parameterized Controller."""
    items = [
        inner(name, "Argument", text("Argument.name", name), text("Argument.value", value)) for name, value in pairs
    ]
    return element(kind, kind, inner(kind, "Arguments", collection("Arguments.arguments", *items)), below=below)


def action(*pairs: tuple[str, str]) -> str:
    return setting("SetVariablesAction", *pairs)


def with_parameters(*pairs: tuple[str, str], below: str) -> str:
    return setting("ParameterizedController", *pairs, below=below)


def test_a_debug_sampler_shows_its_variables_in_the_order_of_their_names() -> None:
    values = variables(b="2", a10="x", a9="y")

    assert paths(group(values + debug(below=regex("found", "a(\\d+)=(.)", "$1$$2$")) + http("/${found}"))) == "9y"


def test_a_debug_sampler_that_shows_properties_is_refused_only_where_something_looks_at_it() -> None:
    def shows(below: str) -> str:
        said = [text(name, "true") for name in ("displayJMeterVariables", "displayJMeterProperties")]
        return group(http("/a") + element("DebugSampler", "debug", *said, below=below))

    assert paths(shows("")) == "a"
    with pytest.raises(UsageError) as refused:
        read(shows(regex("x", "(.)")))
    assert 'DebugSampler "debug" (line 1): it shows properties of JMeter or Java' in refused.value.why


def test_values_are_taken_from_the_answer_of_a_dummy_sampler_and_its_failure_counts() -> None:
    after = http("/${x}/${JMeterThread.last_sample_ok}")

    assert paths(group(dummy("d", data="id=7", below=regex("x", "id=(\\d)")) + after)) == "7/true"
    assert paths(group(dummy("d", "503", good="false", below=regex("x", "id=(\\d)")) + after)) == "NONE/false"


def test_a_client_waits_as_long_as_a_dummy_sampler_says_if_it_simulates_that() -> None:
    waits, does_not = (sent(group(dummy("d", waits=each) + http("/a"))).sent[0][0] for each in ("true", "false"))

    assert waits - does_not == pytest.approx(20, abs=2)


def test_the_answers_of_jmeters_own_java_tests_are_made_up_and_others_are_refused() -> None:
    test = java("JavaTest", Sleep_Time="0", ResultData="a5=z", Status="NOK")
    plan = group(regex("x", "a(\\d)") + test + http("/${x}/${JMeterThread.last_sample_ok}"))
    other = java("JavaTest").replace("test.JavaTest", "test.Mine")

    assert paths(plan) == "5/false"
    with pytest.raises(UsageError) as refused:
        read(group(http("/a") + other))
    assert "holdfast sends HTTP requests only" in refused.value.why


@pytest.mark.parametrize(
    ("written", "number"), [("0x0F", 15), ("#f", 15), ("017", 15), ("-5", -5), ("0", 0), ("09", 3), ("", 3), ("f", 3)]
)
def test_numbers_of_java_tests_are_read_as_long_decode_does(written: str, number: int) -> None:
    assert decoded_number(written, 3) == number


def test_a_set_variables_action_decides_all_values_before_it_sets_the_first() -> None:
    done = paths(group(variables(a="0", b="0") + action(("a", "1"), ("b", "${a}"), ("a", "9")) + http("/${a}/${b}")))

    assert done == "1/0"


def test_a_set_variables_action_has_its_turn_among_others() -> None:
    turns = controller("InterleaveControl", action(("q", "s")) + http("/${q}"), InterleaveControl__style="0")

    assert paths(group(variables(q="n") + turns + http("/end"), loops="4")) == "end s end end s end"


def test_a_parameterized_controller_sets_its_values_whenever_it_is_asked_for_what_comes_next() -> None:
    inner_one = with_parameters(("m", "in ${n}"), below=http("/${n}-${m}"))
    outer = with_parameters(("n", "${__intSum(${n},1)}"), ("m", "${n}"), below=http("/${n}-${m}") * 2 + inner_one)

    found = paths(group(variables(n="0") + outer + http("/${n}-${m}")))

    assert found == "1-0 2-1 3-in%203 5-4"
