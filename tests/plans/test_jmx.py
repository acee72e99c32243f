"""What a JMeter plan means, element by element; the sources are files of apache/jmeter."""

from __future__ import annotations

import pytest
from writing import (
    FILE,
    arguments,
    collection,
    counter,
    csv,
    element,
    group,
    header,
    headers,
    http,
    inner,
    only,
    plan,
    read,
    sent,
    text,
)

from holdfast.errors import UsageError
from holdfast.model.scenario import Pause
from holdfast.model.schedule import Segment
from holdfast.model.shapes import Clients, Phases
from holdfast.plans.jmx import read_plan

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
    # StringProperty.getIntValue: what is not a number counts as 0.
    other = group(http(), name="Other")
    found = read(group(http(), **numbers) + other)

    assert [each.name for each in found.groups] == ["Other"]
    assert any("so it sends nothing" in note.meaning for note in found.notes)
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
def test_a_groups_action_after_an_error_becomes_what_a_failure_does(said, on_failure, stops):
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
        with pytest.raises(UsageError, match="it sends a multipart form"):
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


def test_all_timers_that_apply_to_a_request_are_added():
    # JMeterThread.delay: all timers that apply, one after the other.
    constant = element("ConstantTimer", "C", text("ConstantTimer.delay", "${__P(ms,300)}"))
    uniform = element("UniformRandomTimer", "U", text("ConstantTimer.delay", "100"), text("RandomTimer.range", "50.0"))
    drawn = element("ConstantTimer", "D", text("ConstantTimer.delay", "${__Random(10,30)}"))

    assert only(read(group(http() + constant + uniform))).steps[0].pause == Pause(0.4, 0.05)
    assert only(read(group(http() + drawn))).steps[0].pause == Pause(0.01, 0.02)
    pause = element("TestAction", "Flow", text("ActionProcessor.action", "1"), text("ActionProcessor.duration", "70"))
    assert [step.pause.constant_s for step in only(read(group(http("/1") + pause + http("/2")))).steps] == [0.0, 0.07]


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
