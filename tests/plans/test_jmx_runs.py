"""`holdfast load --jmx`: what the server got is what JMeter sends for the same plan.

What JMeter sends was read in its source (named in `src/holdfast/plans`), and compared by hand with what the engine of
JMeter 2.13 sent for these plans: the same requests, but for what later versions do otherwise (the charset in a form's
Content-Type since 5.0, a DELETE's body), and for which thread was the first to take a row or a number.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from support.commandline import PROGRAM
from support.lateness import apart_from_lateness
from writing import counter, csv, element, group, http, plan, text

PLANS = Path(__file__).parent
ANSWERED, FAILED, USAGE, INCONCLUSIVE, ENVIRONMENT = range(5)
NS = 1_000_000_000


def ran(holdfast, counting, plan, *arguments):
    ended = holdfast.run("load", "--jmx", PLANS / plan, "-J", f"port={counting.port}", *arguments, "--json", "-")
    assert ended.exit in (ANSWERED, INCONCLUSIVE), ended.err
    result = json.loads(ended.out)
    # On a machine that has other things to do, a load may be late, and says so.
    late = len(apart_from_lateness(result["warnings"])) < len(result["warnings"])
    assert ended.exit == ANSWERED or late, result["warnings"]
    return result, ended.err


def lines(requests):
    return Counter(f"{each['method']} {each['path']}" for each in requests)


def by_connection(requests):
    found: dict[int, list[dict[str, object]]] = {}
    for each in requests:
        found.setdefault(each["connection"], []).append(each)
    return list(found.values())


def test_the_articles_plan_sends_each_number_once_in_its_ramp(holdfast, counting):
    result, err = ran(holdfast, counting, "article.jmx", "-J", "n=60", "-J", "ramp=3")

    each = counting.each()
    assert lines(each) == {f"GET /?id={number}": 1 for number in range(1, 61)}
    assert result["outcomes"]["answered"] == 60
    assert len(by_connection(each)) == 60
    # Thread i of n begins i * ramp / n after the first: the last one 2.95 s after it.
    assert 2.9 < (each[-1]["at_ns"] - each[0]["at_ns"]) / NS < 3.5
    assert err == ""


def test_rows_are_taken_in_turn_and_spelled_as_a_form_a_query_and_a_body(holdfast, counting):
    result, err = ran(holdfast, counting, "csv.jmx")

    each = counting.each()
    rows = ["Paris & Rome", "São Paulo", 'quoted "so"', "a+b=c/d", "~*-._"]
    people = ["ann", "bob", "cem", "dora", "eve"]
    # 3 threads, 4 loops: 12 iterations, and 5 rows that begin again: the first two come three times.
    often = [3, 3, 2, 2, 2]
    assert err == ""
    assert apart_from_lateness(result["warnings"]) == []
    assert result["outcomes"]["answered"] == len(each) == 36
    searched = Counter(request["path"] for request in each if request["method"] == "GET")
    assert searched == {
        f"/search?kind=all&city={spelled}&raw=a%20b": many
        for spelled, many in zip(
            ["Paris+%26+Rome", "S%C3%A3o+Paulo", "quoted+%22so%22", "a%2Bb%3Dc%2Fd", "%7E*-._"], often, strict=True
        )
    }
    posts = [request for request in each if request["method"] == "POST"]
    assert {request["headers"]["content-type"] for request in posts} == {
        "application/x-www-form-urlencoded; charset=UTF-8"
    }
    assert Counter(tuple(parse_qsl(request["body"])) for request in posts) == {
        (("user name", person), ("city", f"in {city}!")): many
        for person, city, many in zip(people, rows, often, strict=True)
    }
    puts = [request for request in each if request["method"] == "PUT"]
    assert {request["headers"]["content-type"] for request in puts} == {"application/json"}
    assert Counter(request["path"] for request in puts) == {
        f"/people/{person}": many for person, many in zip(people, often, strict=True)
    }
    threads = Counter(json.loads(request["body"])["thread"] for request in puts)
    assert threads == {1: 4, 2: 4, 3: 4}
    assert all("\r\n" in request["body"] for request in puts)
    # A thread keeps its connection, and sends its three requests in order, with one row.
    for requests in by_connection(each):
        assert [request["method"] for request in requests] == ["GET", "POST", "PUT"] * 4
        for _, post, put in zip(requests[::3], requests[1::3], requests[2::3], strict=True):
            assert dict(parse_qsl(post["body"]))["user name"] == json.loads(put["body"])["user"]


def test_headers_timers_and_assertions_apply_by_the_tree(holdfast, counting):
    result, err = ran(holdfast, counting, "shop.jmx")

    each = counting.each()
    # 503 is an error status, so the thread goes on with its next iteration: what comes after is never sent.
    assert lines(each) == {"GET /home?lang=en": 4, "DELETE /cart?lang=en": 4, "GET /busy?lang=en": 4}
    assert {(step["label"], step["offered"], step["outcomes"]["answered"]) for step in result["steps"]} == {
        ("Home", 4, 4),
        ("Cart", 4, 4),
        ("Stock", 4, 0),
    }
    for request in each:
        own = "here" if request["method"] == "DELETE" else "everywhere"
        assert (request["headers"]["x-where"], request["headers"]["x-plan"]) == (own, "shop")
    for requests in by_connection(each):
        assert len(requests) == 6
        for before, after in pairwise(requests):
            waited_ms = (after["at_ns"] - before["at_ns"]) / 1e6
            # 20 to 50 ms by chance before each, and 100 ms more before the one with a timer of its own.
            assert waited_ms >= (120 if after["method"] == "DELETE" else 20)
    first, second = (requests[0]["at_ns"] for requests in by_connection(each))
    assert 0.45 < (second - first) / NS < 1.5
    assert err == ""


def test_groups_counters_and_loops_send_what_jmeter_sends(holdfast, counting):
    result, err = ran(holdfast, counting, "groups.jmx")

    each = counting.each()
    sent = lines(each)
    assert err == ""
    assert result["outcomes"]["answered"] == 4 * 3 * 3 + 2 * 5 * 2
    # The first group: 4 threads, 3 iterations, and in each a loop of two.
    assert {path: many for path, many in sent.items() if path.startswith("GET /page")} == {
        f"GET /page/{number}": 1 for number in range(1, 13)
    }
    parts = [path.split("/")[2:] for path in sent.elements() if path.startswith("GET /part")]
    assert Counter(number for _, number in parts) == {str(number): 2 for number in range(1, 13)}
    # 24 passes of a counter 10, 12, 14, 10, ... that all threads share.
    assert Counter(counted for counted, _ in parts) == {"m_010": 8, "m_012": 8, "m_014": 8}
    # The second: each thread counts 0, 1, 2, 0, 1 for itself.
    assert {path: many for path, many in sent.items() if path.startswith("GET /own")} == {
        f"GET /own/{thread}/{number}": (2 if number < 2 else 1) for thread in (1, 2) for number in range(3)
    }
    chance = [path for path in sent.elements() if path.startswith("GET /chance")]
    assert len(chance) == 10
    assert set(chance) <= {"GET /chance/5", "GET /chance/6", "GET /chance/7"}


def test_an_open_model_group_keeps_its_schedule(holdfast, counting):
    _, err = ran(holdfast, counting, "open.jmx")

    each = counting.each()
    # From 0 to 40/s in one second are 20 arrivals, then none for 0.2 s, then 40/s for half a second.
    assert lines(each) == {f"GET /arrival/{number}/{number}": 1 for number in range(1, 41)}
    assert len(by_connection(each)) == 40
    at_s = [(request["at_ns"] - each[0]["at_ns"]) / NS for request in each]
    # The n-th of a rate that rises from 0 to R within T comes at sqrt(2 n T / R).
    for number in range(20):
        assert abs(at_s[number] - (2 * number / 40) ** 0.5) < 0.15
    assert all(1.15 < at < 1.9 for at in at_s[20:])
    assert "requests still in flight when the schedule ends are completed; JMeter aborts them" in err


def test_a_har_is_sent_once_by_one_client_and_as_often_as_is_said(holdfast, counting, tmp_path):
    url = f"http://127.0.0.1:{counting.port}"
    entries = [
        {
            "request": {
                "method": "GET",
                "url": f"{url}/?q=a%20b",
                "headers": [
                    {"name": ":authority", "value": "x"},
                    {"name": "Host", "value": "elsewhere"},
                    {"name": "Connection", "value": "close"},
                    {"name": "X-Number", "value": "7"},
                    {"name": "Cookie", "value": "session=1"},
                ],
            }
        },
        {"request": {"method": "GET", "url": "https://cdn.invalid/a.js", "headers": []}},
        {
            "request": {
                "method": "POST",
                "url": f"{url}/order",
                "headers": [{"name": "Content-Length", "value": "11"}],
                "postData": {"mimeType": "application/json", "text": '{"a": "ü"}'},
            }
        },
    ]
    (tmp_path / "shop.har").write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
    ended = holdfast.run("load", "--har", tmp_path / "shop.har", "--json", "-")

    assert ended.exit == ANSWERED, ended.err
    assert json.loads(ended.out)["outcomes"]["answered"] == 2
    choice = (
        f"shop.har: 2 requests to {url}, the server with most of them, are sent; 1 is left out, to https://cdn.invalid."
    )
    assert ended.err.splitlines()[0] == choice
    assert "differs: cookies: the recorded ones are sent" in ended.err
    first, second = counting.each()
    assert (first["method"], first["path"]) == ("GET", "/?q=a%20b")
    assert first["headers"]["host"] == f"127.0.0.1:{counting.port}"
    assert (first["headers"]["x-number"], first["headers"]["cookie"]) == ("7", "session=1")
    assert "connection" not in first["headers"]
    assert second["body"].encode("latin-1").decode() == '{"a": "ü"}'
    assert second["headers"]["content-type"] == "application/json"
    assert first["connection"] == second["connection"]

    shaped = ("--clients", "3", "--requests", "30", "-H", "Cookie: session=2")
    again = holdfast.run("load", "--har", tmp_path / "shop.har", *shaped, "--json", "-")
    assert json.loads(again.out)["outcomes"]["answered"] == 60
    assert "differs: cookies: that of -H is sent instead of the recorded ones" in again.err
    assert Counter(each["headers"].get("cookie") for each in counting.each()[2:]) == {"session=2": 60}
    burst = holdfast.run("load", "--har", tmp_path / "shop.har", "--burst", "5", "--json", "-")
    assert json.loads(burst.out)["outcomes"]["answered"] == 10


def test_a_recording_is_sent_to_another_server(holdfast, counting):
    recording = PLANS / "har" / "01-icons-outnumber-the-page.har"
    ended = holdfast.run("load", counting.url, "--har", recording, "--json", "-")

    assert ended.exit == ANSWERED, ended.err
    assert ended.err.splitlines()[0] == (
        "01-icons-outnumber-the-page.har: 2 requests to https://shop.example, the page's server, are sent to "
        f"{counting.url}; 6 are left out: 5 to https://static.example, 1 to https://count.example:8443."
    )
    assert "left out requests to https://static.example" in json.loads(ended.out)["warnings"][-1]
    to_one = [f"--map={host}={counting.url}" for host in ("shop.example", "static.example")]
    mapped = holdfast.run("load", "--har", recording, *to_one, "--json", "-")
    assert json.loads(mapped.out)["outcomes"]["answered"] == 7
    first, second, *icons = counting.each()
    assert (first["method"], first["path"], first["body"]) == ("POST", "/jars?kind=clay", "q=lid&n=2")
    assert (first["headers"]["host"], second["path"]) == (f"127.0.0.1:{counting.port}", "/jars/more?after=%2F3&x=a+b")
    assert [each["path"] for each in icons][1:4] == ["/icon/1.svg", "/icon/2.svg", "/icon/3.svg"]

    refused = [
        ((f"{counting.url}/base", "--har", recording), f"write {counting.url}"),
        (("--har", recording, "--map", "shop.example=http://192.0.2.1"), "--allow-remote 192.0.2.1"),
        (("--har", recording, "--map", "stop.example"), "Did you mean shop.example?"),
        (("--har", recording, "--map", "shop.example", "--map", "shop.example"), "is mapped twice"),
    ]
    for arguments, says in refused:
        error = holdfast.run("load", *arguments)
        assert (error.exit, says in error.err) == (USAGE, True), error.err
    assert len(counting.each()) == 9


def test_a_plan_is_sent_to_another_server(holdfast, counting, tmp_path):
    # The second is a choice that only a client under way can make.
    fixed = plan(group(http("/a", domain="shop.example") + http("/b", domain="shop.example")))
    under_way = plan(group(element("OnceOnlyController", "Once", below=http("/c", domain="${__P(host,shop.example)}"))))
    for number, content in enumerate((fixed, under_way)):
        file = tmp_path / f"{number}.jmx"
        file.write_bytes(content)
        ended = holdfast.run("load", counting.url, "--jmx", file, "--json", "-")

        assert ended.exit == ANSWERED, ended.err
        many = "2 requests" if number == 0 else "1 request"
        verb = "are" if number == 0 else "is"
        first = f"{file.name}: {many} to http://shop.example:8000 {verb} sent to {counting.url}."
        assert ended.err.splitlines()[0] == first
    assert [each["path"] for each in counting.each()] == ["/a", "/b", "/c"]
    mapped = holdfast.run("load", "--jmx", file, f"--map=shop.example:8000={counting.url}")
    assert mapped.exit == ANSWERED, mapped.err
    for wrong in ((f"{counting.url}/x",), ("--map", f"shop.example:80={counting.url}")):
        refused = holdfast.run("load", "--jmx", file, *wrong)
        assert refused.exit == USAGE, refused.err
    assert len(counting.each()) == 4


def test_each_host_of_a_plan_must_be_named_that_is_not_loopback(holdfast, counting):
    ended = holdfast.run("load", "--jmx", PLANS / "csv.jmx", "-J", "host=192.0.2.1", "-J", "port=1")

    assert ended.exit == USAGE
    assert "--allow-remote 192.0.2.1" in ended.err


def test_what_does_not_go_with_a_plan_is_refused_by_name(holdfast, counting):
    mistakes = [
        (("--jmx", PLANS / "csv.jmx", "--rate", "5"), "--rate does not go with --jmx"),
        (("--jmx", PLANS / "csv.jmx", "-X", "PUT"), "--method does not go with --jmx"),
        (("--jmx", PLANS / "csv.jmx", "--no-keep-alive"), "--keep-alive does not go with --jmx"),
        (("--har", "a.har", "--jmx", PLANS / "csv.jmx"), "--jmx and --har exclude each other"),
        ((), "Give URL, a scenario (FILE.toml), --jmx PLAN or --har FILE"),
        ((counting.url, "--burst", "1", "--map", "h"), "--map goes with --jmx or --har"),
        ((counting.url, "--burst", "1", "-J", "a=b"), "-J goes with --jmx"),
        (("--jmx", PLANS / "csv.jmx", "-J", "port"), "'port' is not name=value"),
        (("--har", PLANS / "csv.jmx", "--data", "x"), "--data does not go with --har"),
        (("--har", PLANS / "csv.jmx"), "is not an HTTP archive that can be sent"),
    ]
    missing = [("--jmx", "missing.jmx"), ("--har", "missing.har")]
    ended = holdfast.run_together([("load", *arguments) for arguments in (*(each for each, _ in mistakes), *missing)])
    for (_, says), each in zip(mistakes, ended, strict=False):
        assert (each.exit, says in each.err) == (USAGE, True), each.err
    assert [each.exit for each in ended[len(mistakes) :]] == [USAGE, USAGE]
    assert counting.seen()["requests"] == 0


def test_rows_of_each_thread_end_its_load_and_a_duration_the_others(holdfast, counting, tmp_path):
    (tmp_path / "rows.csv").write_text("v\n1\n2\n3\n")
    at = {"port": counting.port}
    own = csv("rows.csv", recycle="false", stopThread="true", shareMode="shareMode.thread")
    threads = group(own + http("/own/${v}", **at), threads="4", loops="-1")
    timed = group(
        element("ConstantTimer", "Wait", text("ConstantTimer.delay", "20"))
        + counter("n", per_user="true")
        + http("/timed/${__threadNum}/${n}", **at),
        text("ThreadGroup.scheduler", "true"),
        text("ThreadGroup.duration", "1"),
        threads="2",
        loops="-1",
    )
    (tmp_path / "test.jmx").write_bytes(plan(threads + timed))

    ended = holdfast.run("load", "--jmx", "test.jmx", "--json", "-")

    assert ended.exit in (ANSWERED, INCONCLUSIVE), ended.err
    each = lines(counting.each())
    assert {path: many for path, many in each.items() if "own" in path} == {f"GET /own/{row}": 4 for row in (1, 2, 3)}
    for thread in (1, 2):
        numbers = [int(path.rpartition("/")[2]) for path in each if path.startswith(f"GET /timed/{thread}/")]
        assert sorted(numbers) == list(range(1, len(numbers) + 1))
        # One each 20 ms and an answer within a second, on a machine that may be busy.
        assert 5 < len(numbers) <= 50
    assert all(many == 1 for path, many in each.items() if "timed" in path)


def test_an_arrival_that_has_sent_its_last_request_keeps_no_connection(holdfast, counting, tmp_path):
    requests = [{"method": "GET", "url": f"{counting.url}/{path}", "headers": []} for path in "ab"]
    file = tmp_path / "two.har"
    file.write_text(json.dumps({"log": {"entries": [{"request": request} for request in requests]}}))

    ended = holdfast.run("load", "--har", str(file), "--rate", "100", "--for", "2s", "--json", "-")

    result, seen = json.loads(ended.out), counting.seen()
    assert result["outcomes"]["answered"] == 400
    # One for both of its requests, and none of those before it is left but what the machine was slow to close.
    assert seen["connections"] == 200
    assert seen["most_connections"] <= result["peak_in_flight"] + 50


def test_what_a_plan_reads_outside_of_its_directory_is_listed_before_anything_is_sent(holdfast, counting, tmp_path):
    (tmp_path / "plans").mkdir()
    (tmp_path / "key").write_text("id\nann\n")
    (tmp_path / "plans" / "rows.csv").write_text("name\nbob\n")
    (tmp_path / "plans" / "link.csv").symlink_to(tmp_path / "key")
    file = tmp_path / "plans" / "p.jmx"
    sets = csv("rows.csv", "name") + csv("link.csv", "id") + csv("../key", "id")
    file.write_bytes(plan(group(sets + http("/${id}", port=counting.port))))

    ended = holdfast.run("load", "--jmx", str(file))

    listed = f"p.jmx reads files outside of its directory, and may send what is in them:\n  {tmp_path / 'key'}\n"
    assert ended.exit == ANSWERED, ended.err
    assert listed in ended.err
    assert "rows.csv" not in ended.err


@pytest.mark.parametrize("kind", ["device", "pipe"])
def test_a_plan_that_names_what_has_no_end_is_refused(holdfast, counting, tmp_path, kind):
    named = "/dev/zero" if kind == "device" else str(tmp_path / "pipe")
    if kind == "pipe":
        os.mkfifo(named)
    file = tmp_path / "endless.jmx"
    file.write_bytes(plan(group(csv(named, "name") + http("/${name}", port=counting.port))))

    ended = holdfast.run("load", "--jmx", str(file), program=["prlimit", "--as=2000000000", *PROGRAM])

    assert ended.exit == ENVIRONMENT
    assert ended.what == f"holdfast: Cannot read {named}, which endless.jmx names."
    assert "not a regular file" in ended.err
