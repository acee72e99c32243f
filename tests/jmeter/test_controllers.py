"""What is sent by JMeter's controllers; JMeter's own behaviour is read in its source (control/*.java)."""

from __future__ import annotations

import pytest
from jmeter.small_plans import controller, paths, read, sent
from plans.writing import collection, counter, csv, element, group, header, headers, http, text, variables

from holdfast.errors import UsageError
from holdfast.journeys.steps import Grouped, Sending

A, B, C = (http(f"/{name}", name=name) for name in "abc")


@pytest.mark.parametrize(
    ("condition", "script", "done"),
    [
        ('"${mode}" == "lite"', True, True),
        ('"${mode}" == "full"', True, False),
        ('${__jexl3("${mode}" == "lite" &amp;&amp; 2 &gt; 1,)}', False, True),
        ("${__groovy(vars.get('mode') != 'lite',)}", False, False),
        ("${mode}", False, False),
        ("true", False, True),
    ],
)
def test_an_if_is_done_where_its_condition_holds(condition: str, *, script: bool, done: bool) -> None:
    written = condition.replace("&amp;", "&").replace("&gt;", ">")
    said = {"IfController__condition": written, "IfController__useExpression": str(not script).lower()}

    assert paths(variables(mode="lite") + group(controller("IfController", A, **said) + B)) == ("a b" if done else "b")


def test_a_while_repeats_until_its_condition_is_false_and_sees_what_counts_meanwhile() -> None:
    loop = controller(
        "WhileController", counter("n") + A, WhileController__condition="${__jexl3(${n} &lt; 3,)}".replace("&lt;", "<")
    )

    # Before the first pass n has no value: JEXL cannot read `${n} < 3`, and the empty text is not `false`.
    assert paths(group(loop + B)) == "a a a b"


def test_a_loop_has_its_variable_and_runs_once_for_good_where_it_does_not_continue_for_ever() -> None:
    numbered = http("/${__jm__LoopController__idx}", name="numbered")

    assert (
        paths(group(controller("LoopController", numbered, LoopController__loops="2") + B, loops="2")) == "0 1 b 0 1 b"
    )
    said = {"LoopController__loops": "2", "LoopController__continue_forever": "false"}
    assert paths(group(controller("LoopController", A, **said) + B, loops="2")) == "a a b b"


def test_for_each_takes_the_values_after_its_start() -> None:
    said = {
        "ForeachController__inputVal": "tree",
        "ForeachController__returnVal": "leaf",
        "ForeachController__startIndex": "1",
    }
    values = variables(tree_1="oak", tree_2="elm", tree_3="ash")

    assert paths(values + group(controller("ForeachController", http("/${leaf}"), **said))) == "elm ash"
    bare = {**said, "ForeachController__useSeparator": "false", "ForeachController__endIndex": "2"}
    assert (
        paths(
            variables(tree1="yew", tree2="fir", tree3="box")
            + group(controller("ForeachController", http("/${leaf}"), **bare))
        )
        == "fir"
    )


def test_for_each_may_take_its_prefix_from_another_one() -> None:
    inner = controller(
        "ForeachController",
        http("/${leaf}"),
        ForeachController__inputVal="${tree}",
        ForeachController__returnVal="leaf",
    )
    outer = {"ForeachController__inputVal": "wood", "ForeachController__returnVal": "tree"}
    values = variables(wood_1="oak", wood_2="elm", oak_1="o1", oak_2="o2", elm_1="e1")

    assert paths(values + group(controller("ForeachController", inner, **outer))) == "o1 o2 e1"


def test_a_transaction_is_a_result_also_where_rows_end_just_after_it() -> None:
    ends = csv("rows.csv", "q", recycle="false", stopThread="true")
    both = controller("TransactionController", http("/${q}"))
    done = sent(group(ends + both, loops="-1"), files={"rows.csv": b"1\n2\n"})

    assert [each.requests for each in done.steps if isinstance(each, Grouped)] == [1, 1]


def test_interleaving_random_order_and_switch_choose_from_requests_and_blocks() -> None:
    pair = controller("GenericController", B + C)
    whole = {"InterleaveControl__style": "1"}

    assert paths(group(controller("InterleaveControl", A + pair, **whole), loops="3")) == "a b c a"
    assert paths(group(controller("InterleaveControl", A + pair, InterleaveControl__style="0"), loops="4")) == "a b a c"
    assert sorted(paths(group(controller("RandomOrderController", A + B + C))).split()) == ["a", "b", "c"]
    assert paths(group(controller("RandomController", A, InterleaveControl__style="1"), loops="2")) == "a a"
    assert paths(group(controller("SwitchController", A + B, SwitchController__value="b"))) == "b"
    assert paths(group(controller("SwitchController", A + B, SwitchController__value="1") + C)) == "b c"


def test_a_timer_and_a_counter_below_a_choosing_controller_are_not_chosen_from() -> None:
    timer = element("ConstantTimer", "wait", text("ConstantTimer.delay", "100"))
    inside = timer + counter("n") + http("/a/${n}") + http("/b/${n}")
    done = sent(group(controller("InterleaveControl", inside, InterleaveControl__style="1"), loops="3"))

    assert done.paths == ["/a/1", "/b/2", "/a/3"]
    assert [at for at, _, _ in done.sent] == [100.0, 201.0, 302.0]


