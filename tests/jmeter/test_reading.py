"""What is told of a plan, what is refused, and which plans are fixed beforehand."""

from __future__ import annotations

from itertools import pairwise

import pytest
from jmeter.small_plans import controller, paths, read, sent
from plans.writing import (
    arguments,
    collection,
    counter,
    csv,
    element,
    group,
    header,
    headers,
    http,
    plan,
    text,
    variables,
)

from holdfast.errors import UsageError
from holdfast.jmeter.choice import is_fixed, may_be_fixed
from holdfast.journeys.steps import EndLoad
from holdfast.model.journey import Pace, Timed
from holdfast.plans.jmx import read_plan
from holdfast.plans.jmx_tree import plan_tree

A, B = http("/a", name="a"), http("/b", name="b")


def refused(below: str, **more: object) -> str:
    """Why a plan is refused."""
    with pytest.raises(UsageError) as told:
        read(below, **more)  # type: ignore[arg-type]
    return told.value.why


def fields(below: str, **more: object) -> list[str]:
    """The values of the one header that each request of a plan has."""
    return [sending.headers[0][1] for _, _, sending in sent(below, **more).sent]  # type: ignore[arg-type]


def test_all_that_cannot_be_done_is_named_at_once_with_type_name_and_line() -> None:
    why = refused(
        group(
            element("JSR223Sampler", "reckon")
            + element("BeanShellPostProcessor", "look", text("script", 'vars.put("a", "b");'))
            + element("kg.apc.jmeter.samplers.UDPSampler", "udp")
            + element("com.example.Odd", "odd")
            + http("/${__fifoGet(q)}", name="queue")
            + controller("IfController", A, IfController__condition="new Date() > 1")
            + controller("WhileController", A, WhileController__condition='${__groovy(vars.put("a"\\,"b"),)}')
        )
    )

    for named in (
        'JSR223Sampler "reckon" (line 1): it is a script',
        'BeanShellPostProcessor "look" (line 1): it is a script',
        'UDPSampler "udp" (line 1): holdfast sends HTTP requests only',
        'Odd "odd" (line 1): holdfast does not know this element',
        "it calls __fifoGet, which is not a function that holdfast knows",
        'IfController "IfController" (line 1): its condition is a script that holdfast does not run',
        "__groovy is a script that holdfast does not run",
    ):
        assert named in why


@pytest.mark.parametrize(
    ("kind", "why", "instead"),
    [
        (
            "kg.apc.jmeter.modifiers.FifoPutPostProcessor",
            "hand values to each other",
            "Let one thread do both",
        ),
        (
            "kg.apc.jmeter.modifiers.FifoPopPreProcessor",
            "hand values to each other",
            "Let one thread do both",
        ),
        ("XMLSchemaAssertion", "answers that it would reject would count as good", "Use an XPath Assertion"),
        ("HTMLAssertion", "answers that it would reject would count as good", "Use a Response Assertion"),
        ("com.blazemeter.jmeter.controller.ParallelSampler", "would not be sent at the same time", "Thread Groups"),
    ],
)
def test_what_is_not_built_is_refused_with_what_would_take_its_place(kind: str, why: str, instead: str) -> None:
    told = refused(group(A + element(kind, "odd")))

    assert '"odd" (line 1): ' in told
    assert why in told
    assert instead in told


@pytest.mark.parametrize(
    "kind",
    [
        "ResultCollector",
        "Summariser",
        "BackendListener",
        "DebugPostProcessor",
        "kg.apc.jmeter.vizualizers.CorrectedResultCollector",
        "com.blazemeter.jmeter.RotatingResultCollector",
        "kg.apc.jmeter.perfmon.PerfMonCollector",
        "ResultSaver",
        "HttpMirrorControl",
    ],
)
def test_listeners_of_all_kinds_change_no_request(kind: str) -> None:
    assert paths(group(A + element(kind, "listener")) + element(kind, "listener of the plan")) == "a"


def test_a_listeners_file_is_told_not_to_be_written() -> None:
    notes = read(group(A + element("ResultCollector", "table", text("filename", "out.jtl")))).notes

    assert [(each.what, each.kind, each.name) for each in notes] == [("left out", "ResultCollector", "table")]
    assert "out.jtl is not written" in notes[0].meaning


