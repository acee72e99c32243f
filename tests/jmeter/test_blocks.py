"""What JMeter 5.5 does in controllers that are rarely put together (tests/oracle, cases_of_blocks)."""

from __future__ import annotations

import pytest
from jmeter.small_plans import controller, paths, sent
from oracle import jmx_elements as e
from plans.writing import collection, counter, element, group, http, text, variables

A, B, C = (http(f"/{name}", name=name) for name in "abc")
COUNT = "${__counter(FALSE,)}"


def loop(below: str) -> str:
    return controller("LoopController", below, LoopController__loops="2")


def share(number: str, below: str) -> str:
    said = {"style": "0", "perThread": "true", "maxThroughput": number}
    return controller("ThroughputController", below, **{f"ThroughputController__{name}": said[name] for name in said})


def transaction(below: str, parent: str = "true") -> str:
    return controller("TransactionController", below, TransactionController__parent=parent)


def three(below: str, **more: object) -> str:
    return paths(group(below, loops="3"), **more)


def test_what_comes_after_a_block_that_is_done_for_good_takes_its_place_in_a_switch() -> None:
    assert three(controller("SwitchController", A + share("0", B) + C, SwitchController__value="1")) == "c c c"


def test_an_interleaved_share_that_is_used_up_lets_the_next_one_have_the_same_turn() -> None:
    never = controller("IfController", B, IfController__condition="false", IfController__useExpression="true")
    said = {"InterleaveControl__style": "1"}

    assert three(controller("InterleaveControl", share("1", A + never) + C, **said)) == "a c c c"


@pytest.mark.parametrize("kind", ["GenericController", "LoopController", "TransactionController", "OnceOnlyController"])
def test_a_controller_that_only_sets_values_is_come_to_once(kind: str) -> None:
    assert three(controller(kind, counter("n"), LoopController__loops="1") + http("/${n}")) == "1 1 1"


@pytest.mark.parametrize(("end", "done"), [("${v}", ""), ("${nobody}", ""), ("1", "x"), ("9", "x y"), ("", "")])
def test_an_end_of_a_for_each_that_is_no_number_is_0(end: str, done: str) -> None:
    said = {"inputVal": "i", "returnVal": "o", "endIndex": end}
    each = controller("ForeachController", http("/${o}"), **{f"ForeachController__{name}": said[name] for name in said})

    assert paths(group(variables(i_1="x", i_2="y", v="none") + each + A)) == f"{done} a".strip()


def test_a_for_each_gives_its_value_after_what_sets_values_in_it() -> None:
    users = element(
        "UserParameters",
        "users",
        collection("UserParameters.names", text("1", "p")),
        collection("UserParameters.thread_values", collection("1", text("1", "${o}"))),
        '<boolProp name="UserParameters.per_iteration">true</boolProp>',
    )
    said = {"ForeachController__inputVal": "i", "ForeachController__returnVal": "o"}

    each = controller("ForeachController", users + http("/${p}-${o}"), **said)
    assert paths(group(variables(i_1="x", i_2="y", o="0") + each)) == "0-x x-y"


def test_each_use_of_a_module_counts_on_its_own() -> None:
    part = element("GenericController", "part", below=counter("n") + http(f"/${{n}}-{COUNT}"))
    path = [text(str(number), name) for number, name in enumerate(("Test Plan", "Plan", "piece", "part"))]
    module = element("ModuleController", "module", collection("ModuleController.node_path", *path))

    piece = element("TestFragmentController", "piece", below=part)
    assert paths(piece + group(module + module, loops="2")) == "1-1 1-1 2-2 2-2"


def test_a_function_is_called_once_for_the_query_and_the_body_of_a_delete() -> None:
    form = e.arguments(e.argument("a", COUNT), e.argument("b", COUNT))
    done = sent(group(http("/d", form, method="DELETE"), loops="2"))

    assert [(path, sending.body) for (_, _, sending), path in zip(done.sent, done.paths, strict=True)] == [
        ("/d?a=1&b=1", b"a=1&b=1"),
        ("/d?a=2&b=2", b"a=2&b=2"),
    ]


def test_user_parameters_know_the_request_that_is_to_come() -> None:
    users = element(
        "UserParameters",
        "users",
        collection("UserParameters.names", text("1", "p")),
        collection("UserParameters.thread_values", collection("1", text("1", "${__samplerName}"))),
    )

    assert paths(group(users + http("/${p}", name="one") + http("/${p}", name="two"))) == "one two"


def test_a_handler_that_applies_to_a_parent_sample_hears_nothing_of_what_is_within() -> None:
    handler = e.simple("ResultAction", "handler", OnError__action="4")
    fails = e.response_assertion("response_code", 8, "500")
    a = http("/a", name="a", below=fails)

    assert paths(group(handler + transaction(a + B), loops="2")) == "a b a b"
    assert paths(group(handler + transaction(a + B, "false"), loops="2")) == "a a"


def test_an_assertion_judges_the_parent_sample_of_a_transaction_too() -> None:
    judge = e.response_assertion("response_headers", 2, "HTTP")  # which this sample does not have
    after = http("/${JMeterThread.last_sample_ok}")

    assert paths(group(transaction(judge + A) + after)) == "a false"
    assert paths(group(transaction(judge + A, "false") + after)) == "a true"


def test_a_while_looks_at_its_condition_once_more_when_a_failure_begins_the_next_loop() -> None:
    again = controller(
        "WhileController",
        http("/a", name="a", below=e.response_assertion("response_code", 8, "500")),
        WhileController__condition="${__jexl3(${__counter(TRUE,)} < 5,)}",
    )

    assert paths(group(again + B, text("ThreadGroup.on_sample_error", "startnextloop"), loops="3")) == "a a b"
