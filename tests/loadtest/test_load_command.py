"""`holdfast load`: what it says it did is what an independent server counted; and what it says of mistakes."""

from __future__ import annotations

import csv
import io
import json
import signal
import threading

import pytest
from support.lateness import apart_from_lateness
from support.waiting import until

from holdfast.model.load import MIN_ENDED

ANSWERED, FAILED, USAGE, INCONCLUSIVE, ENVIRONMENT = range(5)


def loaded(holdfast, *arguments):
    ended = holdfast.run("load", *arguments, "--json", "-")
    return ended.exit, json.loads(ended.out)


@pytest.mark.parametrize(
    ("arguments", "requests"),
    [
        (("--requests", "200", "--over", "1s"), 200),
        (("--rate", "300/s", "--for", "500ms"), 150),
        (("--ramp", "0:400/1s"), 200),
        (("--stages", "100/s:500ms,300/s:0.5s"), 200),
        (("--burst", "64"), 64),
        (("--clients", "7", "--requests", "500"), 500),
    ],
)
def test_each_shape_sends_as_many_requests_as_the_server_counts(holdfast, counting, arguments, requests):
    code, result = loaded(holdfast, counting.url, *arguments)

    assert code == (INCONCLUSIVE if result["generator_limited"] else ANSWERED)
    assert apart_from_lateness(result["warnings"]) == []
    assert result["offered"] == result["outcomes"]["answered"] == requests
    assert result["statuses"] == {"200": requests}
    assert counting.seen()["requests"] == requests
    assert (result["schema"], result["kind"]) == (1, "load")


def test_the_closed_model_ends_with_its_time(holdfast, counting):
    code, result = loaded(holdfast, counting.url, "--clients", "3", "--for", "300ms")

    assert code == ANSWERED
    assert result["rate_asked_per_s"] is None
    assert result["peak_in_flight"] <= 3
    assert counting.seen()["requests"] == result["outcomes"]["answered"] > 3


def test_arrivals_by_chance_are_the_same_for_the_same_seed(holdfast, counting):
    chance = ("--rate", "200", "--for", "1s", "--poisson")
    results = [loaded(holdfast, counting.url, *chance, "--seed", seed)[1]["offered"] for seed in ("1", "1", "2")]

    assert results[0] == results[1]
    # Poisson with mean 200: outside of 6 standard deviations by lot once in a thousand million.
    assert all(115 < each < 285 for each in results)


@pytest.mark.parametrize("counting", ["tcp", "unix"], indirect=True)
def test_every_number_is_sent_once_in_path_header_and_body(holdfast, counting, tmp_path):
    (tmp_path / "body.json").write_text('{"number": {id}}')
    url = counting.url + (":" if counting.url.startswith("unix") else "") + "/orders?number={id}"

    code, result = loaded(
        holdfast, url, "--burst", "50", "-X", "POST", "-H", "X-Number: n{id}", "--data", f"@{tmp_path / 'body.json'}"
    )

    seen = counting.seen()
    assert (code, result["outcomes"]["answered"]) == (ANSWERED, 50)
    assert seen["paths"] == {f"POST /orders?number={number}": 1 for number in range(50)}
    assert seen["numbers"] == {f"n{number}": 1 for number in range(50)}
    assert seen["bodies"] == {f'{{"number": {number}}}': 1 for number in range(50)}


def test_an_error_status_is_no_answer_unless_it_is_expected(holdfast, counting):
    busy = f"{counting.url}/busy"
    _, plain = loaded(holdfast, busy, "--burst", "9")
    _, expected = loaded(holdfast, busy, "--burst", "9", "--expect-status", "503")

    assert (plain["outcomes"]["answered"], plain["outcomes"]["rejected"]) == (0, 9)
    assert (expected["outcomes"]["answered"], expected["outcomes"]["rejected"]) == (9, 0)


@pytest.mark.parametrize(
    ("threshold", "code"),
    [("errors<1%", FAILED), ("errors<=9", ANSWERED), ("p99<1h", USAGE), ("rate>=1000000/s", FAILED)],
)
def test_thresholds_decide_the_exit_code(holdfast, counting, threshold, code):
    ended = holdfast.run("load", f"{counting.url}/busy", "--requests", "9", "--over", "100ms", "--threshold", threshold)

    assert ended.exit == code, ended.err


@pytest.mark.parametrize(
    ("threshold", "code", "says"),
    [
        ("label('GET /busy').errors<=9", ANSWERED, "holds (9)"),  # the counting server answers 503 there
        ("label('GET /busy').errors<1%", FAILED, "does not hold (100.00%)"),
        ("label('GET /busi').errors<1%", USAGE, "Did you mean GET /busy?"),
    ],
)
def test_a_threshold_of_a_label_is_about_its_requests(holdfast, counting, threshold, code, says):
    ended = holdfast.run("load", f"{counting.url}/busy", "--burst", "9", "--threshold", threshold)

    assert (ended.exit, says in ended.out + ended.err) == (code, True), ended.out + ended.err