def test_settings_of_samplers_that_are_not_http_change_no_request() -> None:
    assert paths(group(A + element("JavaConfig", "java") + element("MongoSourceElement", "mongo"))) == "a"


def test_disabled_elements_are_as_if_they_were_not_there() -> None:
    assert paths(group(A + element("JSR223Sampler", "off", enabled=False) + http("/off", enabled=False))) == "a"


def test_a_debug_sampler_sends_nothing_and_has_its_turn() -> None:
    inside = element("DebugSampler", "debug") + A

    assert paths(group(controller("InterleaveControl", inside, InterleaveControl__style="1"), loops="4")) == "a a"


def test_references_without_a_value_are_told_and_sent_as_they_are_written() -> None:
    found = read(group(http("/${nobody}/${n}/${list_1}", name="first") + counter("n") + variables(list="x")))

    assert [(each.what, each.name) for each in found.notes] == [("note", "first")]
    assert "${nobody}" in found.notes[0].meaning
    assert fields(group(headers(header("X-Who", "${nobody}")) + A)) == ["${nobody}"]


def test_a_reference_that_is_set_only_after_it_is_told_as_such() -> None:
    extractor = element(
        "RegexExtractor",
        "take",
        *[text(f"RegexExtractor.{name}", value) for name, value in (("refname", "key"), ("regex", "(k.)"))],
    )
    before, after = headers(header("X-Key", "${key}")), http("/a", name="login", below=extractor)

    assert [each.what for each in read(group(after + http("/b", below=before))).notes] == []
    notes = read(group(before + after)).notes
    assert [(each.what, each.name, each.meaning.split(",")[0]) for each in notes] == [
        ("note", "login", "until ${key} is set")
    ]


def test_a_comparison_that_is_in_no_function_is_told_to_be_a_text_only() -> None:
    said = {"IfController__condition": '"${n}" == "1"', "IfController__useExpression": "true"}
    found = read(variables(n="1") + group(controller("IfController", A, **said) + B))
    loop = controller(
        "WhileController",
        A + element("TestAction", "stop", text("ActionProcessor.action", "0")),
        WhileController__condition='"${n}" == "2"',
    )

    assert [(each.what, each.kind) for each in found.notes] == [("note", "IfController")]
    assert paths(variables(n="1") + group(controller("IfController", A, **said) + B)) == "b"
    assert [(each.what, each.kind) for each in read(variables(n="1") + group(loop)).notes] == [
        ("note", "WhileController")
    ]
    assert paths(variables(n="1") + group(loop)) == "a"


def test_variables_that_never_change_and_properties_are_known_beforehand() -> None:
    values = variables(host="${__P(host,127.0.0.9)}", port="81")
    (crew,) = read(values + group(http("/a", domain="${host}", port="${port}")), host="127.0.0.8").journeys.crews
    (request,) = crew.journey.nodes

    assert request.origin == ("http://127.0.0.8:81",)  # type: ignore[union-attr]


def test_variables_that_something_sets_keep_their_references() -> None:
    assert (
        paths(
            variables(n="start")
            + group(
                controller("LoopController", counter("n") + http("/${n}"), LoopController__loops="2") + http("/${n}")
            )
        )
        == "1 2 2"
    )


def test_user_parameters_are_set_before_each_request_for_each_thread() -> None:
    def parameters(per_iteration: str) -> str:
        rows = collection(
            "UserParameters.thread_values",
            *[collection(str(at), text("", who)) for at, who in enumerate(("ann", "ben"))],
        )
        names = collection("UserParameters.names", text("", "who"))
        return element("UserParameters", "users", names, rows, text("UserParameters.per_iteration", per_iteration))

    for per_iteration in ("true", "false"):
        done = sent(group(parameters(per_iteration) + http("/${who}"), threads="3"))
        assert sorted(done.paths) == ["/ann", "/ann", "/ben"]


