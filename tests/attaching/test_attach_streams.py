"""Streams of running servers, looked at from outside: what their sources say of one connection and of several."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from running_servers import serving

from holdfast.probing.ports import free_port

INCONCLUSIVE = 3
LONGEST_S = 240
PRIOR_KNOWLEDGE = ("--http-protocols", "h1,h2", "--http2-cleartext", "prior-knowledge")


@dataclass(frozen=True)
class Row:
    """One server, and fields of the verdict's `http2` with who says so."""

    id: str
    command: tuple[str, ...]
    source: str
    says: dict[str, Any]


ROWS = (
    Row(
        "gthread",
        ("gunicorn", "--threads", "3", *PRIOR_KNOWLEDGE, "-b", "127.0.0.1:{port}", "waiting_apps:wsgi"),
        "gunicorn/workers/gthread.py, handle_http2(): the streams of a connection one after another, on its thread",
        {"on_one_connection": 1, "on_one_connection_bounded": True, "over_connections": 3, "streams_advertised": 100},
    ),
    Row(
        "refuses",
        (
            *("granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}", "--blocking-threads", "6"),
            *("--http2-max-concurrent-streams", "20", "waiting_apps:wsgi"),
        ),
        "h2 0.4 (Rust) src/proto/streams/recv.rs, Recv::open(): RST_STREAM with REFUSED_STREAM",
        {
            "on_one_connection": 6,
            "over_connections": 6,
            "streams_advertised": 20,
            "stream_limit": 20,
            "overflow_sees": "REFUSED_STREAM",
        },
    ),
)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_streams_are_estimated_from_outside(holdfast, tmp_path, row):
    port = free_port()
    command = [each.replace("{port}", str(port)) for each in row.command]
    with serving(command, lambda: answers(port), tmp_path / "log"):
        url = f"http://127.0.0.1:{port}/1000"
        running = holdfast.start("attach", url, "--http2", "--max-offered", "60", "--json", "-")
        out, err = running.process.communicate(timeout=LONGEST_S)
        plain = holdfast.run("attach", url, "--max-offered", "1")

    assert out, err
    found = msgspec.json.decode(out)["http2"]
    assert {name: found[name] for name in row.says} == row.says, row.source
    if row.id == "gthread":
        assert plain.exit == INCONCLUSIVE
        assert "give --http2" in plain.err
