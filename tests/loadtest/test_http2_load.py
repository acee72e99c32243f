"""`load --http2` against servers that do what RFC 9113 lets them: what is counted is what the server says it did."""

from __future__ import annotations

import contextlib
import csv
import json
import socket
import ssl
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.waiting import PATIENCE_S

SERVER = Path(__file__).with_name("faulty_http2_server.py")
PEM = Path(__file__).parent.parent / "engine" / "localhost.pem"

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


def loaded(holdfast, port: int, path: str, *arguments: str, scheme: str = "http", within_s: float = PATIENCE_S) -> dict:
    url = f"{scheme}://127.0.0.1:{port}{path}"
    return json.loads(holdfast.run("load", url, "--http2", *arguments, "--json", "-", within_s=within_s).out)


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
        ("--clients", "1", "--streams", "50", "--requests", "1000"),
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


@pytest.mark.parametrize("many", [1000, pytest.param(100_000, marks=pytest.mark.scale)])
def test_requests_that_goaway_leaves_out_are_sent_again_and_each_is_answered_once(holdfast, many) -> None:
    shape = ("--clients", "1", "--streams", "50", "--requests", str(many))
    with serving("--goaway-after", "120") as server:
        result = loaded(holdfast, server.port, "/{id}99", *shape, within_s=PATIENCE_S + many / 100)
    assert outcomes(result) == {"answered": many}
    assert set(server.seen["numbers"].values()) == {1}
    assert result["http2"]["unprocessed"] == server.seen["unprocessed"] >= result["resent"] > 0
    assert result["http2"]["goaways"] == {"NO_ERROR": many // 120}
    assert result["http2"]["connections"] == server.seen["connections"]


@pytest.mark.parametrize("shape", [("--clients", "2", "--streams", "10", "--requests", "400"), ("--burst", "200")])
def test_replies_before_bytes_that_are_not_http2_are_counted_and_the_load_comes_to_its_end(holdfast, shape) -> None:
    with serving("--broken-after", "25") as server:
        result = loaded(holdfast, server.port, "/{id}99", *shape)
    found = outcomes(result)
    assert found.keys() == {"answered", "malformed"}
    assert found["answered"] == len(server.seen["numbers"])
    assert sum(found.values()) == result["offered"] == int(shape[-1])
    assert server.seen["connections"] == result["http2"]["connections"]


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


def test_clients_that_pause_wait_for_a_stream_where_the_server_allows_fewer(holdfast) -> None:
    with serving("--streams", "2") as server:
        result = loaded(
            holdfast, server.port, "/{id}99", "--clients", "2", "--streams", "10", "--requests", "200", "--think", "1ms"
        )
    assert outcomes(result) == {"answered": 200}
    assert server.seen["at_once"] <= 2 == server.seen["connections"]


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
    assert "The reply is in HTTP/1: 'HTTP/1.1 400 Bad Request'. Leave --http2 out" in " ".join(ended.out.split())
    assert "the server does not speak HTTP/2 there" in " ".join(ended.out.split())


SETTINGS = b"\0\0\0\4\0\0\0\0\0"  # RFC 9113, 6.5


@pytest.mark.parametrize(
    ("answers", "says"),
    [(SETTINGS, "the reply is in HTTP/2. Give --http2."), (b"", "The server may speak TLS: https:// instead")],
    ids=["HTTP/2 alone", "nothing"],
)
def test_a_server_that_speaks_no_plain_http1_is_named(holdfast, answers, says) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]

    def answer() -> None:
        for _ in range(2):
            connection = listening.accept()[0]
            connection.recv(65536)
            connection.sendall(answers)
            connection.close()

    threading.Thread(target=answer, daemon=True).start()
    with listening:
        ended = holdfast.run("load", f"http://127.0.0.1:{port}/", "--clients", "1", "--requests", "2")
    assert ended.exit == 1
    assert says in " ".join(f"{ended.out} {ended.err}".split())


@pytest.mark.parametrize("said", [b"", b"\0\0\x08\7\0\0\0\0\0\0\0\0\3\0\0\0\0"], ids=["nothing", "GOAWAY up to it"])
def test_what_was_in_flight_when_a_connection_ended_is_not_sent_again_and_the_reason_is_told(holdfast, said) -> None:
    """RFC 9113, 8.7: only GOAWAY and REFUSED_STREAM say that a request was not processed, whatever its method."""
    settings, answered = b"\0\0\0\4\0\0\0\0\0", b"\0\0\1\1\5\0\0\0\1\x88"

    def answer_once() -> None:
        with listening.accept()[0] as connection, connection.makefile("rb") as stream:
            connection.sendall(settings)
            stream.read(24)
            for _ in range(2):
                kind = 0
                while kind != 1:
                    head = stream.read(9)
                    stream.read(int.from_bytes(head[:3]))
                    kind = head[3]
                if head[8] == 1:  # the first stream
                    connection.sendall(answered)
            connection.sendall(said)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=answer_once, daemon=True).start()
        result = loaded(holdfast, listening.getsockname()[1], "/", "--clients", "1", "--requests", "2")
    assert sum(outcomes(result).values()) == 2
    assert not any("idempotent" in each for each in result["warnings"])
    assert any("no GOAWAY had left them out" in each for each in result["warnings"]), result


