"""What is seen while `holdfast load` runs: on a terminal, in a pipe, and by Prometheus."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import termios
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.terminal import Terminal
from support.waiting import until

ANSWERED, FAILED, USAGE, INCONCLUSIVE, ENVIRONMENT = range(5)
SIGNALLED = 128


@pytest.fixture
def terminal():
    opened = Terminal()
    yield opened
    opened.close()


def requests_reach(counting, number):
    until(lambda: counting.seen()["requests"] >= number, f"{number} requests")


def test_a_load_is_seen_on_the_terminal_and_gone_from_it_when_its_result_is_shown(holdfast, counting, terminal):
    ended = terminal.start(holdfast, "load", counting.url, "--rate", "200", "--for", "2s").ended()

    assert ended.exit in (ANSWERED, INCONCLUSIVE)  # a busy machine is late
    last = "\n".join(terminal.frames()[-2])
    assert last.startswith(counting.url)
    for part in ("s of 2.0 s", "/s asked", "/s replied", "answered", "p999", "pacing lag", "1 process", "MB"):
        assert part in last
    terminal.is_left_as_it_was()
    assert "400 requests in 2.0 s: 400 answered." in terminal.after_the_view()


def test_what_the_view_counts_is_what_the_server_got(holdfast, counting, terminal):
    running = terminal.start(holdfast, "load", f"{counting.url}/silent", "--burst", "150")
    requests_reach(counting, 150)
    until(terminal.frames, "a view")
    until(lambda: "waiting for 150 in flight" in "\n".join(terminal.frames()[-1]), "all of them in the view")
    running.signal(signal.SIGINT)
    until(lambda: "press Ctrl-C again" in "\n".join(terminal.frames()[-1]), "what Ctrl-C does")
    running.signal(signal.SIGINT)

    assert running.ended().exit == INCONCLUSIVE
    assert any("150 begun  0 ended  150 in flight" in "\n".join(frame) for frame in terminal.frames())
    terminal.is_left_as_it_was()
    assert "150 given-up" in terminal.after_the_view()


def test_ctrl_c_on_the_terminal_drains_and_says_how_to_quit(holdfast, counting, terminal):
    running = terminal.start(holdfast, "load", f"{counting.url}/silent", "--rate", "50", "--for", "60s")
    until(terminal.frames, "a view")
    os.write(terminal.ours, b"\x03")
    until(lambda: "draining: " in "\n".join(terminal.frames()[-1]), "what Ctrl-C does")
    os.write(terminal.ours, b"\x03")

    assert running.ended().exit == INCONCLUSIVE
    assert any("press Ctrl-C again to give them up" in "\n".join(frame) for frame in terminal.frames())
    terminal.is_left_as_it_was()


@pytest.mark.parametrize(("columns", "rows"), [(40, 15), (200, 50), (20, 5)])
def test_a_view_is_never_larger_than_its_terminal(holdfast, counting, columns, rows):
    terminal = Terminal(columns, rows)
    try:
        terminal.start(holdfast, "load", f"{counting.url}/busy", "--rate", "100", "--for", "1.5s").ended()

        assert terminal.frames()[0]
        assert all(len(frame) < rows for frame in terminal.frames())
        assert all(len(line) < columns for frame in terminal.frames() for line in frame)
        terminal.is_left_as_it_was()
    finally:
        terminal.close()


def test_a_load_that_is_over_in_a_moment_flashes_no_view(holdfast, counting, terminal):
    terminal.start(holdfast, "load", counting.url, "--rate", "100", "--for", "400ms").ended()

    assert not terminal.frames()
    assert "40 requests" in terminal.written


def test_a_terminal_takes_the_view_while_a_pipe_takes_the_result(holdfast, counting, terminal):
    arguments = ("load", counting.url, "--rate", "100", "--for", "1.5s", "--json", "-")
    running = terminal.start(holdfast, *arguments, stdout=-1)

    assert json.loads(running.ended().out)["offered"] == 150
    assert terminal.frames()
    terminal.is_left_as_it_was()


@pytest.mark.parametrize("how", ["quiet", "dumb"])
def test_a_load_shows_no_live_view_where_none_is_wanted(holdfast, counting, how):
    terminal = Terminal()
    try:
        arguments = ("load", counting.url, "--rate", "100", "--for", "1.5s", *(("--quiet",) if how == "quiet" else ()))
        if how == "quiet":
            terminal.start(holdfast, *arguments).ended()
        else:
            terminal.read_now()
            holdfast.start(*arguments, env={"TERM": "dumb"}, stderr=terminal.theirs, stdout=terminal.theirs).ended()

        until(lambda: "150 requests" in terminal.written, "the result")
        assert not terminal.frames()
    finally:
        terminal.close()


def test_the_view_of_a_load_has_no_colour_where_none_is_wanted(holdfast, counting, terminal):
    terminal.start(holdfast, "load", counting.url, "--rate", "100", "--for", "1.5s", env={"NO_COLOR": "1"}).ended()

    assert terminal.frames()
    assert not re.search(r"\x1b\[[\d;]*m", terminal.written)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_whoever_ends_the_load_finds_the_terminal_as_it_was(holdfast, counting, terminal, number):
    running = terminal.start(holdfast, "load", f"{counting.url}/silent", "--rate", "100", "--for", "60s")
    until(terminal.frames, "a view")

    running.signal(number)

    assert running.ended().exit == SIGNALLED + number
    terminal.is_left_as_it_was()


def test_a_load_process_that_is_lost_leaves_the_terminal_as_it_was(holdfast, counting, terminal):
    running = terminal.start(holdfast, "load", counting.url, "--rate", "100", "--for", "2s", "--processes", "2")
    until(terminal.frames, "a view")

    os.kill(running.processes()[-1], signal.SIGKILL)

    assert running.ended().exit == INCONCLUSIVE
    terminal.is_left_as_it_was()
    assert "load process was lost" in terminal.after_the_view()


def test_a_terminal_that_is_closed_costs_no_result(holdfast, counting, tmp_path):
    terminal = Terminal()
    result = tmp_path / "result.json"
    running = terminal.start(
        holdfast, "load", f"{counting.url}/silent", "--rate", "100", "--for", "60s", "--json", result, reads=False
    )
    requests_reach(counting, 60)
    os.close(terminal.theirs)

    os.close(terminal.ours)

    assert running.ended().exit == SIGNALLED + signal.SIGHUP
    told = json.loads(result.read_text())
    assert sum(told["outcomes"].values()) == told["offered"] >= 60


def test_a_terminal_that_takes_nothing_holds_up_no_load(holdfast, counting):
    terminal = Terminal()
    try:
        arguments = ("load", f"{counting.url}/busy", "--rate", "400", "--for", "3s", "--stop", "errors>99%")
        running = terminal.start(holdfast, *arguments, "--processes", "2", reads=False)
        # As Ctrl-S does: what is written stays where it is.
        termios.tcflow(terminal.theirs, termios.TCOOFF)
        # The rule is judged by the process that would draw, as soon as twenty have ended.
        until(lambda: not running.processes(), "the end of the load processes")
        assert counting.seen()["requests"] < 1000
        termios.tcflow(terminal.theirs, termios.TCOON)
        terminal.read_now()

        running.ended()
        until(lambda: "503" in terminal.written, "the result")
    finally:
        terminal.close()


def test_in_a_pipe_a_line_comes_every_few_seconds_and_only_the_result_on_standard_output(holdfast, counting):
    ended = holdfast.run("load", f"{counting.url}/busy", "--rate", "20", "--for", "5.6s", "--json", "-")

    assert json.loads(ended.out)["offered"] == 112
    line, last = ended.err.splitlines()
    assert last == "holdfast: No request was answered: each reply has an error status."
    assert re.fullmatch(r"5\.\d s  \d+ begun  0 answered  \d+ rejected  \d+ in flight  p99 .* ms  lag p99 .* ms", line)


def test_in_a_pipe_ctrl_c_says_what_it_does(holdfast, counting):
    running = holdfast.start("load", f"{counting.url}/silent", "--burst", "30")
    requests_reach(counting, 30)
    running.signal(signal.SIGINT)
    until(lambda: "draining" in os.read(running.process.stderr.fileno(), 4096).decode(), "what it does")
    running.signal(signal.SIGINT)

    ended = running.ended()

    assert ended.exit == INCONCLUSIVE
    assert "30 given-up" in ended.out


def test_quiet_is_silent_until_the_result(holdfast, counting):
    running = holdfast.start("load", f"{counting.url}/silent", "--burst", "30", "--quiet")
    requests_reach(counting, 30)
    running.signal(signal.SIGTERM)

    assert running.ended().err == "Stopped by SIGTERM. Nothing is left running.\n"


class Page:
    """The page for Prometheus of a load that runs."""

    def __init__(self, running) -> None:
        self._err = running.process.stderr.fileno()
        self.url = ""
        said = ""
        while not self.url:
            said += os.read(self._err, 4096).decode()
            found = re.search(r"http://127\.0\.0\.1:\d+/metrics", said)
            self.url = found[0] if found else ""

    def fetched(self) -> dict[tuple[str, ...], float]:
        """Each sample's value by its name and its labels' values."""
        with urllib.request.urlopen(self.url, timeout=10) as reply:
            assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            text = reply.read().decode()
        families = list(text_string_to_metric_families(text))
        assert all(family.type != "unknown" and family.documentation for family in families)
        return {
            (sample.name.removeprefix("holdfast_"), *sample.labels.values()): sample.value
            for family in families
            for sample in family.samples
        }


def test_prometheus_reads_what_the_server_counts(holdfast, counting):
    running = holdfast.start("load", f"{counting.url}/silent", "--burst", "25", "--prometheus", "0")
    page = Page(running)
    requests_reach(counting, 25)
    until(lambda: page.fetched()["requests_begun_total",] == 25, "all of them on the page")

    told = page.fetched()
    asked = urllib.request.Request(page.url, method="HEAD")
    with urllib.request.urlopen(asked, timeout=10) as head:
        # RFC 9110, 9.3.2: the fields that GET would have, and no content.
        assert (head.status, head.read()) == (200, b"")
        assert int(head.headers["Content-Length"]) > 1000
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(page.url.removesuffix("metrics"), timeout=10)
    running.signal(signal.SIGTERM)

    assert running.ended().exit == SIGNALLED + signal.SIGTERM
    assert told["requests_due_total",] == told["in_flight",] == 25
    assert told["requests_ended_total", "GET /silent", "answered"] == 0
    assert told["load_processes",] == 1
    assert told["load_descriptors",] >= 25
    assert told["load_memory_bytes",] > 1_000_000


def test_the_page_s_histograms_count_every_answer_once(holdfast, counting):
    running = holdfast.start("load", counting.url, "--rate", "100", "--for", "60s", "--prometheus", "0")
    page = Page(running)
    until(lambda: page.fetched().get(("requests_ended_total", "GET /", "answered"), 0) > 50, "answers on the page")

    told = page.fetched()
    running.signal(signal.SIGINT)
    running.ended()

    answered = told["requests_ended_total", "GET /", "answered"]
    for name, *labels in (("latency_seconds", "GET /"), ("pacing_lag_seconds",)):
        buckets = [value for key, value in told.items() if key[: 1 + len(labels)] == (f"{name}_bucket", *labels)]
        assert buckets == sorted(buckets)
        assert buckets[-1] == told[(f"{name}_bucket", *labels, "+Inf")] == told[(f"{name}_count", *labels)]
        assert told[(f"{name}_sum", *labels)] > 0
    assert told["latency_seconds_count", "GET /"] == answered
    assert told["load_cpu_seconds_total",] > 0


def test_a_port_that_is_taken_is_told_before_anything_is_sent(holdfast, counting):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = holdfast.run("load", counting.url, "--burst", "5", "--prometheus", taken.getsockname()[1])

        assert ended.exit == ENVIRONMENT
        assert ended.what == f"holdfast: Port {taken.getsockname()[1]} of 127.0.0.1 cannot be listened on."
    assert counting.seen()["requests"] == 0