def test_a_throughput_controller_shares_its_number_among_threads_or_not() -> None:
    def of(style: str, own: str, number: str) -> str:
        name = "percentThroughput" if style == "1" else "maxThroughput"
        return controller(
            "ThroughputController",
            A,
            ThroughputController__style=style,
            ThroughputController__perThread=own,
            **{f"ThroughputController__{name}": number},
        )

    assert paths(group(of("1", "true", "25"), loops="8")) == "a a"
    assert paths(group(of("0", "false", "3"), loops="4", threads="2")) == "a a a"
    assert paths(group(of("0", "true", "3"), loops="4", threads="2")) == "a a a a a a"


def test_once_only_runtime_and_flow_control() -> None:
    once = controller("OnceOnlyController", A)
    leave = element("TestAction", "leave", text("ActionProcessor.action", "3"))
    stop = element("TestAction", "stop", text("ActionProcessor.action", "0"), text("ActionProcessor.target", "0"))
    pause = element("TestAction", "pause", text("ActionProcessor.action", "1"), text("ActionProcessor.duration", "250"))

    assert paths(group(once + B, loops="3")) == "a b b b"
    assert paths(group(A + leave + B, loops="2")) == "a a"
    assert paths(group(A + stop + B, loops="2")) == "a"
    assert [at for at, _, _ in sent(group(A + pause + B)).sent] == [0.0, 251.0]
    assert paths(group(controller("RunTime", A, RunTime__seconds="1") + B), took_ms=400) == "a a a b"


def test_transactions_are_results_of_their_own() -> None:
    inner = controller("TransactionController", A + B, TransactionController__includeTimers="false")
    done = sent(group(controller("TransactionController", inner, TransactionController__parent="true")))

    assert [each.label for each in done.steps if isinstance(each, Grouped)] == ["TransactionController"] * 2


def path_to(*names: str) -> str:
    items = [text(str(number), name) for number, name in enumerate(("Test Plan", "Plan", *names))]
    return collection("ModuleController.node_path", *items)


def module(*names: str) -> str:
    return element("ModuleController", "module", path_to(*names))


def test_a_module_takes_what_its_path_leads_to_and_not_what_is_beside_it() -> None:
    store = group(
        headers(header("X-Of", "store")) + controller("GenericController", A + B), name="store", enabled=False
    )
    user = group(headers(header("X-Of", "user")) + module("store", "GenericController"), name="user")
    done = sent(store + user)

    assert done.paths == ["/a", "/b"]
    assert [dict(sending.headers)["X-Of"] for _, _, sending in done.sent] == ["user", "user"]


def test_a_module_that_leads_nowhere_or_to_itself_is_an_error_with_its_line() -> None:
    with pytest.raises(
        UsageError, match=r'ModuleController "module" in line 1 of test.jmx leads to Plan > gone'
    ) as told:
        read(group(module("gone")))
    assert told.value.remedy

    itself = group(controller("GenericController", A + module("Group", "GenericController")))
    with pytest.raises(UsageError, match="in which it is itself"):
        read(itself)


FRAGMENT = element("TestFragmentController", "piece", below=B + element("HTTPSamplerProxy", "off", enabled=False))


def included(name: str) -> str:
    return element("IncludeController", "include", text("IncludeController.includepath", name))


def whole(below: str) -> bytes:
    tree = element("TestPlan", "Other", below=below)
    return f"<jmeterTestPlan><hashTree>{tree}</hashTree></jmeterTestPlan>".encode()


def test_an_include_brings_the_first_test_fragment_of_its_file() -> None:
    assert paths(group(A + included("piece.jmx") + C), files={"piece.jmx": whole(FRAGMENT)}) == "a b c"


def test_an_include_may_be_of_a_test_fragment_that_was_saved_by_itself() -> None:
    """As JMeter's "Save as Test Fragment" writes one, without a TestPlan."""
    alone = f"<jmeterTestPlan><hashTree>{FRAGMENT}</hashTree></jmeterTestPlan>".encode()

    assert paths(group(A + included("piece.jmx") + C), files={"piece.jmx": alone}) == "a b c"


def test_includes_that_are_missing_without_a_fragment_or_in_a_circle_are_errors() -> None:
    def missing(name: str) -> bytes:
        raise UsageError(f"{name} does not exist.", "", "")

    class Files(dict[str, bytes]):
        def __missing__(self, key: str) -> bytes:
            return missing(key)

    with pytest.raises(UsageError, match=r'"include" in line 1 of test.jmx includes gone.jmx, which cannot be read'):
        read(group(included("gone.jmx")), files=Files())
    with pytest.raises(UsageError, match="has no Test Fragment"):
        read(group(included("group.jmx")), files={"group.jmx": whole(group(A))})
    circle = whole(element("TestFragmentController", "piece", below=included("circle.jmx")))
    with pytest.raises(UsageError, match="in which it is itself") as told:
        read(group(included("circle.jmx")), files={"circle.jmx": circle})
    assert "circle.jmx > circle.jmx" in told.value.why


def test_a_test_fragment_and_what_is_disabled_send_nothing_by_themselves() -> None:
    assert paths(FRAGMENT + group(A + http("/off", enabled=False))) == "a"


def test_what_sets_values_does_so_when_a_pass_of_its_controller_begins() -> None:
    table = csv("people.csv", "who")
    inner = controller("LoopController", table + http("/${who}"), LoopController__loops="2")

    # In each iteration of the group, the loop takes two rows.
    assert paths(group(inner + A, loops="2"), files={"people.csv": b"ann\nben\ncas\n"}) == "ann ben a cas ann a"


def test_a_failure_starts_the_next_loop_of_the_thread() -> None:
    def fails(sending: Sending) -> int:
        return 500 if sending.path == "/a" else 200

    action = text("ThreadGroup.on_sample_error", "startnextloop")
    assert paths(group(A + B, action, loops="2"), answers=fails) == "a a"
