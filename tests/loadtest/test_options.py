"""What the options of `holdfast load` do, as a server that counts for itself sees it."""

from __future__ import annotations

import json
import os

import pytest
from support.lateness import unless_late

ANSWERED, EXPECTATION_FAILED, USAGE, INCONCLUSIVE, ENVIRONMENT = range(5)


def loaded(holdfast, *arguments):
    ended = holdfast.run("load", *arguments, "--json", "-")
    return ended.exit, json.loads(ended.out)


@pytest.fixture
def people(holdfast):
    file = holdfast.directory / "people.csv"
    file.write_text("user,city\nann,Köln\nbob,Paris\neve,Rome\n")
    return str(file)


def test_rows_of_a_table_come_one_after_the_other_and_again(holdfast, counting, people):
    code, _ = loaded(holdfast, counting.url + "/{user}?c={city}", "--burst", "7", "--data-rows", people)

    assert code == ANSWERED
    assert counting.seen()["paths"] == {"GET /ann?c=K%C3%B6ln": 3, "GET /bob?c=Paris": 2, "GET /eve?c=Rome": 2}


@pytest.mark.parametrize(
    "shape",
    [
        ("--burst", "7"),
        ("--rate", "50", "--for", "5s"),
        ("--clients", "2", "--for", "20s"),
        ("--clients", "2", "--for", "20s", "--think", "10ms"),
    ],
)
def test_a_table_that_ends_early_ends_the_load_with_its_last_row(holdfast, counting, people, shape):
    code, result = loaded(holdfast, counting.url + "/{user}", *shape, "--data-rows", people, "--once")

    assert (code, result["offered"]) == (ANSWERED, 3)
    assert sorted(counting.seen()["paths"]) == ["GET /ann", "GET /bob", "GET /eve"]


def test_braces_that_name_nothing_stay_as_they_are(holdfast, counting):
    loaded(holdfast, counting.url + "/", "--burst", "1", "-X", "POST", "--data", '{"a": {id}, "b": {c}}')

    assert counting.seen()["bodies"] == {'{"a": 0, "b": {c}}': 1}


@pytest.mark.parametrize(
    ("shape", "fewest", "most"),
    [
        (("--rate", "100", "--for", "1s"), 100, 100),
        (("--rate", "100", "--for", "1s", "--keep-alive"), 1, 99),
        (("--clients", "4", "--requests", "100"), 4, 4),
        (("--clients", "4", "--requests", "100", "--think", "1ms"), 4, 4),
        (("--clients", "4", "--requests", "100", "--no-keep-alive"), 100, 100),
        (("--clients", "4", "--requests", "100", "--think", "1ms", "--no-keep-alive"), 100, 100),
    ],
)
def test_connections_are_used_again_or_not_as_was_asked(holdfast, counting, shape, fewest, most):
    code, result = loaded(holdfast, counting.url + "/", *shape)

    assert (code, result["outcomes"]["answered"]) == (unless_late(ANSWERED, result), 100)
    assert fewest <= counting.seen()["connections"] <= most


def test_clients_that_think_send_as_often_as_their_pauses_let_them(holdfast, counting):
    code, result = loaded(holdfast, counting.url + "/", "--clients", "5", "--for", "1s", "--think", "100ms")

    assert code == unless_late(ANSWERED, result)
    # Each begins after its first pause, and then every 100 ms and a little.
    assert 5 * 5 <= result["offered"] <= 5 * 9
    assert result["outcomes"]["answered"] == result["offered"]


def test_a_load_that_is_to_stop_at_the_first_failure_sends_nothing_after_it(holdfast, counting):
    code, result = loaded(holdfast, counting.url + "/busy", "--rate", "100", "--for", "60s", "--stop", "first-failure")

    assert code == unless_late(EXPECTATION_FAILED, result)
    assert 1 <= result["offered"] <= 10
    assert result["stopped"] == "a request was not answered"


