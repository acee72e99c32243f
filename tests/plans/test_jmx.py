"""What a JMeter plan means, element by element; the sources are files of apache/jmeter."""

from __future__ import annotations

import pytest
from writing import (
    arguments,
    assertion,
    collection,
    counter,
    csv,
    element,
    group,
    http,
    inner,
    loop,
    plan,
    read,
    text,
    variables,
)

from holdfast.errors import UsageError
from holdfast.load.values import Numbering, request_bytes
from holdfast.model.scenario import Check, Pause
from holdfast.model.schedule import Segment
from holdfast.model.shapes import Clients, Phases
from holdfast.plans.jmx import read_plan


def sent(group_, rows, clients=1):
    """The request lines of the first rows."""
    made = request_bytes(group_.steps, group_.values, "host", Numbering(len(group_.steps), clients))
    heads = [made if isinstance(made, bytes) else made(row) for row in range(rows)]
    return [head.split(b" HTTP/1.1")[0].decode() for head in heads]


def only(plan_read):
    (group_,) = plan_read.groups
    return group_


def headers(element_below=""):
    return element("HeaderManager", "Headers", collection("HeaderManager.headers", element_below))


def header(name, value):
    return inner("", "Header", text("Header.name", name), text("Header.value", value))


SCHEDULED = (text("ThreadGroup.scheduler", "true"), text("ThreadGroup.duration", "30"), text("ThreadGroup.delay", "5"))


def test_a_thread_groups_numbers_become_clients():
    found = only(read(group(http(), threads="10", ramp="4", loops="3")))

    assert found.shape == Clients(10, iterations=3, ramp_s=4.0)
    assert (found.url, found.name, found.on_failure, found.keep_alive) == (
        "http://127.0.0.1:8000",
        "Group",
        "continue",
        True,
    )
    # Without timeouts JMeter waits for ever.
    assert (found.timeouts.connect_s, found.timeouts.first_byte_s, found.timeouts.whole_s) == (None, None, None)


def test_a_scheduler_counts_only_where_it_is_on_and_its_duration_follows_its_delay():
    # ThreadGroup.scheduleThread: the end is the start, which is the delay from now, and the duration.
    on = only(read(group(http(), *SCHEDULED, loops="-1")))
    off = only(read(group(http(), *SCHEDULED[1:], loops="2")))

    assert on.shape == Clients(1, for_s=35.0, delay_s=5.0)
    assert off.shape == Clients(1, iterations=2)


@pytest.mark.parametrize(("loops", "forever"), [("-1", "false"), ("-1", "true"), ("1", "true")])
def test_a_group_that_loops_for_ever_needs_an_end(loops, forever):
    # LoopController: -1 is for ever, and so is any number in a group that continues for ever.
    plan = group(http(), loops=loops, forever=forever)

    with pytest.raises(UsageError, match="it loops for ever"):
        read(plan)
    assert only(read(plan, most_s=3.0)).shape == Clients(1, for_s=3.0)


@pytest.mark.parametrize("numbers", [{"threads": ""}, {"threads": "0"}, {"loops": "0"}, {"loops": ""}])
def test_a_group_without_threads_or_loops_sends_nothing(numbers):
    # StringProperty.getIntValue: what is no number counts as 0, and 0 threads are none.
    other = group(http(), name="Other")
    found = read(group(http(), **numbers) + other)

    assert [each.name for each in found.groups] == ["Other"]
    assert any("nothing is sent" in note.meaning for note in found.notes)
    with pytest.raises(UsageError, match="sends nothing"):
        read(group(http(), **numbers))


@pytest.mark.parametrize(
    ("said", "on_failure", "stops"),
    [
        ("continue", "continue", False),
        ("startnextloop", "next iteration", False),
        ("stopthread", "leave", False),
        ("stoptest", "continue", True),
        ("stoptestnow", "continue", True),
    ],
)
def test_what_follows_an_error(said, on_failure, stops):
    found = read(group(http(), text("ThreadGroup.on_sample_error", said)))

    assert (only(found).on_failure, found.stop.first_failure) == (on_failure, stops)


