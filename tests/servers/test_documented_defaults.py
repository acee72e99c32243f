"""What an adapter says to be a setting's default is what the installed server has."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.model.places import Place
from holdfast.servers.registry import ADAPTERS

# An attribute of a module, or the default of a parameter of one that can be called.
CONSTANTS = (
    ("gunicorn", "workers", "gunicorn.config:Workers.default"),
    ("gunicorn", "backlog", "gunicorn.config:Backlog.default"),
    ("hypercorn", "workers", "hypercorn.config:Config.workers"),
    ("hypercorn", "backlog", "hypercorn.config:Config.backlog"),
    ("waitress", "threads", "waitress.adjustments:Adjustments.threads"),
    ("waitress", "connection_limit", "waitress.adjustments:Adjustments.connection_limit"),
    ("waitress", "backlog", "waitress.adjustments:Adjustments.backlog"),
    ("cheroot", "request_queue_size", "cheroot.server:HTTPServer.request_queue_size"),
    ("flask", "LISTEN_QUEUE", "werkzeug.serving:LISTEN_QUEUE"),
    ("werkzeug", "LISTEN_QUEUE", "werkzeug.serving:LISTEN_QUEUE"),
    ("django", "request_queue_size", "django.core.servers.basehttp:WSGIServer.request_queue_size"),
    ("fastpysgi", "backlog", "fastpysgi:server.backlog"),
    ("fastpysgi", "workers", "fastpysgi:server.num_workers"),
    ("bjoern", "listen_backlog", "bjoern:DEFAULT_LISTEN_BACKLOG"),
    ("eventlet", "max_size", "eventlet.wsgi:DEFAULT_MAX_SIMULTANEOUS_REQUESTS"),
    ("tornado", "backlog", "tornado.netutil:_DEFAULT_BACKLOG"),
)
PARAMETERS = (
    ("uvicorn", "backlog", "uvicorn.config:Config", "backlog"),
    ("granian", "backlog", "granian.server.common:AbstractServer", "backlog"),
    ("granian", "workers", "granian.server.common:AbstractServer", "workers"),
    ("h2corn", "workers", "h2corn:Config", "workers"),
    ("h2corn", "backlog", "h2corn:Config", "backlog"),
    ("daphne", "backlog", "twisted.internet.endpoints:TCP4ServerEndpoint", "backlog"),
    ("twisted", "backlog", "twisted.internet.endpoints:TCP4ServerEndpoint", "backlog"),
    ("twisted", "maxthreads", "twisted.python.threadpool:ThreadPool", "maxthreads"),
    ("cheroot", "threads", "cheroot.wsgi:Server", "numthreads"),
    ("aiohttp", "backlog", "aiohttp.web:run_app", "backlog"),
    ("sanic", "backlog", "sanic:Sanic.run", "backlog"),
    ("eventlet", "backlog", "eventlet:listen", "backlog"),
)
CONNECTIONS = "gunicorn.config:WorkerConnections.default"
SOCKETSERVER = "wsgiref.simple_server:WSGIServer.request_queue_size"

# In a process of its own: some servers change the process that imports them (eventlet complains of every later fork).
LOOK = """
import importlib, inspect, json, sys
from functools import reduce
found = {}
for path, parameter in json.load(sys.stdin):
    module, _, names = path.partition(":")
    try:
        value = reduce(getattr, names.split("."), importlib.import_module(module))
    except ModuleNotFoundError:
        continue
    found[path + "=" + parameter] = inspect.signature(value).parameters[parameter].default if parameter else value
json.dump(found, sys.stdout)
"""


def default(server: str, setting: str, *arguments: str) -> int | None:
    return next(each.value for each in ADAPTERS[server].settings(arguments) if each.name == setting)


@pytest.fixture(scope="module")
def installed() -> dict[str, int]:
    """The installed servers' own values, by path and parameter; those of servers that are missing are missing."""
    wanted = (
        [(path, "") for *_, path in CONSTANTS]
        + [each[2:] for each in PARAMETERS]
        + [(CONNECTIONS, ""), (SOCKETSERVER, "")]
    )
    command = [sys.executable, "-W", "ignore", "-c", LOOK]
    done = subprocess.run(command, input=json.dumps(wanted), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def own(installed: dict[str, int], path: str, parameter: str = "") -> int:
    name = f"{path}={parameter}"
    if name not in installed:
        pytest.skip(f"not installed: {path.partition(':')[0]}")
    return installed[name]


@pytest.mark.parametrize(("server", "setting", "source"), CONSTANTS)
def test_a_default_is_the_installed_server_s_constant(installed, server, setting, source):
    assert default(server, setting) == own(installed, source)


@pytest.mark.parametrize(("server", "setting", "function", "parameter"), PARAMETERS)
def test_a_default_is_the_installed_server_s_parameter(installed, server, setting, function, parameter):
    assert default(server, setting) == own(installed, function, parameter)


def test_what_depends_on_the_version_of_python_is_not_claimed(installed):
    assert default("wsgiref", "request_queue_size") is None
    queue = own(installed, SOCKETSERVER)
    assert queue == 5 if sys.version_info < (3, 15) else queue > 5


def test_pyvoy_s_threads_are_those_that_it_names_itself():
    pytest.importorskip("pyvoy")
    command = [str(Path(sys.executable).with_name("pyvoy")), "--help"]
    said = " ".join(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    named = re.search(r"worker threads to use \(default: (\d+) for ASGI, (\d+) for WSGI\)", said)

    assert named is not None, said
    for interface, number in zip(("asgi", "wsgi"), named.groups(), strict=True):
        assert default("pyvoy", "worker_threads", "--interface", interface) == int(number)


MOD_WSGI = """
import json, optparse, sys
from mod_wsgi.express.options import option_list
options = vars(optparse.OptionParser(option_list=option_list).get_default_values())
names = ("processes", "threads", "max_clients", "daemon_backlog", "server_backlog")
json.dump({name: options[name] for name in names}, sys.stdout)
"""


def test_mod_wsgi_s_defaults_are_those_of_its_options():
    pytest.importorskip("mod_wsgi", reason="mod_wsgi is not installed (make apache)")
    done = subprocess.run([sys.executable, "-c", MOD_WSGI], capture_output=True, text=True, check=True)
    options = json.loads(done.stdout)

    # One process and 10 + max(10, 1.5 x threads) clients, but never fewer clients than threads
    # (mod_wsgi/express/server.py, setup_server()).
    assert (options["processes"], options["max_clients"]) == (None, None)
    assert (default("mod_wsgi", "processes"), default("mod_wsgi", "max_clients")) == (1, 20)
    assert default("mod_wsgi", "max_clients", "--max-clients", "3") == options["threads"]
    for name in ("threads", "daemon_backlog", "server_backlog"):
        assert default("mod_wsgi", name) == options[name]


def test_gunicorn_s_connections_bound_what_its_class_makes_of_them(installed):
    connections = own(installed, CONNECTIONS)
    bounds = {
        name: [
            (each.name, each.value, each.bounds) for each in ADAPTERS["gunicorn"].settings(("-k", name)) if each.counts
        ]
        for name in ("sync", "gthread", "gevent", "asgi", "aiohttp.GunicornWebWorker")
    }

    assert ("worker_connections", connections, Place.USERSPACE_QUEUE) in bounds["gthread"]
    assert ("worker_connections", connections, Place.IN_SERVICE) in bounds["gevent"]
    assert not any(name == "worker_connections" for name, _, _ in bounds["sync"] + bounds["asgi"])
    assert [name for name, _, _ in bounds["aiohttp.GunicornWebWorker"]] == ["workers", "backlog"]
