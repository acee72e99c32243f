"""What an adapter says to be a setting's default is what the installed server has."""

from __future__ import annotations

import importlib
import inspect

import pytest

from holdfast.model.places import Place
from holdfast.servers.registry import ADAPTERS


def default(server: str, setting: str, *arguments: str) -> int | None:
    return next(each.value for each in ADAPTERS[server].settings(arguments) if each.name == setting)


def attribute(path: str) -> object:
    module, _, names = path.partition(":")
    found: object = importlib.import_module(module)
    for name in names.split("."):
        found = getattr(found, name)
    return found


@pytest.mark.parametrize(
    ("server", "setting", "source"),
    [
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
        ("wsgiref", "request_queue_size", "wsgiref.simple_server:WSGIServer.request_queue_size"),
        ("eventlet", "max_size", "eventlet.wsgi:DEFAULT_MAX_SIMULTANEOUS_REQUESTS"),
        ("tornado", "backlog", "tornado.netutil:_DEFAULT_BACKLOG"),
    ],
)
@pytest.mark.filterwarnings("ignore")  # eventlet says at its import that it is deprecated
def test_a_default_is_the_installed_server_s_constant(server, setting, source):
    pytest.importorskip(source.partition(":")[0])

    assert default(server, setting) == attribute(source)


@pytest.mark.parametrize(
    ("server", "setting", "function", "parameter"),
    [
        ("uvicorn", "backlog", "uvicorn.config:Config", "backlog"),
        ("granian", "backlog", "granian.server.common:AbstractServer", "backlog"),
        ("granian", "workers", "granian.server.common:AbstractServer", "workers"),
        ("daphne", "backlog", "twisted.internet.endpoints:TCP4ServerEndpoint", "backlog"),
        ("twisted", "backlog", "twisted.internet.endpoints:TCP4ServerEndpoint", "backlog"),
        ("twisted", "maxthreads", "twisted.python.threadpool:ThreadPool", "maxthreads"),
        ("cheroot", "threads", "cheroot.wsgi:Server", "numthreads"),
        ("aiohttp", "backlog", "aiohttp.web:run_app", "backlog"),
        ("sanic", "backlog", "sanic:Sanic.run", "backlog"),
        ("eventlet", "backlog", "eventlet:listen", "backlog"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_a_default_is_the_installed_server_s_parameter(server, setting, function, parameter):
    pytest.importorskip(function.partition(":")[0])

    assert default(server, setting) == inspect.signature(attribute(function)).parameters[parameter].default


def test_gunicorn_s_connections_bound_what_its_class_makes_of_them():
    connections = attribute("gunicorn.config:WorkerConnections.default")
    bounds = {
        name: [(each.name, each.value, each.bounds) for each in ADAPTERS["gunicorn"].settings(("-k", name))]
        for name in ("sync", "gthread", "gevent", "asgi")
    }

    assert ("worker_connections", connections, Place.USERSPACE_QUEUE) in bounds["gthread"]
    assert ("worker_connections", connections, Place.IN_SERVICE) in bounds["gevent"]
    assert not any(name == "worker_connections" for name, _, _ in bounds["sync"] + bounds["asgi"])