def test_rows_of_a_file_are_those_of_all_threads_or_of_each_and_an_empty_line_is_its_end() -> None:
    people = {"people.csv": b"ann,1\nben\n\ncas,3\n"}

    def of(**more: str) -> list[str]:
        asked = headers(header("X-Row", "${who}-${n}")) + csv("people.csv", "who,n", **more) + A
        return fields(group(asked, loops="5"), files=people)

    # A row with too few values leaves the others as they were; an empty line counts as the end of the file.
    assert of() == ["ann-1", "ben-1", "<EOF>-<EOF>", "cas-3", "ann-1"]
    assert of(recycle="false", stopThread="true") == ["ann-1", "ben-1"]
    own = group(csv("people.csv", "who,n", shareMode="shareMode.thread") + http("/${who}"), threads="2")
    assert paths(own, files=people) == "ann ann"


def test_names_of_rows_can_be_the_first_line_and_values_can_be_quoted() -> None:
    people = {"people.csv": b'who;what\n"a;b";"say ""hum"""\n'}
    asked = csv("people.csv", "", delimiter=";", quotedData="true") + headers(header("X-Row", "${who}/${what}")) + A

    assert fields(group(asked), files=people) == ['a;b/say "hum"']


def test_a_result_status_action_handler_says_what_follows_a_failure() -> None:
    def after(action: str) -> tuple[str, list[object]]:
        handler = element("ResultAction", "handler", text("OnError.action", action))
        loop = controller("LoopController", A + B, LoopController__loops="2")
        done = sent(
            group(handler + loop + http("/c"), loops="2"), answers=lambda each: 500 if each.path == "/a" else 200
        )
        return " ".join(path[1:] for path in done.paths), [each for each in done.steps if isinstance(each, EndLoad)]

    assert after("0")[0] == "a b a b c a b a b c"
    assert after("1") == ("a", [])
    assert after("2") == ("a", [EndLoad(at_once=False)])
    assert after("3") == ("a", [EndLoad(at_once=True)])
    assert after("4")[0] == "a a"
    assert after("5")[0] == "a a c a a c"
    assert after("6")[0] == "a c a c"


def test_one_client_at_a_time_is_in_a_critical_section() -> None:
    done = sent(group(controller("CriticalSectionController", A + B), threads="3", loops="2"), took_ms=10)
    clients = [client for _, client, _ in done.sent]

    assert len(clients) == 12
    assert all(first == second for first, second in zip(clients[::2], clients[1::2], strict=True))
    instants = [at for at, _, _ in done.sent]
    assert all(after - before >= 10 for before, after in pairwise(instants))


@pytest.mark.parametrize(
    ("below", "fixed"),
    [
        (group(A), True),
        (group(A + counter("n") + element("ConstantTimer", "wait", text("ConstantTimer.delay", "5"))), True),
        (group(http("/a", follow_redirects="true")), False),
        (group(A + element("CookieManager", "jar")), False),
        (group(controller("OnceOnlyController", A)), False),
        (group(http("/${__counter(TRUE,)}")), False),
        (group(http("/${__P(a)}")), True),
        (group(http("/${__P(a,b,c)}")), False),
        (group(http("/${__UUID}")), False),
        (group(http("/a", arguments(("x", "${__Random(1,9,kept)}")))), False),
        (group(controller("TransactionController", A)), False),
        (group(A) + group(A + element("ConstantThroughputTimer", "pace", text("throughput", "60"))), False),
    ],
)
def test_only_what_is_listed_is_sent_as_fixed_beforehand(below: str, *, fixed: bool) -> None:
    content = plan(below)
    try:
        notes = read_plan(content, "test.jmx", read_file={}.__getitem__, properties={}).notes
    except UsageError:
        assert not fixed
        return

    assert is_fixed(plan_tree(content, "test.jmx"), notes) is fixed


def test_a_thread_has_the_variables_that_jmeter_gives_it() -> None:
    failed = '"${JMeterThread.last_sample_ok}" == "false"'
    asked = controller("IfController", http("/sorry"), IfController__condition=failed)
    done = sent(group(A + asked + B + asked), answers=lambda each: 500 if each.path == "/b" else 200)

    assert done.paths == ["/a", "/b", "/sorry"]
    assert fields(group(headers(header("X-At", "${START.YMD}")) + A)) == ["19700101"]
    assert [each.what for each in read(group(headers(header("X-At", "${START.MS}")) + A)).notes] == []


