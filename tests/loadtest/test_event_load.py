"""`load --events`: as many events as the server sent, and streams that do not end are ended."""

from __future__ import annotations

import contextlib
import csv
import json
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SERVER = Path(__file__).with_name("event_server.py")


class Serving:
    """A running server; `sent` is what it says it has sent, once it is ended."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.url = f"http://127.0.0.1:{self.process.stdout.readline().strip()}"
        self.sent: dict[str, int] = {}


@contextmanager
def serving() -> Iterator[Serving]:
    server = Serving()
    try:
        yield server
        server.sent = json.loads(server.process.communicate()[0])
    finally:
        server.process.kill()
        server.process.communicate()


def loaded(holdfast, url: str, *arguments: str) -> dict:
    return json.loads(holdfast.run("load", url, "--events", *arguments, "--json", "-").out)


def outcomes(result: dict) -> dict[str, int]:
    return {name: count for name, count in result["outcomes"].items() if count}


@pytest.mark.parametrize("kind", ["events", "lines"])
@pytest.mark.parametrize("shape", [("--clients", "8", "--requests", "100"), ("--rate", "200", "--requests", "60")])
def test_every_event_is_counted(holdfast, kind, shape) -> None:
    with serving() as server:
        result = loaded(holdfast, f"{server.url}/{kind}/7", *shape)
    assert server.sent == {"replies": result["offered"], "events": result["events"]["events"]}
    assert outcomes(result) == {"answered": result["offered"]}
    assert (result["events"]["streams"], result["events"]["ended_by_us"]) == (result["offered"], 0)


def test_each_event_has_a_row_that_belongs_to_that_of_its_request(holdfast, tmp_path) -> None:
    rows, events = tmp_path / "rows.csv", tmp_path / "events.csv"
    with serving() as server:
        result = loaded(
            holdfast, f"{server.url}/events/5", "--clients", "3", "--requests", "9", "--processes", "2",
            "--csv", str(rows), "--events-csv", str(events),
        )  # fmt: skip
    requests = {each["id"]: each for each in csv.DictReader(rows.read_text().splitlines())}
    told = [
        {name: int(value) for name, value in each.items()} for each in csv.DictReader(events.read_text().splitlines())
    ]
    assert Counter(each["id"] for each in told) == dict.fromkeys(range(9), 5)
    last: dict[int, int] = {}
    for each in told:
        request = requests[str(each["id"])]
        assert int(request["sent_ns"]) <= each["at_ns"] <= int(request["done_ns"])
        assert each["gap_ns"] == each["at_ns"] - last.get(each["id"], int(request["sent_ns"]))
        last[each["id"]] = each["at_ns"]
    gaps = sorted(each["gap_ns"] for each in told if each["number"])
    assert result["events"]["gap_ms"]["max"] == round(gaps[-1] / 1e6, 3)
    firsts = [each["gap_ns"] for each in told if not each["number"]]
    assert result["events"]["first_ms"]["max"] == round(max(firsts) / 1e6, 3)


def test_a_stream_that_does_not_end_is_answered_when_its_time_is_over(holdfast) -> None:
    with serving() as server:
        result = loaded(holdfast, f"{server.url}/hold/3", "--burst", "5", "--timeout", "500ms")
    assert outcomes(result) == {"answered": 5}
    assert (result["events"]["events"], result["events"]["ended_by_us"]) == (15, 5)


def test_streams_of_clients_end_with_the_load(holdfast) -> None:
    with serving() as server:
        result = loaded(holdfast, f"{server.url}/hold/3", "--clients", "4", "--for", "700ms")
    assert outcomes(result) == {"answered": 4}
    assert (result["events"]["events"], result["events"]["ended_by_us"]) == (12, 4)
    assert result["duration_s"] < 30


def test_a_stream_with_an_error_status_is_rejected_when_its_time_is_over(holdfast) -> None:
    with serving() as server:
        result = loaded(holdfast, f"{server.url}/error", "--burst", "2", "--timeout", "300ms")
    assert outcomes(result) == {"rejected": 2}


def test_a_stream_that_is_cut_off_is_closed_and_its_events_count(holdfast) -> None:
    with serving() as server:
        result = loaded(holdfast, f"{server.url}/cut/4", "--burst", "3")
    assert outcomes(result) == {"closed": 3}
    assert (result["events"]["events"], result["events"]["ended_by_us"]) == (12, 0)


@pytest.mark.parametrize("events", [[], ["--events"]])
def test_an_answer_that_never_ends_is_ended(holdfast, events) -> None:
    """A peer that sends faster than it is read leaves something to read at all times."""

    def send() -> None:
        connection = listening.accept()[0]
        with connection, contextlib.suppress(OSError):
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n")
            while True:
                connection.sendall(bytes(1 << 20))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        sender = threading.Thread(target=send)
        sender.start()
        ended = holdfast.run(
            "load", f"http://127.0.0.1:{listening.getsockname()[1]}/", *events, "--clients", "1", "--requests", "1",
            "--timeout", "500ms", "--json", "-",
        )  # fmt: skip
        sender.join()
    assert outcomes(json.loads(ended.out)) == {"answered" if events else "unanswered": 1}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--events-csv", "-"], "--events-csv goes with --events"),
        (["--events", "--cluster", "local:2"], "--events does not go with --cluster"),
        (["--streams", "2"], "--streams goes with --http2"),
        (["--http2", "--no-keep-alive"], "--no-keep-alive does not go with --http2"),
        (["--http2", "--cookies"], "--http2 goes with a URL"),
        (["--events", "--follow", "2"], "--events goes with a URL"),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_reason(holdfast, arguments, words) -> None:
    ended = holdfast.run("load", "http://127.0.0.1:1/", "--rate", "1", "--for", "1s", *arguments)
    assert ended.exit == 2
    assert words in ended.err