@pytest.mark.parametrize(
    ("low", "high", "refused"),
    [
        ("p99>2s", "p99<1ms", True),
        ("p50>10ms", "p99<10ms", True),
        ("p50>=10ms", "p99<=10ms", False),
        ("p99>0ms", "p50<60s", False),
        ("rate>=100/s", "rate<50/s", True),
        ("errors>1", "errors<1%", False),
        ("label('GET /').p99>2s", "p99<2s", False),
    ],
)
def test_thresholds_that_no_result_can_hold_are_refused(holdfast, counting, low, high, refused):
    thresholds = [option for rule in (high, low) for option in ("--threshold", rule)]

    ended = holdfast.run("load", counting.url + "/", "--burst", "1", *thresholds)

    assert (f"No result can hold both {high} and {low}." in ended.err) is refused
    assert (ended.exit == USAGE) is refused


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_load_stops_when_too_many_fail(holdfast, counting, processes):
    options = ("--rate", "200", "--for", "60s", "--stop", "errors>5%", "--processes", processes)

    code, result = loaded(holdfast, counting.url + "/busy", *options)

    assert code == unless_late(EXPECTATION_FAILED, result)
    assert 20 <= result["offered"] < 400
    assert result["outcomes"]["rejected"] == result["offered"]
    assert "were not answered (100.0%)" in result["stopped"]


def test_a_load_that_does_not_fail_is_not_stopped(holdfast, counting):
    code, result = loaded(holdfast, counting.url + "/", "--burst", "50", "--stop", "errors>5%")

    assert (code, result["stopped"]) == (unless_late(ANSWERED, result), None)


@pytest.mark.parametrize(
    ("check", "outcome"),
    [
        (("--expect-body", "count"), "answered"),
        (("--expect-body", "nothing"), "wrong-body"),
        (("--expect-match", "^c.*d$"), "answered"),
        (("--expect-match", "[0-9]"), "wrong-body"),
    ],
)
@pytest.mark.parametrize("shape", [("--burst", "30"), ("--clients", "3", "--requests", "30")])
def test_a_body_that_is_not_what_was_expected_is_no_answer(holdfast, counting, check, outcome, shape):
    _, result = loaded(holdfast, counting.url + "/", *shape, *check, "--threshold", "errors<1%")

    assert result["outcomes"][outcome] == result["offered"] == 30
    assert result["thresholds"][0]["held"] is (outcome == "answered")


def test_requests_come_from_the_addresses_that_were_named(holdfast, counting):
    sources = ("--source", "127.0.0.5", "--source", "127.0.0.6")

    code, result = loaded(holdfast, counting.url + "/", "--burst", "20", *sources)

    assert code == unless_late(ANSWERED, result)
    assert counting.seen()["peers"] == {"127.0.0.5": 10, "127.0.0.6": 10}


def test_a_load_at_a_rate_ends_when_its_number_of_requests_is_reached(holdfast, counting):
    code, result = loaded(holdfast, counting.url + "/", "--rate", "200", "--requests", "90")

    assert (code, result["offered"], counting.seen()["requests"]) == (unless_late(ANSWERED, result), 90, 90)