@pytest.mark.parametrize("protocols", [["http/1.1"], []])
def test_a_server_whose_alpn_does_not_offer_it_is_named_at_once(holdfast, protocols) -> None:
    """RFC 7301, 3.2: it ends the handshake with no_application_protocol, or chooses nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    if protocols:
        context.set_alpn_protocols(protocols)

    def shake() -> None:
        with contextlib.suppress(OSError), listening.accept()[0] as connection:
            context.wrap_socket(connection, server_side=True).close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=shake, daemon=True).start()
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/"
        ended = holdfast.run("load", url, "--insecure", "--http2", "--clients", "1", "--for", "60s")
    assert ended.exit == 1
    assert "over TLS the server does not offer it (ALPN)" in " ".join(ended.out.split())


def test_heads_only_need_no_body(holdfast) -> None:
    with serving() as server:
        result = loaded(holdfast, server.port, "/head/{id}", "-X", "HEAD", "--clients", "1", "--requests", "20")
    assert outcomes(result) == {"answered": 20}


def test_settings_that_allow_fewer_streams_in_mid_load_are_kept_to(holdfast) -> None:
    with serving("--streams", "50", "--then-streams", "3") as server:
        result = loaded(holdfast, server.port, "/{id}99", "--clients", "1", "--streams", "50", "--requests", "500")
    assert outcomes(result) == {"answered": 500}
    assert result["http2"]["advertised"] == 3
    assert not any(kind.startswith("client broke") for kind in server.seen["kinds"])


def test_a_server_without_a_table_for_fields_is_sent_none(holdfast) -> None:
    with serving("--table", "0") as server:
        result = loaded(holdfast, server.port, "/{id}99", "--clients", "1", "--streams", "5", "--requests", "100")
    assert outcomes(result) == {"answered": 100}
    assert server.seen["kinds"] == {"usual": 100}


@pytest.mark.parametrize(
    ("shape", "many"),
    [(("--burst", "4", "--timeout", "400ms"), 4), (("--clients", "2", "--streams", "3", "--for", "600ms"), 6)],
)
def test_a_stream_of_events_that_does_not_end_is_cancelled_when_its_time_is_over(holdfast, shape, many) -> None:
    with serving() as server:
        result = loaded(holdfast, server.port, "/hold/3", "--events", *shape)
    assert outcomes(result) == {"answered": many}
    assert (result["events"]["events"], result["events"]["ended_by_us"]) == (3 * many, many)
    assert server.seen["kinds"] == {"hold": many, "cancelled 8": many}


def test_a_timeout_cancels_the_stream_and_leaves_its_connection(holdfast) -> None:
    with serving() as server:
        result = loaded(holdfast, server.port, "/silent/{id}", "--rate", "50", "--requests", "20", "--timeout", "300ms")
    assert outcomes(result) == {"unanswered": 20}
    assert server.seen["kinds"] == {"silent": 20, "cancelled 8": 20}
    assert server.seen["connections"] == 1


def test_an_early_answer_counts_whatever_is_left_of_the_request(holdfast, tmp_path) -> None:
    """RFC 9113, 8.1."""
    (tmp_path / "body").write_bytes(bytes(500_000))
    with serving("--window", "1000") as server:
        result = loaded(
            holdfast, server.port, "/early/1", "--clients", "1", "--streams", "3", "--requests", "30",
            "--data", f"@{tmp_path / 'body'}",
        )  # fmt: skip
    assert outcomes(result) == {"rejected": 30}
    assert result["statuses"] == {"413": 30}


def test_a_stream_has_the_instants_of_any_request(holdfast) -> None:
    with serving() as server:
        url = f"http://127.0.0.1:{server.port}/{{id}}99"
        out = holdfast.run(
            "load", url, "--http2", "--clients", "2", "--streams", "5", "--requests", "100", "--csv", "-"
        ).out
    rows = [*csv.DictReader(out.splitlines())]
    assert len(rows) == 100
    opened = [row for row in rows if row["opened_ns"] != "0"]
    # One request opens each connection; the others find it there, or wait for its settings.
    assert 2 <= len(opened) <= 10
    for row in rows:
        due, sent, first, done = (int(row[f"{name}_ns"]) for name in ("due", "sent", "first_byte", "done"))
        assert due <= sent < first <= done
        assert int(row["received_bytes"]) > 0
    for row in opened:
        assert int(row["opened_ns"]) <= int(row["connected_ns"]) <= int(row["sent_ns"])
    assert len({row["local_port"] for row in rows}) == 2


def test_a_saved_run_has_the_same_result(holdfast) -> None:
    with serving("--goaway-after", "60") as server:
        result = loaded(holdfast, server.port, "/{id}", "--clients", "1", "--streams", "20", "--requests", "300")
    again = json.loads(holdfast.run("show", str(result["run"]), "--json", "-").out)
    assert again == result