def test_the_rows_of_all_requests_are_written(holdfast, counting, tmp_path):
    holdfast.run("load", counting.url, "--burst", "20", "--csv", tmp_path / "rows.csv")

    rows = list(csv.DictReader(io.StringIO((tmp_path / "rows.csv").read_text())))
    assert [row["id"] for row in rows] == [str(each) for each in range(20)]
    assert all(0 < int(row["due_ns"]) <= int(row["begun_ns"]) <= int(row["done_ns"]) for row in rows)
    assert {(row["outcome"], row["status"]) for row in rows} == {("answered", "200")}


@pytest.mark.parametrize("more", [(), ("--cookies",)], ids=["fixed beforehand", "with memory"])
@pytest.mark.parametrize("presses", [1, 2])
def test_nothing_is_lost_at_ctrl_c_the_first_drains_the_second_gives_up(holdfast, counting, presses, more):
    path = "/" if presses == 1 else "/silent"
    running = holdfast.start("load", counting.url + path, "--rate", "100", "--for", "60s", "--json", "-", *more)
    until(lambda: counting.seen()["requests"] >= 10, "ten requests")
    running.signal(signal.SIGINT)
    before, pause = -1, threading.Event()
    while (now := counting.seen()["requests"]) > before:  # until nothing more is begun
        before = now
        pause.wait(0.3)
    if presses == 2:
        running.signal(signal.SIGINT)

    ended = running.ended()

    result = json.loads(ended.out)
    assert ended.exit == INCONCLUSIVE
    assert sum(result["outcomes"].values()) == result["offered"] == counting.seen()["requests"]
    assert result["outcomes"]["answered"] == (result["offered"] if presses == 1 else 0)


@pytest.mark.parametrize("shape", [("--clients", "64"), ("--clients", "5", "--think", "1ms-2ms")])
def test_a_closed_load_on_a_port_where_nothing_listens_ends_at_once_and_says_so(holdfast, shape):
    ended = holdfast.run("load", "http://127.0.0.1:1/", *shape, "--for", "60s", "--json", "-")

    assert ended.exit == ENVIRONMENT
    assert "Nothing is listening on 127.0.0.1:1: every connection was refused." in ended.err
    result = json.loads(ended.out)
    assert MIN_ENDED <= result["offered"] == result["outcomes"]["refused"] <= 2 * 64
    assert result["stopped"] == f"the first {result['offered']} connections were refused, so nothing listens there"


def test_an_open_load_on_a_port_where_nothing_listens_counts_all_that_was_due(holdfast):
    ended = holdfast.run("load", "http://127.0.0.1:1/", "--rate", "200/s", "--for", "1s", "--json", "-")

    assert json.loads(ended.out)["outcomes"]["refused"] == 200


def test_a_server_that_nobody_runs_is_said_to_refuse(holdfast):
    ended = holdfast.run("load", "http://127.0.0.1:1/", "--burst", "3")

    assert ended.exit == ENVIRONMENT
    assert "Nothing is listening on 127.0.0.1:1: every connection was refused." in ended.err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), USAGE, "Say how much load to send"),
        (("--burst", "3", "--rate", "3"), USAGE, "exclude each other: --rate, --burst"),
        (("--rate", "3"), USAGE, "add --for (10s) or --requests (100) to --rate"),
        (("--requests", "3"), USAGE, "--requests N and --over DURATION go together"),
        (("--clients", "3"), USAGE, "add --for (10s) or --requests (100) to --clients"),
        (("--burst", "3", "--for", "3s"), USAGE, "--for does not go with --burst"),
        (("--burst", "3", "--poisson"), USAGE, "--poisson goes with --rate or --stages"),
        (("--rate", "fast", "--for", "3s"), USAGE, "'fast' is not a rate"),
        (("--rate", "3", "--for", "ever"), USAGE, "'ever' is not a duration"),
        (("--stages", "3:3s,4"), USAGE, "Stage 2, at character 6"),
        (("--rate", "1000000", "--for", "1h"), USAGE, "more than 50,000,000"),
        (("--burst", "3", "--threshold", "p99<quick"), USAGE, "see character 5"),
        (("--burst", "3", "-H", "nothing"), USAGE, "is not 'Name: value'"),
        (("--burst", "3", "-H", "Content-Length: 3"), USAGE, "follows from the body"),
        (("--burst", "3", "-X", "GET IT"), USAGE, "is not an HTTP method"),
        (("--burst", "3", "--data", "@missing.json"), USAGE, "missing.json does not exist"),
        (("--burst", "3", "--json", "missing/result.json"), USAGE, "missing does not exist."),
    ],
)
def test_what_cannot_be_meant_is_told_before_anything_is_sent(holdfast, counting, arguments, code, says):
    ended = holdfast.run("load", counting.url, *arguments)

    assert ended.exit == code, ended.err
    assert says in ended.err
    assert counting.seen()["requests"] == 0


def test_another_machine_is_left_alone_unless_it_is_named(holdfast):
    ended = holdfast.run("load", "http://192.0.2.1/", "--burst", "3")

    assert ended.exit == USAGE
    assert "--allow-remote 192.0.2.1" in ended.err