def test_a_rate_that_the_machine_cannot_reach_is_said_to_be_our_own_limit(holdfast, counting):
    code, result = loaded(holdfast, counting.url + "/", "--rate", "100000", "--requests", "20000", "--timeout", "5")

    assert code == INCONCLUSIVE
    assert result["generator_limited"]
    assert sum(result["outcomes"].values()) == result["offered"] == 20_000


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--burst", "1", "--think", "1s"), USAGE, "--think goes with --clients"),
        (("--clients", "1", "--for", "1s", "--think", "3s-1s"), USAGE, "shorter than the shortest"),
        (("--burst", "1", "--stop", "errors"), USAGE, "not a stop rule"),
        (("--burst", "1", "--expect-match", "a(b"), USAGE, "not a regular expression"),
        (("--burst", "1", "--source", "here"), USAGE, "not an IP address"),
        (("--burst", "1", "--source", "192.0.2.7"), ENVIRONMENT, "192.0.2.7 is not an address of this machine"),
        (("--burst", "1", "--source", "::1"), USAGE, "::1 is IPv6, and 127.0.0.1 is IPv4"),
        (("--burst", "1", "--data-rows", "none.csv"), USAGE, "none.csv does not exist"),
        (("--burst", "1", "--data-rows", "empty.csv"), USAGE, "empty.csv has no rows"),
        (("--burst", "1", "--data-rows", "ragged.csv"), USAGE, "Row 2 of ragged.csv has 1 values"),
        (("--burst", "1", "--data-rows", "binary.csv"), USAGE, "binary.csv is not CSV"),
        (("--burst", "1", "--data-rows", "quote.csv"), USAGE, "The row that begins in line 3: unexpected end of data"),
        (("--burst", "1", "-X", "A B", "--cookies"), USAGE, "'A B' is not an HTTP method"),
        (("--burst", "1", "--data", "@none.json"), USAGE, "none.json does not exist"),
        (("--burst", "1", "--data-rows", "id.csv"), USAGE, "The columns of id.csv need different names"),
        (("--burst", "1", "--data-rows", "twice.csv"), USAGE, "The columns of twice.csv need different names"),
        (("--burst", "1", "--once"), USAGE, "--once goes with --data-rows"),
        (("--rate", "5"), USAGE, "add --for (10s) or --requests (100) to --rate"),
        (("--rate", "0", "--requests", "5"), USAGE, "would send no requests"),
        (("--clients", "1", "--for", "0s"), USAGE, "would send no requests"),
        (("--rate", "1/h", "--requests", "3000000"), USAGE, "more than 292 years"),
        (("--requests", "10", "--over", "9999999999h"), USAGE, "more than 100 years"),
        (("--burst", "1", "--timeout", "inf"), USAGE, "'inf' is not a duration"),
    ],
)
def test_a_mistake_is_told_before_anything_is_sent(holdfast, counting, arguments, code, says):
    (holdfast.directory / "empty.csv").write_text("user\n")
    (holdfast.directory / "id.csv").write_text("id,user\n7,ann\n")
    (holdfast.directory / "twice.csv").write_text("user,user\nann,bob\n")
    (holdfast.directory / "ragged.csv").write_text("user,city\nann,Rome\nbob\n")
    (holdfast.directory / "binary.csv").write_bytes(os.urandom(64) + b"\xff")
    (holdfast.directory / "quote.csv").write_text('user,x\nann,1\nbob,"2\neve,3\n')

    ended = holdfast.run("load", counting.url + "/", *arguments)

    assert (ended.exit, "Traceback" in ended.err) == (code, False)
    assert says in " ".join(ended.err.split())
    assert counting.seen()["requests"] == 0


def test_a_name_in_the_path_that_stands_for_nothing_is_no_path(holdfast, counting):
    ended = holdfast.run("load", counting.url + "/{nope}", "--burst", "1")

    assert ended.exit == USAGE
    assert "{nope} in the path has no value: there is {id}" in " ".join(ended.err.split())
    assert counting.seen()["requests"] == 0


def test_a_body_is_posted_unless_a_method_is_given(holdfast, counting):
    loaded(holdfast, counting.url + "/", "--burst", "1", "--data", "x")
    loaded(holdfast, counting.url + "/", "--burst", "1", "--data", "x", "-X", "GET")

    assert counting.seen()["paths"] == {"POST /": 1, "GET /": 1}


@pytest.mark.parametrize(
    ("path", "more", "code"),
    [
        ("/busy", (), EXPECTATION_FAILED),
        ("/busy", ("--threshold", "errors<=9"), ANSWERED),
        ("/", (), ANSWERED),
    ],
)
def test_a_load_without_a_single_answer_is_no_success_unless_thresholds_say_so(holdfast, counting, path, more, code):
    ended, result = loaded(holdfast, counting.url + path, "--rate", "50", "--requests", "9", *more)

    assert ended == unless_late(code, result)


def test_after_a_first_failure_a_client_sends_nothing_more(holdfast, counting):
    options = ("--clients", "1", "--requests", "50", "--stop", "first-failure")

    code, result = loaded(holdfast, counting.url + "/busy", *options)

    assert (code, result["offered"], counting.seen()["requests"]) == (EXPECTATION_FAILED, 1, 1)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("http://127.0.0.1:1", "shop.toml"), "shop.toml says itself where its requests go, so it is given alone."),
        (("http://127.0.0.1:1", "shop.jmx"), "--jmx: holdfast load --jmx shop.jmx http://127.0.0.1:1"),
        (("shop.HAR",), "shop.HAR is given with --har: holdfast load --har shop.HAR"),
        (("http://127.0.0.1:1", "/b"), "takes one URL, and these are 2 words: http://127.0.0.1:1, /b. Quote a URL"),
        (("http://127.0.0.1:1", "--burst", "1", "--", "x"), "takes one URL, and these are 2 words"),
    ],
)
def test_words_that_load_does_not_take_are_refused_with_what_is_meant(holdfast, words, says):
    ended = holdfast.run("load", *words)

    assert ended.exit == USAGE
    assert says in ended.err
