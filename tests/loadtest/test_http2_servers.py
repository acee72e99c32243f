"""`load --http2` and real servers: what it counts is what they have logged."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.waiting import PATIENCE_S, until

from holdfast.probing.ports import free_port

PATHS = ":/usr/sbin:/usr/local/sbin"
NGINX = """
daemon off; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
    log_format path "$request_uri"; access_log {directory}/log path; keepalive_requests {requests};
    client_body_temp_path {directory}/1; proxy_temp_path {directory}/2; fastcgi_temp_path {directory}/3;
    uwsgi_temp_path {directory}/4; scgi_temp_path {directory}/5; client_max_body_size 0;
    server {{
        listen 127.0.0.1:{port} http2; location / {{ return 200 "ok"; }}
    }}
}}
"""
APPLICATION = """
import json
from collections import Counter

seen = Counter()


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    path, body, more = scope["path"], b"", True
    if path == "/seen":
        body = json.dumps([seen.total(), max(seen.values(), default=0)]).encode()
    elif path.startswith("/take/"):
        length = 0
        while more:
            message = await receive()
            length, more = length + len(message.get("body", b"")), message.get("more_body", False)
        body = str(length).encode()
    else:
        seen[path] += 1
    kind = b"text/event-stream" if path.startswith("/events/") else b"text/plain"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
    if path.startswith("/events/"):
        for number in range(5):
            await send({"type": "http.response.body", "body": b"data: %d\\n\\n" % number, "more_body": True})
    await send({"type": "http.response.body", "body": body})
"""
COMMANDS = {
    "hypercorn": ("-m", "hypercorn", "--bind", "127.0.0.1:{port}", "served:app"),
    "h2corn": ("-m", "h2corn", "--bind", "127.0.0.1:{port}", "served:app"),
    "granian": ("-m", "granian", "--interface", "asgi", "--port", "{port}", "served:app"),
}


def program(name: str) -> str:
    found = shutil.which(name, path=PATHS)
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install {'nghttp2-server' if name == 'nghttpd' else name}")
    return found


@contextmanager
def running(command: list[str], port: int, directory: Path) -> Iterator[subprocess.Popen]:
    log = (directory / "out").open("wb")
    with log:
        process = subprocess.Popen(command, cwd=directory, stdout=log, stderr=subprocess.STDOUT)
    try:
        until(lambda: listens(port), f"{command[0]} listens")
        yield process
    finally:
        process.terminate()
        process.wait()


def listens(port: int) -> bool:
    with contextlib.suppress(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    return False


def loaded(holdfast, port: int, path: str, *arguments: str, within_s: float = PATIENCE_S) -> dict:
    url = f"http://127.0.0.1:{port}{path}"
    return json.loads(holdfast.run("load", url, "--http2", *arguments, "--json", "-", within_s=within_s).out)


def answered(result: dict) -> int:
    assert {name for name, count in result["outcomes"].items() if count} == {"answered"}
    return result["outcomes"]["answered"]


@pytest.mark.parametrize(
    ("requests", "many"), [(100, 3000), (1_000_000, 3000), pytest.param(1000, 1_000_000, marks=pytest.mark.scale)]
)
def test_nginx_has_logged_each_request_once(holdfast, tmp_path, requests, many) -> None:
    """nginx sends GOAWAY after `keepalive_requests` (ngx_http_v2.c), also to requests that are on their way."""
    name, port = program("nginx"), free_port()
    (tmp_path / "conf").write_text(NGINX.format(directory=tmp_path, port=port, requests=requests))
    with running([name, "-e", str(tmp_path / "error.log"), "-c", str(tmp_path / "conf")], port, tmp_path):
        shape = ("--clients", "2", "--streams", "50", "--requests", str(many))
        result = loaded(holdfast, port, "/{id}", *shape, within_s=PATIENCE_S + many / 1000)
    assert answered(result) == many
    assert sorted(map(int, re.findall(r"/(\d+)", (tmp_path / "log").read_text()))) == [*range(many)]
    assert (result["http2"]["connections"] > 2) == (many > requests)
    assert bool(result["http2"]["goaways"]) == (many > requests)


def test_a_reload_of_nginx_loses_no_request(holdfast, tmp_path) -> None:
    """On HUP the old worker sends GOAWAY on each connection (nginx(8); ngx_http_v2_finalize_connection)."""
    name, port = program("nginx"), free_port()
    (tmp_path / "conf").write_text(NGINX.format(directory=tmp_path, port=port, requests=1_000_000))
    with running([name, "-e", str(tmp_path / "error.log"), "-c", str(tmp_path / "conf")], port, tmp_path) as nginx:
        load = holdfast.start(
            "load", f"http://127.0.0.1:{port}/{{id}}", "--http2", "--clients", "2", "--streams", "20",
            "--requests", "20000", "--json", "-",
        )  # fmt: skip
        until(lambda: (tmp_path / "log").stat().st_size > 1000, "nothing is logged")
        nginx.send_signal(signal.SIGHUP)
        result = json.loads(load.ended().out)
    assert answered(result) == 20_000
    assert sorted(map(int, re.findall(r"/(\d+)", (tmp_path / "log").read_text()))) == [*range(20_000)]


def test_nghttpd_has_got_each_request_once(holdfast, tmp_path) -> None:
    name, port = program("nghttpd"), free_port()
    (tmp_path / "index.html").write_text("ok")
    with running([name, "-v", "--no-tls", "-d", str(tmp_path), str(port)], port, tmp_path):
        result = loaded(holdfast, port, "/?{id}", "--clients", "2", "--streams", "50", "--requests", "1000")
    assert answered(result) == 1000
    paths = re.findall(r":path: .*?/\?(\d+)", (tmp_path / "out").read_text())
    assert sorted(map(int, paths)) == [*range(1000)]


@pytest.mark.parametrize("name", COMMANDS)
def test_an_application_has_seen_each_request_once(holdfast, tmp_path, name) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed: pip install {name}")
    port = free_port()
    (tmp_path / "served.py").write_text(APPLICATION)
    with running([sys.executable, *(each.format(port=port) for each in COMMANDS[name])], port, tmp_path):
        result = loaded(holdfast, port, "/{id}", "--clients", "2", "--streams", "20", "--requests", "400")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/seen") as reply:
            seen = json.load(reply)
        (tmp_path / "body").write_bytes(bytes(200_000))
        taken = loaded(
            holdfast, port, "/take/1", "--clients", "1", "--streams", "4", "--requests", "8",
            "--data", f"@{tmp_path / 'body'}", "--expect-body", "200000",
        )  # fmt: skip
        events = loaded(holdfast, port, "/events/1", "--events", "--clients", "2", "--streams", "5", "--requests", "30")
    assert (answered(result), seen) == (400, [400, 1])
    assert answered(taken) == 8
    assert answered(events) == 30
    assert (events["events"]["events"], events["events"]["streams"]) == (150, 30)
