"""Equal requests that wait for each other are told from places: one with a query string of its own comes in."""

from __future__ import annotations

import shutil
import sys

import msgspec
import pytest

# Of each of these, one at a time is let through to the view: of each URL, or of each path.
LOCKED = """
import threading
from collections import defaultdict

from flask import Flask, g, request

app = Flask(__name__)
locks = defaultdict(threading.Lock)

@app.before_request
def take():
    g.lock = locks[request.KEY]
    g.lock.acquire()

@app.teardown_request
def give_back(error):
    g.lock.release()

@app.get("/")
def index():
    return "done"
"""
SHARED_ANSWERS = """
import asyncio

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

under_way = {}

async def index(request):
    return PlainTextResponse("done")

class OneForEach:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        key = scope.get("path"), scope.get("query_string")
        while key in under_way:
            await under_way[key].wait()
        under_way[key] = asyncio.Event()
        try:
            await self.app(scope, receive, send)
        finally:
            under_way.pop(key).set()

app = Starlette(routes=[Route("/", index)])
app.add_middleware(OneForEach)
"""
ANY = """
from flask import Flask

app = Flask(__name__)

@app.get("/")
def index():
    return "done"
"""
# nginx, ngx_http_proxy_module, proxy_cache_lock: "only one request at a time will be allowed to populate a new cache
# element"; the others wait for its answer, for proxy_cache_lock_timeout at most.
NGINX = """
daemon off;
user root;
pid nginx.pid;
error_log stderr;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
    proxy_cache_path pages keys_zone=pages:1m;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{other};
            proxy_cache pages;
            proxy_cache_valid 0s;
            proxy_cache_lock on;
            proxy_cache_lock_timeout 60s;
            proxy_cache_lock_age 60s;
        }}
    }}
}}
"""
IN_FRONT = """#!/bin/sh
{python} -m gunicorn -b 127.0.0.1:{other} --threads 4 app:app &
exec nginx -p "$PWD" -c nginx.conf
"""


def told(verdict) -> list[str]:
    return [each for each in verdict["warnings"] if "equal requests" in each]


@pytest.mark.parametrize(
    ("server", "application"),
    [
        (("gunicorn", "--", "--threads", "4"), LOCKED.replace("KEY", "full_path")),
        (("uvicorn",), SHARED_ANSWERS),
    ],
    ids=["a lock for each URL", "one answer for all"],
)
def test_what_an_application_keeps_back_for_its_url_is_no_ceiling(holdfast, tmp_path, server, application):
    (tmp_path / "app.py").write_text(application)
    name, *settings = server

    ended = holdfast.run(
        *("probe", "app:app", "--server", name, "--max-offered", "60", "--json", "-", *settings), cwd=tmp_path
    )

    verdict = msgspec.json.decode(ended.out)
    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (1, False), ended.err
    assert verdict["ceiling"]["interval"] == [1, None]
    (said,) = told(verdict)
    assert "waited before their view" in said


def test_a_lock_for_all_requests_of_a_path_is_its_ceiling(holdfast, tmp_path):
    (tmp_path / "app.py").write_text(LOCKED.replace("KEY", "path"))
    command = ("probe", "app:app", "--server", "gunicorn", "--max-offered", "60", "--json", "-", "--", "--threads", "4")

    ended = holdfast.run(*command, cwd=tmp_path)

    verdict = msgspec.json.decode(ended.out)
    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (1, True), ended.err
    # Of four threads, one holds and three wait: what was sent to find that out takes the place of none.
    assert verdict["places"]["before_view"] == 3
    assert told(verdict) == []


@pytest.mark.servers
def test_what_a_front_keeps_back_for_an_equal_request_is_no_ceiling_of_the_server(holdfast, tmp_path):
    if shutil.which("nginx") is None:
        pytest.skip("not installed: nginx (apt-get install nginx-light)")
    port, other = holdfast.free_port(), holdfast.free_port()
    (tmp_path / "app.py").write_text(ANY)
    (tmp_path / "nginx.conf").write_text(NGINX.format(port=port, other=other))
    (tmp_path / "start.sh").write_text(IN_FRONT.format(python=sys.executable, other=other))
    command = ("exec", "--port", str(port), "--max-offered", "60", "--json", "-", "--", "sh", "start.sh")

    ended = holdfast.run(*command, cwd=tmp_path, port=port)

    verdict = msgspec.json.decode(ended.out)
    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (1, False), ended.err
    (said,) = told(verdict)
    assert "waited in nginx" in said
    assert "the server behind it takes more of others" in said