def test_a_path_gets_its_slash_and_a_port_its_default():
    # HTTPSamplerBase.getUrl, getPortIfSpecified: an empty port is the scheme's own.
    assert sent(only(read(group(http("a b/ü?x=1#part")))), 1) == ["GET /a%20b/%C3%BC?x=1"]
    for said, url in [
        ({"port": ""}, "http://127.0.0.1"),
        ({"port": "0", "protocol": "HTTPS"}, "https://127.0.0.1"),
        ({"port": "443", "protocol": "https"}, "https://127.0.0.1"),
        ({"domain": "::1"}, "http://[::1]:8000"),
    ]:
        assert only(read(group(http(**said)))).url == url
    whole = only(read(group(http("http://localhost:81/x?y", arguments(("a", "b"))))))
    assert (whole.url, sent(whole, 1)) == ("http://localhost:81", ["GET /x?y"])


def test_arguments_go_into_the_query_or_into_the_body():
    # HTTPSamplerBase.getUrl: of GET, DELETE and OPTIONS into the query; java.net.URLEncoder's spelling.
    query = arguments(("a b", "c&d~"), ("", "nameless"), ("e", "1"), encode=True)
    as_it_is = arguments(("a", "c%26d"))

    assert sent(only(read(group(http("/x", query)))), 1) == ["GET /x?a+b=c%26d%7E&e=1"]
    assert sent(only(read(group(http("/x?y=1", as_it_is)))), 1) == ["GET /x?y=1&a=c%26d"]
    (post,) = only(read(group(http("/x", query, method="POST")))).steps
    assert (post.path, post.body) == ("/x", b"a+b=c%26d%7E&e=1")
    assert post.headers == (("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"),)
    # HTTPHC4Impl.createUrlEncodedFormEntity: what is said to be encoded is decoded first.
    (again,) = only(read(group(http("/x", as_it_is, method="POST")))).steps
    assert again.body == b"a=c%26d"


def test_arguments_without_names_are_a_raw_body():
    # HTTPHC4Impl.setupHttpEntityEnclosingRequestData: a StringEntity is text/plain unless a header says otherwise.
    (step,) = only(read(group(http("/x", arguments(("", "one&"), ("", "two")), method="PUT")))).steps

    assert step.body == b"one&two"
    assert step.headers == (("Content-Type", "text/plain; charset=UTF-8"),)


def test_a_file_is_a_body_and_a_form_of_several_parts_is_refused():
    def file(parameter):
        return inner(
            "HTTPsampler.Files",
            "HTTPFileArgs",
            collection(
                "HTTPFileArgs.files",
                inner("", "HTTPFileArg", text("File.path", "b.bin"), text("File.paramname", parameter)),
            ),
        )

    (step,) = only(read(group(http("/x", file(""), method="POST")), {"b.bin": b"\xff\0"})).steps
    assert step.body == b"\xff\0"
    for wrong in (http("/x", file("f"), method="POST"), http("/x", DO_MULTIPART_POST="true", method="POST")):
        with pytest.raises(UsageError, match="several parts"):
            read(group(wrong), {"b.bin": b""})


def test_defaults_fill_what_is_empty_and_the_nearest_one_has_its_way():
    # AbstractTestElement.addProperty; TestCompiler.saveSamplerConfigs: configs of deeper levels come first.
    def defaults(*properties):
        return element("ConfigTestElement", "Defaults", *properties, gui="HttpDefaultsGui")

    outer = defaults(
        text("HTTPSampler.domain", "outer"), text("HTTPSampler.path", "/outer"), arguments(("from", "outer"))
    )
    inner_ = defaults(text("HTTPSampler.domain", "inner"), text("HTTPSampler.port", "1"))
    found = only(read(outer + group(inner_ + http("", arguments(("own", "1")), domain="", port=""))))

    assert found.url == "http://inner:1"
    assert sent(found, 1) == ["GET /outer?own=1&from=outer"]


