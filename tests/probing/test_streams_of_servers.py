"""HTTP/2 where it needs more than an option: over TLS, and with servers that speak one version only."""

from __future__ import annotations

from pathlib import Path

import pytest
from own_commands import ANSWERED, INCONCLUSIVE, Own, run_all, value
from support.placed import placed

FILES = {
    "app.py": """
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "hello"
""",
    "asgi.py": """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def index(request):
    return PlainTextResponse("hello")


app = Starlette(routes=[Route("/", index)])
""",
    "both.pem": (Path(__file__).parents[1] / "engine" / "localhost.pem").read_text(),
}
GUNICORN = ("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "3")
CERTIFICATE = ("--certfile", "both.pem", "--keyfile", "both.pem")
GRANIAN = ("granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", "{port}")

COMMANDS = (
    Own(
        "over TLS",
        (*GUNICORN, *CERTIFICATE, "--http-protocols", "h2,h1", "app:app"),
        FILES,
        {
            # gunicorn/workers/gthread.py, handle_http2(): the requests of a connection in a loop, on one thread.
            "http2.on_one_connection": 1,
            "http2.over_connections": 3,
            "ceiling.in_service": 3,
            # gunicorn/config.py, HTTP2MaxConcurrentStreams.
            "http2.streams_advertised": 100,
            "tls.certificate_checked": False,
        },
        options=("--http2",),
    ),
    Own(
        "over TLS, HTTP/1.1 only", (*GUNICORN, *CERTIFICATE, "app:app"), FILES, options=("--http2",), exit=INCONCLUSIVE
    ),
    # Without a protocol of both sides, OpenSSL's server goes on without one (RFC 7301 lets it end the handshake).
    Own(
        "over TLS, another protocol",
        ("hypercorn", "-b", "127.0.0.1:{port}", "-c", "own.toml", "asgi:app"),
        {**FILES, "own.toml": 'certfile = "both.pem"\nkeyfile = "both.pem"\nalpn_protocols = ["http/1.1"]\n'},
        options=("--http2",),
        exit=INCONCLUSIVE,
    ),
    Own(
        "as many as are allowed, and one of them waits",
        (
            *("granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}", "--http", "2"),
            *("--blocking-threads", "9", "--http2-max-concurrent-streams", "10", "app:app"),
        ),
        FILES,
        {
            "http2.on_one_connection": 9,
            "http2.streams_advertised": 10,
            # hyper refuses what is beyond what it has advertised.
            "http2.stream_limit": 10,
            "http2.overflow_sees": "REFUSED_STREAM",
            "http2.beyond_the_limit.offered": 3,
            "http2.beyond_the_limit.others_lost": 0,
        },
        options=("--http2", "--max-offered", "30"),
    ),
    Own("HTTP/2 only", (*GRANIAN, "--http", "2", "asgi:app"), FILES, exit=INCONCLUSIVE),
    Own("HTTP/1.1 only", (*GRANIAN, "--http", "1", "asgi:app"), FILES, options=("--http2",), exit=INCONCLUSIVE),
    Own(
        "limited requests",
        ("uvicorn", "--port", "{port}", "--http", "zttp", "--http2", "--limit-concurrency", "6", "asgi:app"),
        FILES,
        {
            # uvicorn/protocols/http/zttp_h2_impl.py, handle_request(): 503 where there are that many connections, this
            # one included, or that many tasks, without this one's. So one connection runs six, and of six connections
            # with one stream each the last is turned away.
            "ceiling.in_service": 5,
            "overflow.client_sees": "503",
            "http2.on_one_connection": 6,
            "http2.on_one_connection_bounded": True,
            "http2.over_connections": 6,
            "http2.overflow_sees": "503",
            "http2.stream_limit": None,
        },
        options=("--http2",),
    ),
)
SAYS = {
    "over TLS, HTTP/1.1 only": "does not speak HTTP/2 on a connection with TLS",
    "over TLS, another protocol": "over TLS the server does not offer it (ALPN)",
    "HTTP/2 only": "Give --http2.",
    "HTTP/1.1 only": "leave --http2 out",
}


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, COMMANDS)


@pytest.mark.parametrize("own", [each for each in COMMANDS if each.says], ids=lambda own: own.id)
def test_streams_are_counted(done, own):
    result = done[own.id]

    assert result.ended.exit == ANSWERED, result.ended.err
    verdict = result.verdict()
    assert {name: value(verdict, name) for name in own.says} == dict(own.says)
    assert placed(verdict) == verdict["offered"]


@pytest.mark.parametrize(("id", "words"), SAYS.items(), ids=SAYS)
def test_where_the_two_speak_different_versions_it_is_said_which(done, id, words):
    result = done[id]

    assert result.ended.exit == INCONCLUSIVE, result.ended.err
    assert words in result.ended.err
