"""`holdfast capacity` as it is typed: what it refuses, what it says at once, and what it leaves behind."""

from __future__ import annotations

import json
import signal
import sys

import pytest
from known_rates import APPS
from support.commandline import Holdfast
from support.terminal import Terminal

from holdfast.probing.ports import free_port

ANSWERED, FAILED, USAGE, INCONCLUSIVE, ENVIRONMENT = 0, 1, 2, 3, 4
P99 = ("--threshold", "p99<200ms")
HELLO = """
def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/missing":
        start_response("404 Not Found", [("Content-Length", "0")])
        return [b""]
    if path == "/moved":
        start_response("302 Found", [("Location", "/elsewhere"), ("Content-Length", "0")])
        return [b""]
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


@pytest.fixture(scope="module")
def app(workshop: Holdfast) -> Holdfast:
    (workshop.directory / "hello.py").write_text(HELLO)
    return workshop


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("http://127.0.0.1:1/",), "Nothing says what has to hold."),
        (("http://127.0.0.1:1/", "--threshold", "p50>10ms"), "'p50>10ms' is a lower bound."),
        (("http://127.0.0.1:1/", "--threshold", "rate>=75/s"), "'rate>=75/s' is about the rate itself."),
        (("http://127.0.0.1:1/", "--threshold", "p99<0ms"), "'p99<0ms' can never hold."),
        (("http://127.0.0.1:1/", "--threshold", "errors<0%"), "'errors<0%' can never hold."),
        (
            ("http://127.0.0.1:1/", *P99, "--from", "9", "--up-to", "8"),
            "The search cannot begin at 9 requests a second.",
        ),
        (P99, "Say what to load: a URL, an APP with --server, or a command after --."),
        (("http://127.0.0.1:1/", *P99, "--server", "gunicorn"), "--server is of a server that holdfast starts"),
        (("http://10.0.0.1/", *P99), "10.0.0.1 is not this machine's loopback."),
    ],
)
def test_what_cannot_be_searched_is_refused(arguments: tuple[str, ...], says: str, workshop: Holdfast) -> None:
    ended = workshop.run("capacity", *arguments)

    assert ended.exit == USAGE
    assert says in ended.err


def test_a_server_that_is_down_is_told_at_once(workshop: Holdfast) -> None:
    ended = workshop.run("capacity", f"http://127.0.0.1:{free_port()}/", *P99)

    assert ended.exit == ENVIRONMENT
    assert "Nothing is listening on 127.0.0.1" in ended.err


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/missing", "A single request for /missing was answered with 404."),
        ("/moved", "A single request for /moved was answered with 302, a redirect to /elsewhere."),
    ],
)
def test_a_path_that_does_not_answer_is_told_at_once(path: str, says: str, app: Holdfast) -> None:
    ended = app.run("capacity", "hello.py", "--server", "waitress", "--path", path, *P99)

    assert ended.exit == INCONCLUSIVE
    assert says in ended.err


def test_a_threshold_that_a_single_request_breaks_holds_at_no_rate(app: Holdfast) -> None:
    (app.directory / "pool.py").write_text((APPS / "pool.py").read_text())

    ended = app.run("capacity", "pool.py", "--server", "waitress", "--threshold", "p50<20ms", "--json", "-")

    found = json.loads(ended.out)
    assert (ended.exit, found["status"], found["rate_per_s"]) == (FAILED, "none", None)
    assert "p50<20ms does not hold of a single request" in found["words"]
    assert found["loads"] == []


def test_a_search_up_to_a_rate_is_saved_shown_compared_and_drawn(app: Holdfast) -> None:
    most = ("--from", "200", "--up-to", "200", "--for", "500ms")
    ended = app.run(
        "capacity", "hello.py", "--server", "waitress", *P99, *most, "--expect", "rate >= 200", "--json", "a.json"
    )

    assert ended.exit == ANSWERED, ended.err
    assert "at least 200 requests a second" in ended.out
    found = json.loads((app.directory / "a.json").read_text())
    assert (found["status"], found["rate_per_s"], found["bounded"]) == ("at least", 200.0, False)
    assert [each["met"] for each in found["expectations"]] == [True]
    run = str(found["run"])
    shown, listed = app.run("show", run), app.run("runs", "--kind", "capacity")
    assert shown.exit == ANSWERED
    assert "at least 200 requests a second" in shown.out
    assert "waitress" in listed.out
    drawn = app.run("report", run, "--html", "a.html", "--markdown", "-")
    assert drawn.exit == ANSWERED, drawn.err
    assert "at least 200 requests a second" in drawn.out
    assert '"knee":{"points":[' in (app.directory / "a.html").read_text()
    compared = app.run("diff", run, "a.json")
    assert compared.exit == ANSWERED
    assert "Nothing changed." in compared.out


def test_ctrl_c_gives_what_is_known_so_far(app: Holdfast) -> None:
    running = app.start("capacity", "hello.py", "--server", "waitress", *P99, "--from", "50")
    assert running.process.stderr is not None
    first = next(each for each in running.process.stderr if "holds" in each)
    running.signal(signal.SIGINT)
    ended = running.ended()

    assert first.startswith("50/s for ")
    assert ended.exit == INCONCLUSIVE
    assert "at least 50 requests a second" in ended.out
    assert "The search was stopped" in ended.out
    running.nothing_is_left()


def test_a_second_ctrl_c_gives_it_too(app: Holdfast) -> None:
    running = app.start("capacity", "hello.py", "--server", "waitress", *P99, "--from", "50", "--json", "-")
    assert running.process.stderr is not None
    next(each for each in running.process.stderr if each.startswith("50/s for "))
    running.signal(signal.SIGINT)
    running.signal(signal.SIGINT)
    ended = running.ended()

    assert ended.exit == INCONCLUSIVE
    found = json.loads(ended.out)
    assert (found["interrupted"], found["out_of_time"]) == (True, False)
    assert [each["rate_per_s"] for each in found["loads"]] == [50]
    assert [each["kind"] for each in json.loads(app.run("runs", "--json", "-").out)["runs"]][:1] == ["capacity"]
    running.nothing_is_left()


def test_no_load_is_begun_that_could_not_end_in_the_time_that_the_search_may_take(app: Holdfast) -> None:
    limit = ("--from", "50", "--for", "1s", "--at-most", "6s")
    port = ("--port", str(free_port()))

    ended = app.run("capacity", "hello.py", "--server", "waitress", *port, *P99, *limit, "--json", "-")

    assert ended.exit == INCONCLUSIVE, ended.err
    found = json.loads(ended.out)
    assert (found["interrupted"], found["out_of_time"]) == (False, True)
    assert found["loads"]
    assert all(each["began_s"] + each["seconds"] < 7 for each in found["loads"])
    assert found["command"].endswith("--at-most 6s")
    same = f"hello.py --server waitress {' '.join(port)}"
    assert (found["explain"], same in found["command"]) == (f"holdfast explain {same}", True)


def test_a_server_that_gets_slower_with_each_request_is_told_where_time_is_up_before_the_search_shows_it(
    app: Holdfast,
) -> None:
    (app.directory / "slower.py").write_text(
        "import itertools, time\n"
        "count = itertools.count()\n"
        "def app(environ, start_response):\n"
        "    time.sleep(0.01 + 0.0005 * next(count))\n"
        "    start_response('200 OK', [('Content-Length', '0')])\n"
        "    return []\n"
    )
    limit = ("--from", "20", "--at-most", "6s")

    ended = app.run("capacity", "slower.py", "--server", "waitress", *P99, *limit, "--json", "-")

    assert ended.exit == INCONCLUSIVE, ended.err
    found = json.loads(ended.out)
    assert (found["status"], [each["held"] for each in found["loads"]]) == ("at least", [True])
    assert any("the server has become slower" in each for each in found["warnings"])


def test_time_that_is_up_before_anything_is_known_is_told(app: Holdfast) -> None:
    ended = app.run("capacity", "hello.py", "--server", "waitress", *P99, "--at-most", "1ms", "--quiet")

    assert ended.exit == INCONCLUSIVE
    assert "The time was up before anything was known." in ended.err


def test_a_command_of_ones_own_without_python_is_searched_from_outside(app: Holdfast) -> None:
    (app.directory / "plain.py").write_text(
        "import http.server, sys\n"
        "class Quiet(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200); self.send_header('Content-Length', '0'); self.end_headers()\n"
        "    def log_message(self, *_): pass\n"
        "http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Quiet).serve_forever()\n"
    )
    most = ("--from", "100", "--up-to", "100", "--for", "500ms")

    ended = app.run("capacity", *P99, *most, "--", sys.executable, "-I", "-S", "plain.py", str(free_port()))

    assert ended.exit == ANSWERED, ended.err
    assert "at least 100 requests a second" in ended.out


def test_a_terminal_shows_the_load_that_runs_and_the_edge_by_then(app: Holdfast) -> None:
    terminal = Terminal(60, 30)
    most = ("--from", "100", "--up-to", "200", "--for", "1s")
    running = terminal.start(app, "capacity", "hello.py", "--server", "waitress", *P99, *most)

    assert running.ended().exit == ANSWERED
    running.nothing_is_left()
    terminal.close()
    seen = ["\n".join(each) for each in terminal.screens()]
    assert any("100/s  " in each and "of 1 s" in each for each in seen)
    assert any("edge        100/s holds  ? does not" in each for each in seen)
    assert "at least 200 requests a second" in terminal.after_the_view()
    terminal.is_left_as_it_was()


def test_a_server_that_dies_in_mid_search_is_told_and_its_rate_is_no_answer(app: Holdfast) -> None:
    (app.directory / "dies.py").write_text(
        "import os, itertools\n"
        "NUMBERS = itertools.count()\n"
        "def app(environ, start_response):\n"
        "    if next(NUMBERS) == 150:\n"
        "        os._exit(1)\n"
        "    start_response('200 OK', [('Content-Length', '2')])\n"
        "    return [b'ok']\n"
    )

    ended = app.run("capacity", "dies.py", "--server", "waitress", *P99, "--from", "100", "--for", "500ms")

    assert ended.exit == INCONCLUSIVE, ended.err
    assert "the server no longer answered single requests" in " ".join(ended.out.split())