def test_elements_apply_to_their_siblings_and_what_is_below_wherever_they_stand():
    timer = element("ConstantTimer", "Wait", text("ConstantTimer.delay", "200"))
    simple = element("GenericController", "Simple", below=http("/in") + timer)
    found = only(read(group(http("/before", below=timer) + simple + http("/after"))))

    assert [(step.path, step.pause.constant_s) for step in found.steps] == [
        ("/before", 0.2),
        ("/in", 0.2),
        ("/after", 0.0),
    ]


def test_headers_of_the_nearest_manager_win_by_name():
    # HTTPSamplerBase.setHeaderManager merges from the nearest outwards; Content-Length is never taken.
    outer, near = (
        headers(header("X-A", "outer") + header("X-B", "b")),
        headers(header("x-a", "${__P(a,near)}") + header("Content-Length", "3")),
    )
    (step,) = only(read(outer + group(http(below=near)), a="given")).steps

    assert step.headers == (("x-a", "given"), ("X-B", "b"))


def test_a_connection_that_is_not_kept_is_closed():
    (step,) = only(read(group(http(use_keepalive="false")))).steps
    assert step.headers == (("Connection", "close"),)


def test_timers_add_up():
    # JMeterThread.delay: all timers that apply, one after the other.
    constant = element("ConstantTimer", "C", text("ConstantTimer.delay", "${__P(ms,300)}"))
    uniform = element("UniformRandomTimer", "U", text("ConstantTimer.delay", "100"), text("RandomTimer.range", "50.0"))
    drawn = element("ConstantTimer", "D", text("ConstantTimer.delay", "${__Random(10,30)}"))

    assert only(read(group(http() + constant + uniform))).steps[0].pause == Pause(0.4, 0.05)
    assert only(read(group(http() + drawn))).steps[0].pause == Pause(0.01, 0.02)
    pause = element("TestAction", "Flow", text("ActionProcessor.action", "1"), text("ActionProcessor.duration", "70"))
    assert [step.pause.constant_s for step in only(read(group(http("/1") + pause + http("/2")))).steps] == [0.0, 0.07]


SUCCESS = frozenset(range(200, 400))


@pytest.mark.parametrize(
    ("kind", "texts", "expected"),
    [
        (8, ("200",), {200}),  # equals
        (2, ("^20",), set(range(200, 210))),  # contains, a pattern
        (1, ("3..",), set(range(300, 400))),  # matches, as a whole
        (16, ("04",), {204, 304}),  # substring
        (8 | 4, ("200",), SUCCESS - {200}),  # not
        (8 | 32, ("200", "201"), {200, 201}),  # or
        (8, ("200", "201"), set()),  # all of them
    ],
)
def test_an_assertion_of_the_code_says_which_statuses_are_good(kind, texts, expected):
    (step,) = only(read(group(http() + assertion("response_code", kind, *texts)))).steps
    assert step.expected == frozenset(expected)


def test_an_assertion_that_ignores_the_status_lets_errors_be_good():
    # ResponseAssertion.evaluateResponse sets the sample good before it compares.
    (step,) = only(read(group(http() + assertion("response_code", 8, "404", ignore_status=True)))).steps
    assert step.expected == frozenset({404})


@pytest.mark.parametrize(
    ("kind", "texts", "checks"),
    [
        (16, ("a.b",), (Check("a.b"),)),
        (2, ("a.b",), (Check("a.b", pattern=True),)),
        (1, ("a.b",), (Check("a.b", pattern=True, whole=True),)),
        (8, ("a.b",), (Check("a.b", whole=True),)),
        (16 | 4, ("a", "b"), (Check("a", wanted=False), Check("b", wanted=False))),
        (16 | 32, ("a.", "b"), (Check(r"(?:a\.)|(?:b)", pattern=True),)),
    ],
)
def test_an_assertion_of_the_text_checks_the_body(kind, texts, checks):
    (step,) = only(read(group(http() + assertion("response_data", kind, *texts)))).steps
    assert (step.expected, step.checks) == (None, checks)


