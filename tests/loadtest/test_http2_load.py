"""`load --http2` against servers that do what RFC 9113 lets them: what is counted is what the server says it did."""

from __future__ import annotations

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

SERVER = Path(__file__).with_name("faulty_http2_server.py")
PEM = Path(__file__).parent.parent / "load" / "localhost.pem"

# What the client sees of each kind (RFC 9113, 5.4.2, 6.4, 8.1 and 8.1.1).
SEEN_AS = {
    "RST_STREAM INTERNAL_ERROR": "stream-reset",
    "RST_STREAM in the body": "stream-reset",
    "RST_STREAM REFUSED_STREAM": "stream-refused",
    "busy": "rejected",
    "too much body": "malformed",
}


class Server:
    """A running one.

    Attributes:
        seen: what it has seen, once it is ended.
    """

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SERVER), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.seen: dict = {}

    def end(self) -> None:
        self.seen = json.loads(self.process.communicate()[0])


@contextmanager
def serving(*arguments: str) -> Iterator[Server]:
    server = Server(*arguments)
    try:
        yield server
        server.end()
    finally:
        server.process.kill()
        server.process.communicate()


def loaded(holdfast, port: int, path: str, *arguments: str, scheme: str = "http") -> dict:
    url = f"{scheme}://127.0.0.1:{port}{path}"
    return json.loads(holdfast.run("load", url, "--http2", *arguments, "--json", "-").out)


def outcomes(result: dict) -> dict[str, int]:
    return {name: count for name, count in result["outcomes"].items() if count}


def by_server(seen: dict) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for kind, count in seen["kinds"].items():
        counts[SEEN_AS.get(kind, "answered")] += 0 if kind.startswith("cancelled") else count
    return dict(counts)


@pytest.mark.parametrize(
    "shape",
    [
        ("--clients", "1", "--streams", "50", "--requests", "2000"),
        ("--clients", "3", "--requests", "600"),
        ("--clients", "4", "--streams", "10", "--requests", "1200", "--processes", "2"),
        ("--rate", "1000", "--requests", "1000"),
        ("--clients", "2", "--streams", "10", "--requests", "600", "--think", "1ms-2ms"),
        ("--burst", "500"),
    ],
    ids=" ".join,
)
def test_every_reply_on_a_stream_is_counted_as_the_server_sent_it(holdfast, shape) -> None:
    with serving() as server:
        result = loaded(holdfast, server.port, "/{id}", *shape)
    assert outcomes(result) == by_server(server.seen)
    assert result["offered"] == len(server.seen["numbers"])
    assert set(server.seen["numbers"].values()) == {1}
    assert server.seen["connections"] == result["http2"]["connections"]
    if "--streams" in shape:
        assert result["http2"]["connections"] == int(shape[1])


def test_requests_that_goaway_leaves_out_are_sent_again_and_each_is_answered_once(holdfast) -> None:
    with serving("--goaway-after", "120") as server:
        result = loaded(holdfast, server.port, "/{id}99", "--clients", "1", "--streams", "50", "--requests", "2000")
    assert outcomes(result) == {"answered": 2000}
    assert set(server.seen["numbers"].values()) == {1}
    assert result["http2"]["unprocessed"] == server.seen["unprocessed"] >= result["resent"] > 0
    assert result["http2"]["goaways"] == {"NO_ERROR": 2000 // 120}
    assert result["http2"]["connections"] == server.seen["connections"]


@pytest.mark.parametrize("limit", ["1", "7"])
def test_as_many_streams_are_open_as_the_server_allows_and_no_more(holdfast, limit) -> None:
    with serving("--streams", limit) as server:
        result = loaded(
            holdfast, server.port, f"/together/{limit}", "--clients", "1", "--streams", "40", "--requests", "210"
        )
    assert outcomes(result) == {"answered": 210}
    assert server.seen["at_once"] == int(limit) == result["http2"]["advertised"]
    assert server.seen["connections"] == 1
    assert any("SETTINGS_MAX_CONCURRENT_STREAMS" in each for each in result["warnings"])


def test_the_open_model_opens_another_connection_where_streams_are_used_up(holdfast) -> None:
    with serving("--streams", "10") as server:
        result = loaded(holdfast, server.port, "/{id}99", "--burst", "95")
    assert outcomes(result) == {"answered": 95}
    assert server.seen["at_once"] <= 10
    assert server.seen["connections"] == result["http2"]["connections"] >= 2


def test_large_bodies_go_both_ways_through_small_windows(holdfast, tmp_path) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"x" * 100_000)
    with serving("--window", "1000") as server:
        up = loaded(
            holdfast, server.port, "/take/1", "--clients", "1", "--streams", "5", "--requests", "20",
            "--data", f"@{body}", "--expect-body", "100000",
        )  # fmt: skip
        down = loaded(holdfast, server.port, "/big/300000", "--clients", "1", "--streams", "5", "--requests", "20")
    assert outcomes(up) == outcomes(down) == {"answered": 20}
    assert server.seen["bytes"] == 20 * 100_000


def test_a_window_of_one_byte_lets_a_body_through(holdfast) -> None:
    with serving("--window", "1") as server:
        result = loaded(
            holdfast,
            server.port,
            "/take/1",
            "--clients",
            "1",
            "--requests",
            "3",
            "--data",
            "hello",
            "--expect-body",
            "5",
        )
    assert outcomes(result) == {"answered": 3}
    assert server.seen["bytes"] == 15


def test_over_tls_alpn_chooses_http2(holdfast) -> None:
    with serving("--certificate", str(PEM)) as server:
        result = loaded(
            holdfast, server.port, "/{id}99", "--clients", "2", "--streams", "10", "--requests", "300", "--insecure",
            scheme="https",
        )  # fmt: skip
    assert outcomes(result) == {"answered": 300}
    assert server.seen["connections"] == 2


def test_a_server_of_http1_is_named_at_once(holdfast) -> None:
    """RFC 9112, 3: the preface is a request line of a method and version that it does not know."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]

    def answer() -> None:
        for _ in range(2):
            connection = listening.accept()[0]
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            connection.close()

    threading.Thread(target=answer, daemon=True).start()
    with listening:
        ended = holdfast.run("load", f"http://127.0.0.1:{port}/", "--http2", "--clients", "2", "--for", "60s")
    assert ended.exit == 1
    assert "The reply is in HTTP/1: 'HTTP/1.1 400 Bad Request'." in ended.out