def test_threads_meet_at_a_synchronizing_timer() -> None:
    timer = element("SyncTimer", "meet", text("groupSize", "2"), text("timeoutInMs", "0"))
    done = sent(group(timer + A, threads="2", ramp="2"))

    # The second thread comes after 1 s.
    assert [round(at, -1) for at, _, _ in done.sent] == [1000.0, 1000.0]


def test_a_weighted_switch_has_a_weight_for_each_element() -> None:
    def weighted(*rows: str) -> str:
        table = collection("Weights", *[collection(row, *[text("", each) for each in row.split()]) for row in rows])
        return element("com.blazemeter.jmeter.control.WeightedSwitchController", "weighted", table, below=A + B)

    assert paths(group(weighted("a 3 true", "b 1 true"), loops="4")) == "a b a a"
    assert "it has 1 weights for 2 elements" in refused(group(weighted("a 3")))


def test_a_sample_timeout_ends_a_request() -> None:
    (crew,) = read(group(element("SampleTimeout", "limit", text("InterruptTimer.timeout", "1500")) + A)).journeys.crews
    (request,) = crew.journey.nodes

    assert request.timeouts.whole_s == 1.5  # type: ignore[union-attr]


def test_loops_of_thousands_are_not_written_out_beforehand() -> None:
    inner = controller("LoopController", http("/${n}") + counter("n"), LoopController__loops="100")
    outer = controller("LoopController", inner, LoopController__loops="100")

    assert may_be_fixed(plan_tree(plan(group(inner)), "test.jmx"))
    assert not may_be_fixed(plan_tree(plan(group(outer)), "test.jmx"))


def test_properties_that_a_plan_sets_are_not_known_beforehand_and_the_others_are() -> None:
    sets = group(http("/${__setProperty(kept,1)}"))

    assert len(read(sets + group(A, threads="${__P(many,2)}")).journeys.crews[1].stays) == 2
    assert "its number of threads is '${__P(kept,2)}'" in refused(sets + group(A, threads="${__P(kept,2)}"))
    every = group(http("/${__setProperty(${n},1)}"))
    assert "its number of threads is '${__P(many,2)}'" in refused(every + group(A, threads="${__P(many,2)}"))


@pytest.mark.parametrize(
    ("condition", "done"),
    [("COMPLETED==COMPLETED", ""), ('"a"=="a" && x == 1', ""), ("1 == 1", "a")],
)
def test_a_name_that_stands_for_nothing_ends_a_javascript_condition(condition: str, done: str) -> None:
    # So did JMeter 5.5 with these; what it logs is a ReferenceError.
    assert paths(group(controller("IfController", A, IfController__condition=condition) + B)) == f"{done} b".strip()


@pytest.mark.parametrize("condition", ["true || COMPLETED", "Math.random() < 1", "var x = 1; x == 1"])
def test_other_scripts_in_a_condition_stay_refused(condition: str) -> None:
    assert "is a script" in refused(group(controller("IfController", A, IfController__condition=condition) + B))


def test_modes_in_words_are_those_of_older_versions_and_in_another_language_the_first() -> None:
    def shared(mode: str) -> str:
        (crew,) = read(group(element("ConstantThroughputTimer", "t", text("calcMode", mode)) + A)).journeys.crews
        (timed,) = crew.journey.nodes
        assert isinstance(timed, Timed)
        assert isinstance(timed.waits[0], Pace)
        return timed.waits[0].shared_by

    assert [shared(each) for each in ("all active threads (shared)", "3", "Alle aktiven Threads", "")] == [
        "load",
        "load",
        "client",
        "client",
    ]


@pytest.mark.parametrize(
    ("mode", "done"), [("Current thread", "1 1 2 2"), ("All threads", "1 2 3 4"), ("Alle", "1 2 3 4")]
)
def test_which_threads_share_a_file_may_be_said_in_words(mode: str, done: str) -> None:
    rows = {"f.csv": b"1\n2\n3\n4\n"}
    share = group(csv("f.csv", "a", shareMode=mode) + http("/${a}"), threads="2", loops="2")

    assert " ".join(sorted(paths(share, files=rows).split())) == " ".join(sorted(done.split()))