def test_a_counter_goes_on_begins_again_and_is_written_out():
    # CounterConfig.iterationStart.
    assert sent(only(read(group(counter("n", "5", "2") + http("/${n}")))), 3) == ["GET /5", "GET /7", "GET /9"]
    wraps = counter("n", "5", "2", "8", "u_00")
    assert sent(only(read(group(wraps + http("/${n}")))), 3) == ["GET /u_05", "GET /u_07", "GET /u_05"]
    own = only(read(group(counter("n", per_user="true") + http("/${n}"), threads="2", loops="2")))
    assert sent(own, 4, clients=2) == ["GET /1", "GET /1", "GET /2", "GET /2"]
    looped = only(read(group(loop("3", counter("n", "0", "1", "3") + http("/${n}")), loops="3")))
    assert sent(looped, 9) == [f"GET /{number % 4}" for number in range(9)]


def test_a_counter_is_the_same_for_all_requests_of_a_pass():
    body = counter("n") + http("/a/${n}") + loop("2", http("/b/${n}"))
    assert sent(only(read(group(body))), 6) == ["GET /a/1", "GET /b/1", "GET /b/1", "GET /a/2", "GET /b/2", "GET /b/2"]


FILE = {"f.csv": b"a,b\n1,x y\n2,z\n3,\xc3\xbc\n"}


def test_rows_end_the_load_or_begin_again():
    again = read(group(csv("f.csv") + http("/${a}?${b}")), FILE)
    assert sent(only(again), 4) == ["GET /1?x%20y", "GET /2?z", "GET /3?%C3%BC", "GET /1?x%20y"]
    # For ever, until the rows end: two threads share three rows.
    ends = read(group(csv("f.csv", recycle="false", stopThread="true") + http("/${a}"), loops="-1", threads="2"), FILE)
    assert only(ends).shape == Clients(2, iterations=2)
    assert (only(ends).values[0].again, ends.notes) == (False, ())
    eof = read(group(csv("f.csv", recycle="false") + http("/${a}")), FILE)
    assert ["<EOF>" in note.meaning for note in eof.notes] == [True]


def test_rows_of_each_thread_and_in_loops():
    own = only(read(group(csv("f.csv", shareMode="shareMode.thread") + http("/${a}"), threads="2", loops="2"), FILE))
    assert sent(own, 4, clients=2) == ["GET /1", "GET /1", "GET /2", "GET /2"]
    looped = only(read(group(loop("2", csv("f.csv") + http("/${a}"))), FILE))
    assert sent(looped, 6) == [f"GET /{row % 3 + 1}" for row in range(6)]


def test_names_for_columns_and_how_lines_are_cut():
    named = read(group(csv("f.csv", "n, m", ignoreFirstLine="true") + http("/${n}-${m}")), FILE)
    assert sent(only(named), 1) == ["GET /1-x%20y"]
    tabs = read(group(csv("t", "n,m", delimiter="\\t") + http("/${n}-${m}")), {"t": b"1\t2\t3\r\n4\t5"})
    assert sent(only(tabs), 2) == ["GET /1-2", "GET /4-5"]
    with pytest.raises(UsageError, match=r"row 2 of f\.csv has 1 values, and 2 variables are named"):
        read(group(csv("f.csv", "n,m") + http()), {"f.csv": b"1,2\n3\n"})
    with pytest.raises(UsageError, match="has no rows"):
        read(group(csv("f.csv") + http()), {"f.csv": b"a,b\n"})
    with pytest.raises(UsageError, match="cannot be read as utf-16"):
        read(group(csv("f.csv", fileEncoding="utf-16") + http()), {"f.csv": b"a"})


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("${__P(p)}", "1"),  # Property2: the default is 1
        ("${__P(p,a b)}", "a b"),
        ("${__P(given,x)}", "yes"),
        ("${__property(p)}", "p"),  # Property: the default is the name
        ("${__property(p,,d)}", "d"),
        (r"${__P(p,a\,b)}", "a,b"),
        ("${__P(p,${v})}", "value"),
        (r"\${v} ${v}", "${v} value"),
        (r"\${v}", r"\${v}"),  # no reference at all, so nothing is unescaped
        ("${__threadGroupName}/${__samplerName}", "Group/Request"),
        ("${unclosed", "${unclosed"),
    ],
)
def test_references_have_jmeters_values(reference, value):
    body = element("HeaderManager", "H", collection("HeaderManager.headers", header("X", reference)))
    (step,) = only(read(variables(v="value") + group(http() + body), given="yes")).steps
    assert step.headers == (("X", value),)


