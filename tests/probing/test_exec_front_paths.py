"""A front that hands requests on with another path than they were sent with, as nginx's `proxy_pass http://shop/;`."""

from __future__ import annotations

import shutil

import pytest
from own_commands import INCONCLUSIVE, Own, run_all, value
from test_exec_front import APP, FORWARDING, NGINX, NGINX_RUNS, SCRIPT, TO_UWSGI

REWRITING = FORWARDING.replace(
    "def serve(client):\n    server",
    'def serve(client):\n    head = client.recv(4096).replace(b" /shop/", b" /", 1)\n    server',
).replace('connect("server.sock")\n', 'connect("server.sock")\n    server.sendall(head)\n')
ASGI = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route


def index(request):
    return PlainTextResponse("hello")


app = Starlette(routes=[Route("/", index)])
"""
OWN_SERVER = """
import asyncio

from aiohttp import web

limited = asyncio.Semaphore(3)


@web.middleware
async def three(request, handler):
    async with limited:
        return await handler(request)


async def index(request):
    return web.Response(text="hello")


app = web.Application(middlewares=[three])
app.router.add_get("/", index)
web.run_app(app, path="server.sock")
"""
FORBIDDEN = APP.replace("app = Flask(__name__)", 'app = Flask(__name__)\napp.before_request(lambda: ("no", 403))')


def rewritten(id: str, server: str, **says) -> Own:
    files = {"app.py": APP, "asgi.py": ASGI, "serve.py": OWN_SERVER, "front.py": REWRITING}
    files["start.sh"] = SCRIPT.format(server, "exec python front.py")
    options = ("--path", "/shop/", "--max-offered", "60")
    return Own(id, ("sh", "start.sh"), files, {"ceiling.bounded": True, **says}, options=options)


COMMANDS = (
    rewritten(
        "WSGI",
        "gunicorn -b unix:server.sock --threads 3 app:app",
        **{"ceiling.in_service": 3, "target.held_in": "flask view index()"},
    ),
    # AnyIO, _backends/_asyncio.py: CapacityLimiter(40).
    rewritten(
        "ASGI",
        "uvicorn --uds server.sock asgi:app",
        **{"ceiling.in_service": 40, "target.held_in": "starlette view index()"},
    ),
    rewritten(
        "a framework's own server",
        "python serve.py",
        **{"ceiling.in_service": 3, "target.held_in": "aiohttp async view index()"},
    ),
)
# nginx hands it on, and the application has no view for it to enter.
TURNED_AWAY = Own(
    "403",
    ("sh", "start.sh"),
    {
        "app.py": FORBIDDEN,
        "nginx.conf": NGINX.replace("UPSTREAM", "unix"),
        "start.sh": SCRIPT.format("gunicorn -b unix:server.sock app:app", NGINX_RUNS),
    },
    exit=INCONCLUSIVE,
)


# nginx asks the application at another path whether the request may pass (ngx_http_auth_request_module).
NO_LOGIN = Own(
    "401",
    ("sh", "start.sh"),
    {
        "app.py": APP + '\n\n@app.get("/login")\ndef login():\n    return "no", 401\n',
        "nginx.conf": NGINX.replace("UPSTREAM", "unix").replace("proxy_pass", "auth_request /login; proxy_pass"),
        "start.sh": SCRIPT.format("gunicorn -b unix:server.sock app:app", NGINX_RUNS),
    },
    exit=INCONCLUSIVE,
)

# Without the path (PEP 3333, PATH_INFO), Flask redirects to the one of its view. What uWSGI accepts is not followed.
NO_PATH = Own(
    "308",
    ("sh", "start.sh"),
    {
        "app.py": APP,
        "nginx.conf": NGINX.replace(
            "proxy_pass http://UPSTREAM",
            f"{TO_UWSGI} uwsgi_pass tcp".replace("PATH_INFO $document_uri", "PATH_INFO ''"),
        ),
        "start.sh": SCRIPT.format("uwsgi --socket 127.0.0.1:{other} --master --module app:app", NGINX_RUNS),
    },
    exit=INCONCLUSIVE,
)


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, COMMANDS)


@pytest.mark.parametrize("own", COMMANDS, ids=lambda own: own.id)
def test_a_request_is_held_at_the_path_that_the_front_hands_it_on_with(done, own):
    result = done[own.id]

    assert result.ended.exit == own.exit, result.ended.err
    verdict = result.verdict()
    assert {name: value(verdict, name) for name in own.says} == dict(own.says)
    assert verdict["front"]["program"] == "front.py"


def test_what_the_application_turns_away_is_not_said_to_have_been_answered_by_the_front(workshop):
    if shutil.which("nginx") is None:
        pytest.skip("not installed: nginx (apt-get install nginx-light)")
    (done,) = run_all(workshop, [TURNED_AWAY]).values()

    assert done.ended.exit == INCONCLUSIVE, done.ended.err
    assert "answered with 403 before any view was entered" in done.ended.err
    assert "itself" not in done.ended.err


def test_what_is_asked_beforehand_at_another_path_is_not_held_where_it_turns_the_request_away(workshop):
    if shutil.which("nginx") is None:
        pytest.skip("not installed: nginx (apt-get install nginx-light)")
    (done,) = run_all(workshop, [NO_LOGIN]).values()

    assert done.ended.exit == INCONCLUSIVE, done.ended.err
    assert "answered with 401 before any view was entered" in done.ended.err
    assert "not a Python program" not in done.ended.err


def test_a_redirect_of_the_application_behind_a_front_is_told(workshop):
    if shutil.which("nginx") is None:
        pytest.skip("not installed: nginx (apt-get install nginx-light)")
    (done,) = run_all(workshop, [NO_PATH]).values()

    assert done.ended.exit == INCONCLUSIVE, done.ended.err
    assert "answered with 308 before any view was entered" in done.ended.err
    assert "instrument" not in done.ended.err
