"""What of a JMeter plan holdfast lists as left out, and what it refuses."""

from __future__ import annotations

import pytest
from writing import (
    assertion,
    counter,
    element,
    group,
    header,
    headers,
    http,
    loop,
    only,
    read,
    text,
    variables,
)

from holdfast.errors import UsageError


def test_requests_to_another_server_than_most_are_left_out_by_name():
    found = read(group(http("/1") + http("/2", name="Ads", domain="localhost") + http("/3")))

    assert [step.path for step in only(found).steps] == ["/1", "/3"]
    assert [(note.what, note.name) for note in found.notes] == [("left out", "Ads")]
    assert "http://localhost:8000" in found.notes[0].meaning


@pytest.mark.parametrize(
    ("below", "kind", "what", "meaning"),
    [
        (element("SizeAssertion", "S"), "SizeAssertion", "left out", "count as good"),
        (
            element("RegexExtractor", "R", text("RegexExtractor.refname", "r")),
            "RegexExtractor",
            "left out",
            "it reads nothing from answers",
        ),
        (element("JSR223PreProcessor", "J"), "JSR223PreProcessor", "left out", "it does not run before requests"),
        (element("kg.apc.jmeter.timers.OtherTimer", "O"), "OtherTimer", "left out", "requests do not wait for it"),
        (element("JDBCSampler", "D"), "JDBCSampler", "left out", "it does not run"),
        (
            element("WhileController", "W", below=http() + http()),
            "WhileController",
            "left out",
            "its 2 HTTP Requests are not sent",
        ),
        (
            element("IfController", "I", text("IfController.condition", "${x}"), below=http()),
            "IfController",
            "left out",
            "its HTTP Request is not sent: its condition is unknown",
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
        (element("Unheard", "U"), "Unheard", "left out", "holdfast does not support it"),
    ],
)
def test_an_element_that_holdfast_does_not_support_is_listed(below, kind, what, meaning):
    found = read(group(http() + below))

    assert [(note.kind, note.what) for note in found.notes] == [(kind, what)]
    assert meaning in found.notes[0].meaning


def test_what_makes_no_difference_is_not_listed():
    cosmetic = element("ResultCollector", "Tree", text("filename", "")) + element("DebugPostProcessor", "D")
    fragment = element("TestFragmentController", "F", below=http("/fragment"))

    assert read(group(http() + cosmetic) + fragment + element("WorkBench", "W", below=http())).notes == ()


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
        (http("/${hots}") + variables(host="x"), "Did you mean ${host}?"),
        (http("/${x}") + element("JSR223PreProcessor", "Script"), 'may be set by JSR223PreProcessor "Script"'),
        (
            http("/${n}") + element("GenericController", "", below=counter("n") + http()),
            "No element before this one sets it",
        ),
        (http("/${__time()}"), "${__time} is a function that holdfast does not support"),
        (http("/${__P(a) x}"), "cannot be read"),
        (http("/${__Random(a,3)}"), "Both must be whole numbers"),
        (http("/${__Random(9,3)}"), "The first must not be greater"),
        (http() + headers(header("X", "a\nb")), "its header X is 'a\\nb'"),
        (http(domain=""), "it names no server"),
        (http(domain="h${__threadNum}"), "changes from one request to the next"),
        (http(port="http"), "its port is 'http'"),
        (http(protocol="ftp"), "its protocol is 'ftp'"),
        (http() + element("ConstantTimer", "T", text("ConstantTimer.delay", "soon")), "its time is 'soon'"),
        (http() + element("ConstantThroughputTimer", "T"), "it limits how many requests are sent per minute"),
        (http() + assertion("response_data", 2, "(a"), "'(a' is not a regular expression"),
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