def test_thread_numbers_begin_with_one_and_iterations_too():
    found = only(read(group(http("/${__threadNum}/${__iterationNum}"), threads="2", loops="2")))
    assert sent(found, 4, clients=2) == ["GET /1/1", "GET /2/1", "GET /1/2", "GET /2/2"]


def test_variables_are_defined_once_wherever_they_stand():
    # PreCompiler: user defined variables of the whole tree, in its order, before anything is sent.
    below = group(http("/${a}/${b}") + variables(a="2", b="${a}"))
    assert sent(only(read(variables(a="1") + below)), 1) == ["GET /2/1"]


def test_disabled_elements_are_not_there():
    found = read(group(http("/1") + http("/2", enabled=False)) + group(http(), enabled=False, name="Off"))

    assert [step.path for step in only(found).steps] == ["/1"]
    assert found.notes == ()


def test_names_of_samplers_are_labels():
    found = only(read(counter("n") + group(http(name="A ${n}") + http(name="B ${__P(x,y)}") + http("/p", name=""))))
    assert [step.label for step in found.steps] == ["A ${n}", "B y", "GET /p"]


def test_an_open_model_groups_schedule_is_read():
    schedule = text("OpenModelThreadGroup.schedule", "rate(1/s) even_arrivals(10 s) rate(2/s)")
    below = (
        csv("f.csv", shareMode="shareMode.thread") + counter("n", per_user="true") + http("/${a}/${n}/${__threadNum}")
    )
    found = only(read(element("OpenModelThreadGroup", "Open", schedule, below=below), FILE))

    assert found.shape == Phases((Segment(1.0, 2.0, 10.0),))
    # Each arrival is a thread of its own: it has the first row and number of its own, and a connection of its own.
    assert sent(found, 2) == ["GET /1/1/1", "GET /1/1/2"]
    assert not found.keep_alive


def test_requests_to_another_server_than_most_are_left_out_by_name():
    found = read(group(http("/1") + http("/2", name="Ads", domain="localhost") + http("/3")))

    assert [step.path for step in only(found).steps] == ["/1", "/3"]
    assert [(note.what, note.name) for note in found.notes] == [("left out", "Ads")]
    assert "http://localhost:8000" in found.notes[0].meaning


@pytest.mark.parametrize(
    ("below", "kind", "what", "meaning"),
    [
        (element("SizeAssertion", "S"), "SizeAssertion", "left out", "count as good"),
        (element("RegexExtractor", "R", text("RegexExtractor.refname", "r")), "RegexExtractor", "left out", "not read"),
        (element("JSR223PreProcessor", "J"), "JSR223PreProcessor", "left out", "is not done"),
        (element("kg.apc.jmeter.timers.OtherTimer", "O"), "OtherTimer", "left out", "without its wait"),
        (element("JDBCSampler", "D"), "JDBCSampler", "left out", "not carried out"),
        (
            element("WhileController", "W", below=http() + http()),
            "WhileController",
            "left out",
            "2 HTTP Requests are not",
        ),
        (
            element("IfController", "I", text("IfController.condition", "${x}"), below=http()),
            "IfController",
            "left out",
            "1 HTTP Requests are not",
        ),
        (element("CookieManager", "C"), "CookieManager", "left out", "not sent back"),
        (
            element("ResultCollector", "V", text("filename", "a.jtl")),
            "ResultCollector",
            "left out",
            "a.jtl is not written",
        ),
        (element("TransactionController", "T", below=http()), "TransactionController", "differs", "one by one"),
        (
            element("GaussianRandomTimer", "G", text("ConstantTimer.delay", "5")),
            "GaussianRandomTimer",
            "differs",
            "mean",
        ),
        (http(name="F", follow_redirects="true"), "HTTPSamplerProxy", "differs", "not followed"),
        (http(name="E", image_parser="true"), "HTTPSamplerProxy", "differs", "not fetched"),
        (element("Unheard", "U"), "Unheard", "left out", "does not have it"),
    ],
)
def test_what_holdfast_does_not_have_is_listed(below, kind, what, meaning):
    found = read(group(http() + below))

    assert [(note.kind, note.what) for note in found.notes] == [(kind, what)]
    assert meaning in found.notes[0].meaning


