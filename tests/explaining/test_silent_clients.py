"""Silent clients of real servers, against what the servers' own source says to expect.

Time-outs are given short values where the server takes them, so that no test waits for long.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from holdfast.errors import UsageError
from holdfast.explaining.silent import Wanted, check_loopback, run_silent
from holdfast.infer.silent import judge_silent
from holdfast.interrupts import Interrupts
from holdfast.model.experiment import Experiment, ProbeTarget
from holdfast.model.silent import Silence, SilenceFound

# A server notices a time-out when it next looks, and a busy machine later still.
EARLY_S, LATE_S = 0.1, 2.5


class Row(NamedTuple):
    """What is to be expected of one server and one kind of silent client.

    Attributes:
        connections: the fewest that make an ordinary request wait; None where none of `most` does.
        seconds: how long a request waits that comes with the first of them, or after which time the connection is
            ended; None where both last for longer than it is looked.
        setting: the time-out that decides.
    """

    server: str
    arguments: str
    silence: Silence
    connections: int | None
    seconds: float | None
    setting: str | None = None
    gets: str = "waits"
    patience_s: float = 3.0
    most: int = 20


# One for each silence in every run; the others with `make test-servers`.
ONE_OF_EACH = (
    # socketserver.py: StreamRequestHandler.timeout is None, and the server without threads handles one at a time.
    Row("flask", "--no-threaded", "nothing", 1, None, patience_s=0.3),
    # core/protocol.c reads with uwsgi_wait_read_req(): socket_timeout. One worker.
    Row("uwsgi", "--http-socket :0 --socket-timeout 1", "half a request", 1, 1, "socket-timeout"),
    # core/writer.c: socket_timeout as well.
    Row("uwsgi", "--http-socket :0 --socket-timeout 1", "unread", 1, 1, "socket-timeout"),
    # uvicorn/protocols/http/h11_impl.py, on_response_complete(): timeout_keep_alive; connections wait on the loop.
    Row("uvicorn", "--timeout-keep-alive 1", "idle", None, 1, "timeout_keep_alive"),
)
OTHERS = (
    # gunicorn/workers/sync.py: the worker reads until the head is there; arbiter.py, murder_workers().
    Row("gunicorn", "--timeout 2", "nothing", 1, 2, "timeout", patience_s=6.0),
    Row("gunicorn", "--timeout 2 -w 3", "half a request", 3, 2, "timeout", patience_s=6.0),
    # It sends each reply with Connection: close (workers/sync.py, handle_request(): force_close()).
    Row("gunicorn", "", "idle", None, None, patience_s=1.0),
    # gunicorn/workers/gthread.py, handle(): a thread waits DEFAULT_WORKER_DATA_TIMEOUT for the first byte.
    Row("gunicorn", "--threads 4", "nothing", 4, 5, "DEFAULT_WORKER_DATA_TIMEOUT", patience_s=8.0),
    # There, a head that has begun is read by the thread, with no time-out at all.
    Row("gunicorn", "--threads 4", "half a request", 4, None, patience_s=1.0),
    Row("gunicorn", "--threads 4 --keep-alive 1", "idle", None, 1, "keepalive"),
    # gunicorn/workers/ggevent.py: worker_connections greenlets, and timeout_ctx() around the reading of each head.
    Row("gunicorn", "-k gevent --worker-connections 10 --keep-alive 1", "nothing", 10, 1, "keepalive"),
    # cheroot/connections.py gives each connection to a thread, which reads for `timeout` seconds.
    Row("cheroot", "--threads 5 --timeout 1", "nothing", 5, 1, "timeout"),
    Row("cheroot", "--threads 5 --timeout 1", "half a request", 5, 1, "timeout"),
    # waitress/server.py, readable(): the map of sockets has the listener and the trigger too.
    Row("waitress", "--connection-limit 12", "nothing", 10, None, patience_s=1.0),
    # Threads of the task dispatcher get whole requests only (waitress/channel.py, received()).
    Row("waitress", "--threads 2", "half a request", None, None, patience_s=1.0),
    # uvicorn/protocols/http/h11_impl.py, _should_upgrade() and the 503 of limit_concurrency count connections.
    Row("uvicorn", "--limit-concurrency 10", "nothing", 9, None, gets="503", patience_s=1.0),
    # hypercorn/asyncio/tcp_server.py: the idle task runs from the connection's beginning.
    Row("hypercorn", "--keep-alive 1", "nothing", None, 1, "keep_alive_timeout"),
    # werkzeug/serving.py: a thread for each connection.
    Row("flask", "", "half a request", None, None, patience_s=1.0),
    # tornado/http1connection.py, _read_message_inner(): header_timeout.
    Row("tornado", "--idle-connection-timeout 1", "half a request", None, 1, "idle_connection_timeout"),
    # h2corn/_config.py: timeout_request_header.
    Row("h2corn", "--timeout-request-header 1", "half a request", None, 1, "timeout_request_header"),
    # eventlet/wsgi.py: one greenlet of the pool for each connection; socket_timeout while it reads.
    Row("eventlet", "--max-size 5 --socket-timeout 1", "nothing", 5, 1, "socket_timeout"),
)


def found(row: Row, *, proves: bool = False) -> SilenceFound:
    wanted = Wanted(
        silences=(row.silence,), most=row.most, most_unread=row.most, patience_s=row.patience_s, proves=proves
    )
    experiment = Experiment(ProbeTarget(row.server, arguments=tuple(row.arguments.split())))
    (only,) = judge_silent(run_silent(experiment, Interrupts(), wanted=wanted)).silences
    return only


def check_row(row: Row) -> None:
    silence = found(row)
    assert silence.connections == row.connections, silence
    assert silence.at_least == silence.connections
    lasted = [each for each in (silence.ended_after_s, silence.waits_up_to_s) if each is not None]
    if row.connections is not None:
        assert silence.request_gets == row.gets
        assert (silence.waited_s is None) == (row.seconds is None), silence
    if row.seconds is None:
        assert not lasted or silence.unknown["ended_by"] == "no connection stayed open"
    else:
        # A worker that is ended with the connection is missing for longer, until another one has started.
        assert any(row.seconds - EARLY_S <= each <= row.seconds + LATE_S for each in lasted), silence
    assert (None if silence.ended_by is None else silence.ended_by.setting) == row.setting


@pytest.mark.parametrize("row", ONE_OF_EACH, ids=lambda row: f"{row.server} {row.silence}")
def test_silent_clients_do_what_the_source_says(row: Row) -> None:
    check_row(row)


@pytest.mark.servers
@pytest.mark.parametrize("row", OTHERS, ids=lambda row: f"{row.server} {row.arguments}: {row.silence}")
def test_silent_clients_of_other_servers_do_what_their_source_says(row: Row) -> None:
    check_row(row)


@pytest.mark.servers
def test_a_time_out_too_long_to_wait_for_is_proved_by_a_shorter_one() -> None:
    silence = found(Row("gunicorn", "", "nothing", 1, None, patience_s=1.0), proves=True)

    assert silence.ended_by is not None
    assert (silence.ended_by.setting, silence.ended_by.seconds, silence.ended_by.proved) == ("timeout", 30, True)
    assert silence.waited_s is None
    assert silence.answered_once_they_left is True


def test_what_was_found_before_ctrl_c_is_kept_and_the_rest_is_said_to_be_missing() -> None:
    interrupts = Interrupts()

    def tell(line: str) -> None:
        if "half a request" in line:
            interrupts.on_interrupt(2, None)

    wanted = Wanted(silences=("nothing", "half a request", "idle"), most=3, patience_s=0.1, proves=False)
    record = run_silent(Experiment(ProbeTarget("flask", arguments=("--no-threaded",))), interrupts, tell, wanted)
    first, second = judge_silent(record).silences

    assert record.interrupted
    assert (first.silence, first.connections) == ("nothing", 1)
    assert (second.silence, second.connections) == ("half a request", None)
    assert second.unknown["connections"] == "it was interrupted"


@pytest.mark.parametrize("of", [{"http2": True}, {"tls": True}])
def test_silent_clients_speak_plain_http_1_1_only(of: dict[str, bool]) -> None:
    with pytest.raises(UsageError, match="plain HTTP/1"):
        run_silent(Experiment(ProbeTarget("uvicorn"), **of), Interrupts())


def test_silent_clients_connect_to_loopback_alone() -> None:
    for address in ("127.0.0.1", "127.0.0.2", "::1", "/run/x.sock"):
        check_loopback(address, address)

    with pytest.raises(UsageError, match="not this machine's loopback"):
        check_loopback("192.0.2.7", "192.0.2.7:80")
