"""HTTP/2 on a real server: streams of one connection, over several, and beyond the limit that is advertised."""

from __future__ import annotations

import msgspec
from own_commands import ANSWERED, INCONCLUSIVE

OFFERED = 30


def test_streams_are_counted_on_one_connection_over_several_and_beyond_the_limit(holdfast, tmp_path):
    # hypercorn.config: h2_max_concurrent_streams. hypercorn/protocol/h2.py: each stream is a task, and what h2 raises
    # is followed by what it wants sent and by the end of the connection. h2/connection.py: TooManyStreamsError is a
    # ProtocolError, for which _terminate_connection() writes GOAWAY.
    (tmp_path / "hypercorn.toml").write_text("h2_max_concurrent_streams = 7\n")
    arguments = ("--http2", "--max-offered", str(OFFERED), "--json", "-", "--", "-c", "hypercorn.toml")

    ended = holdfast.run("probe", "--server", "hypercorn", *arguments)

    verdict = msgspec.json.decode(ended.out)
    assert ended.exit == ANSWERED
    assert verdict["http2"] == {
        "on_one_connection": 7,
        "on_one_connection_bounded": True,
        "over_connections": OFFERED,
        "over_connections_bounded": False,
        "streams_advertised": 7,
        "stream_limit": 7,
        "overflow_sees": "GOAWAY",
        "beyond_the_limit": {
            "offered": 1,
            "sees": "GOAWAY",
            "error_code": "PROTOCOL_ERROR",
            "others_lost": 7,
            "in_the_end": None,
        },
    }
    assert (verdict["offered"], verdict["places"]["in_service"], verdict["established"]) == (OFFERED, OFFERED, OFFERED)
    assert verdict["unknown"]["http2.beyond_the_limit.in_the_end"]
    shown = holdfast.run("show", "1")
    assert "HTTP/2: 7 at once on one connection, at least 30 over several." in shown.out


def test_a_connection_that_the_server_gives_up_after_some_streams_is_bounded_by_them(holdfast, tmp_path):
    # hypercorn/protocol/h2.py, _handle_events(): GOAWAY when more than `keep_alive_max_requests` have come, and the
    # streams that it has taken run on.
    (tmp_path / "hypercorn.toml").write_text("keep_alive_max_requests = 5\n")
    arguments = ("--http2", "--max-offered", str(OFFERED), "--json", "-", "--", "-c", "hypercorn.toml")

    ended = holdfast.run("probe", "--server", "hypercorn", *arguments)

    assert ended.exit == ANSWERED
    verdict = msgspec.json.decode(ended.out)
    of_one = {name: verdict["http2"][name] for name in ("on_one_connection", "on_one_connection_bounded")}
    assert of_one == {"on_one_connection": 6, "on_one_connection_bounded": True}
    assert verdict["http2"]["overflow_sees"] == "GOAWAY"
    assert "when it had 6 streams" in verdict["unknown"]["http2.stream_limit"]
    assert "A further stream takes another connection." in holdfast.run("show", "1").out


def test_a_server_without_http2_is_told_from_a_broken_one(holdfast):
    ended = holdfast.run("probe", "--http2", "--max-offered", str(OFFERED))

    assert ended.exit == INCONCLUSIVE
    assert "does not speak HTTP/2 on a connection without TLS" in ended.what
    assert "Leave --http2 out" in ended.err


def test_a_server_that_allows_no_streams_is_said_to_do_so(holdfast, tmp_path):
    (tmp_path / "hypercorn.toml").write_text("h2_max_concurrent_streams = 0\n")
    arguments = ("--http2", "--max-offered", str(OFFERED), "--", "-c", "hypercorn.toml")

    ended = holdfast.run("probe", "--server", "hypercorn", *arguments)

    assert ended.exit == INCONCLUSIVE
    assert "the server allows 0 streams at once on a connection (SETTINGS_MAX_CONCURRENT_STREAMS)" in ended.what
    assert "HTTP/1.1 only" not in ended.err