def test_what_makes_no_difference_is_not_listed():
    cosmetic = element("ResultCollector", "Tree", text("filename", "")) + element("DebugPostProcessor", "D")
    fragment = element("TestFragmentController", "F", below=http("/fragment"))

    assert read(group(http() + cosmetic) + fragment + element("WorkBench", "W", below=http())).notes == ()


def test_several_groups_keep_their_own_and_are_told_apart():
    serial = text("TestPlan.serialize_threadgroups", "true")
    shared = csv("f.csv")
    found = read_plan(
        plan(shared + group(http("/${a}"), name="One") + group(http(), name="Two"), serial),
        "test.jmx",
        read_file=FILE.__getitem__,
        properties={},
    )

    assert [each.name for each in found.groups] == ["One", "Two"]
    assert {note.name for note in found.notes} == {"Plan", "f.csv"}


@pytest.mark.parametrize(
    ("below", "says"),
    [
        (
            http("/${token}")
            + element("JSONPostProcessor", "Get token", text("JSONPostProcessor.referenceNames", "token;b")),
            'set by JSONPostProcessor "Get token"',
        ),
        (
            http("/${token_g1}") + element("RegexExtractor", "R", text("RegexExtractor.refname", "token")),
            'set by RegexExtractor "R"',
        ),
        (http("/${hots}") + variables(host="x"), "did you mean ${host}"),
        (http("/${x}") + element("JSR223PreProcessor", "Script"), 'may be set by JSR223PreProcessor "Script"'),
        (
            http("/${n}") + element("GenericController", "", below=counter("n") + http()),
            "No element of the plan sets it",
        ),
        (http("/${__time()}"), "${__time} is a function that holdfast does not have"),
        (http("/${__P(a) x}"), "cannot be read"),
        (http("/${__Random(a,3)}"), "to be whole numbers"),
        (http("/${__Random(9,3)}"), "to be the smaller one"),
        (http() + headers(header("X", "a\nb")), "its header X is 'a\\nb'"),
        (http(domain=""), "it names no server"),
        (http(domain="h${__threadNum}"), "changes from one request to the next"),
        (http(port="http"), "its port is 'http'"),
        (http(protocol="ftp"), "its protocol is 'ftp'"),
        (http() + element("ConstantTimer", "T", text("ConstantTimer.delay", "soon")), "its time is 'soon'"),
        (http() + element("ConstantThroughputTimer", "T"), "sets how many requests are sent in a minute"),
        (http() + assertion("response_data", 2, "(a"), "no regular expression"),
        (http() + loop("-1", http()), "loops for ever inside"),
        (loop("100000", http()), "more than 10,000 requests"),
        (counter("n", form="#,##0") + http(), "its format '#,##0'"),
        (counter("n", start="one") + http(), "its start is 'one'"),
    ],
)
def test_nonsense_is_refused_by_element_and_name(below, says):
    with pytest.raises(UsageError) as caught:
        read(group(below))
    assert says in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("properties", "numbers", "says"),
    [
        ((), {"threads": "many"}, "its number of threads is 'many'"),
        ((), {"threads": "2000000"}, "2,000,000 threads"),
        ((), {"ramp": "-1"}, "its ramp-up time is -1"),
        ((text("ThreadGroup.scheduler", "true"),), {}, "no duration"),
        ((text("ThreadGroup.on_sample_error", "panic"),), {}, "'panic'"),
    ],
)
def test_a_group_that_cannot_be_meant_is_refused(properties, numbers, says):
    with pytest.raises(UsageError, match=says):
        read(group(http(), *properties, **numbers))
