"""Writes the table of servers' settings as a person reads it: docs/settings.md.

python tests/servers/settings_document.py            writes it
python tests/servers/settings_document.py --check    exits 1 where it is not what the adapters say
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from holdfast.model.places import Place
from holdfast.servers.adapter import Setting
from holdfast.servers.registry import ADAPTERS

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"

# What a server is started with changes which settings it has, and what they bound.
VARIANTS: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "gunicorn": (
        ("sync", ()),
        ("gthread", ("-k", "gthread")),
        ("gevent", ("-k", "gevent")),
        ("ASGI", ("-k", "asgi")),
    ),
    "granian": (("ASGI, RSGI", ()), ("WSGI", ("--interface", "wsgi"))),
    "uvicorn": (("ASGI", ()), ("WSGI", ("--interface", "wsgi"))),
    "pyvoy": (("ASGI", ()), ("WSGI", ("--interface", "wsgi"))),
    "uwsgi": (
        ("", ()),
        ("`--gevent`, `--async`", ("--gevent", "8")),
        ("`--gevent`, `--async`", ("--async", "8")),
        ("", ("-p", "4", "--cheaper", "2")),
    ),
    "flask": (("threaded", ()), ("else", ("--without-threads",))),
    "werkzeug": (("", ()), ("threaded", ("--threaded",))),
}
ONLY_WHEN_GIVEN = frozenset({"async", "gevent", "cheaper"})
ELSEWHERE = {
    ("daphne", "backlog"): "`:backlog=N` in the endpoint",
    ("twisted", "backlog"): "`:backlog=N` in the endpoint",
    ("hypercorn", "h2_max_concurrent_streams"): "in the file of `-c`",
}
PLACES = {
    Place.IN_SERVICE: "in service",
    Place.USERSPACE_QUEUE: "the server's own queue",
    Place.ACCEPT_QUEUE: "the accept queue",
}
# The installed server's file and function, from which it was read.
SOURCES: Mapping[str, Mapping[str, str]] = {
    "aiohttp": {"backlog": "aiohttp/web.py, `run_app()`"},
    "bjoern": {"listen_backlog": "bjoern.py, `listen()`"},
    "cheroot": {
        "threads": "cheroot/cli.py, `_arg_spec`; cheroot/workers/threadpool.py, `ThreadPool.start()`",
        "accepted_queue_size": "cheroot/workers/threadpool.py, `ThreadPool.__init__()`",
        "request_queue_size": "cheroot/server.py, `HTTPServer.prepare()`",
    },
    "daphne": {
        "ASGI_THREADS": "daphne/server.py, at its top",
        "backlog": "twisted/internet/endpoints.py, `TCP4ServerEndpoint`",
    },
    "django": {
        "threading": "django/core/management/commands/runserver.py; django/core/servers/basehttp.py, `run()`",
        "request_queue_size": "django/core/servers/basehttp.py, `WSGIServer`",
    },
    "eventlet": {
        "max_size": "eventlet/wsgi.py, `server()`",
        "backlog": "eventlet/convenience.py, `listen()`",
    },
    "fastpysgi": {
        "workers": "fastpysgi.py, `_Server.multi_run()`",
        "backlog": "fastpysgi.py, `_Server.__init__()`",
    },
    "flask": {
        "processes": "flask/app.py, `run()`; werkzeug/serving.py, `make_server()`",
        "threaded": "flask/app.py, `run()`; flask/cli.py, `run_command()`",
        "LISTEN_QUEUE": "werkzeug/serving.py, `LISTEN_QUEUE`",
    },
    "gevent": {
        "spawn": "gevent/baseserver.py, `set_spawn()` and `_do_read()`",
        "backlog": "gevent/server.py, `StreamServer`",
    },
    "granian": {
        "workers": "granian/server/common.py, `AbstractServer.__init__()`",
        "blocking_threads": "granian/server/common.py, `AbstractServer.__init__()` and `startup()`",
        "backpressure": "granian/server/common.py, `AbstractServer.__init__()`",
        "backlog": "granian/server/common.py, `AbstractServer.__init__()`",
        "runtime_threads": "granian/cli.py",
        "runtime_blocking_threads": "granian/cli.py; granian/server/common.py, `AbstractServer.__init__()`",
        "http2_max_concurrent_streams": "granian/http.py, `HTTP2Settings`",
    },
    "gunicorn": {
        "workers": "gunicorn/config.py, `Workers`",
        "backlog": "gunicorn/config.py, `Backlog`; gunicorn/sock.py",
        "threads": "gunicorn/config.py, `Config.worker_class`; gunicorn/workers/gthread.py, `get_thread_pool()`",
        "worker_connections": "gunicorn/workers/gthread.py, `run()`; gunicorn/workers/ggevent.py, `run()`",
        "http2_max_concurrent_streams": "gunicorn/http2/connection.py; gunicorn/http2/async_connection.py",
    },
    "h2corn": dict.fromkeys(
        ("workers", "limit_concurrency", "limit_connections", "max_concurrent_streams", "backlog"),
        "h2corn/_config.py, `Config`",
    ),
    "hypercorn": {
        "workers": "hypercorn/config.py, `Config`",
        "backlog": "hypercorn/config.py, `Config`",
        "h2_max_concurrent_streams": "hypercorn/protocol/h2.py",
    },
    "mod_wsgi": dict.fromkeys(
        ("processes", "threads", "max_clients", "daemon_backlog", "server_backlog"),
        "mod_wsgi/express/options.py; mod_wsgi/express/server.py, `setup_server()`",
    ),
    "pyvoy": {"worker_threads": "pyvoy/_cli.py"},
    "sanic": {
        "workers": "sanic/cli/arguments.py, `WorkerGroup`",
        "backlog": "sanic/mixins/startup.py, `run()`",
    },
    "tornado": {
        "processes": "tornado/process.py, `fork_processes()`",
        "backlog": "tornado/netutil.py, `bind_sockets()`",
    },
    "twisted": {
        "maxthreads": "twisted/web/tap.py, `opt_wsgi()`; twisted/python/threadpool.py",
        "backlog": "twisted/internet/endpoints.py, `TCP4ServerEndpoint`",
    },
    "uvicorn": {
        "workers": "uvicorn/main.py; uvicorn/config.py, `Config.__init__()`",
        "limit_concurrency": "uvicorn/protocols/http/h11_impl.py; uvicorn/protocols/http/httptools_impl.py",
        "backlog": "uvicorn/server.py, `startup()`",
        "WSGIMiddleware workers": "uvicorn/config.py, `Config.load()`; a2wsgi/wsgi.py, `WSGIMiddleware`",
    },
    "uwsgi": {
        "processes": "core/uwsgi.c, `uwsgi_base_options`",
        "threads": "core/init.c, `sanitize_args()`",
        "gevent": "core/init.c, `sanitize_args()`; plugins/gevent/gevent.c, `uwsgi_opt_setup_gevent()`",
        "async": "core/init.c, `sanitize_args()`; plugins/gevent/gevent.c, `uwsgi_opt_setup_gevent()`",
        "cheaper": "core/master_utils.c, `uwsgi_calc_cheaper()`",
        "listen": "core/socket.c, `bind_to_tcp()`",
    },
    "waitress": {
        "threads": "waitress/adjustments.py; waitress/server.py, `create_server()`",
        "connection_limit": "waitress/server.py, `BaseWSGIServer.readable()`",
        "backlog": "waitress/server.py, `accept_connections()`",
    },
    "werkzeug": {
        "processes": "werkzeug/serving.py, `make_server()`",
        "threaded": "werkzeug/serving.py, `make_server()`",
        "LISTEN_QUEUE": "werkzeug/serving.py, `LISTEN_QUEUE`",
    },
    "wsgiref": {"request_queue_size": "socketserver.py, `TCPServer`"},
}
HEAD = """\
# Settings

What holdfast knows of each server's settings: what each bounds, and how it is given. `holdfast explain` varies them to
see which one decides. Every row was read in the installed server's source, which the last column names; what it says of
a bound is a hypothesis until a probe has shown it.

This file is generated from the adapters in `src/holdfast/servers/` by `make settings-table`.

- **Default**: none where the server has no bound, or computes it from the machine.
- **Bounds**: the [place](glossary.md) whose size it sets. *Takes no notice* is said of a setting that the server
  accepts and that bounds nothing as it is started.
- **Variable**: of several, the first wins.

## Where a value comes from

The same setting can come from several sources. holdfast reads them as the server would, for a server that it starts by
name and for your own command, and says where the value in force comes from. Which source wins is each server's own:

| Server | The later ones win |
| --- | --- |
| gunicorn | `WEB_CONCURRENCY`; `gunicorn.conf.py` or the file of `-c`; `GUNICORN_CMD_ARGS`; the command line |
| uWSGI | `UWSGI_*`; the command line, with the file of `--ini` where that is; a file alone, as in `uwsgi app.ini` |
| uvicorn | `WEB_CONCURRENCY` in the file of `--env-file`; `WEB_CONCURRENCY`; `UVICORN_*`; the command line |
| granian | `GRANIAN_*`; the command line |
| h2corn | the TOML file of `-c` or `H2CORN_CONFIG`; `H2CORN_*`; the command line |
| hypercorn | the file of `-c`, TOML or (`file:`, `python:`) Python; the command line |
| daphne | `ASGI_THREADS` |
| the others | the command line |

What a file of uWSGI inherits (`inherit = base.ini`) wins over all the rest, so that it cannot be varied.

A Python file is not run: holdfast takes constants from it, and what arithmetic makes of them. Any other value is not
known, and can still be varied.

To vary a setting, holdfast gives it where it wins over all these: on the command line, also within `sh -c '...'`; as a
variable where there is no option; in a copy of the file where only a file sets it. **Nothing of yours is written to.**
It finds the server behind `env`, `exec`, `python -m`, `uv run`, `poetry run`, `nice`, `timeout` and the like, and in
scripts of a shell, which it then runs as `sh -c` with the changed text; in one that ends in `exec "$@"` it finds the
server that it is given, or where it is given none, the script's own. It does not look into Procfiles and Python
programs: there it varies only the limits of the environment.
"""


def document() -> str:
    parts = [HEAD]
    for server in sorted(ADAPTERS):
        rows = "\n".join(_rows(server))
        head = "| Setting | Default | Option | Variable | Bounds | Source |\n| --- | --- | --- | --- | --- | --- |"
        parts.append(f"## {server}\n\n{head}\n{rows}\n")
    return "\n".join(parts)


def _rows(server: str) -> Iterator[str]:
    seen: dict[str, list[tuple[str, Setting]]] = {}
    for variant, arguments in VARIANTS.get(server, (("", ()),)):
        for each in ADAPTERS[server].settings(arguments):
            seen.setdefault(each.name, []).append((variant, each))
    for name, found in seen.items():
        first = found[0][1]
        variables = [each for each in (first.variable, *first.weaker_variables) if each]
        cells = (
            name,
            _by_variant([(variant, _default(each)) for variant, each in found if server == "pyvoy" or each is first]),
            ELSEWHERE.get((server, name)) or ", ".join(f"`{each}`" for each in _options(first)) or "none",
            ", ".join(f"`{each}`" for each in variables) or "none",
            _by_variant([(variant, _bounds(each)) for variant, each in found]),
            SOURCES[server][name],
        )
        yield f"| {' | '.join(cells)} |"


def _default(setting: Setting) -> str:
    if setting.words:
        return "on" if setting.value else "off"
    return "none" if setting.value is None or setting.name in ONLY_WHEN_GIVEN else str(setting.value)


def _options(setting: Setting) -> tuple[str, ...]:
    if setting.words:
        return tuple(each for each in setting.words if each)
    dashed = tuple(each for each in setting.options if each.startswith("-") and "_" not in each)
    return dashed or setting.options


def _bounds(setting: Setting) -> str:
    if not setting.counts:
        return "takes no notice"
    if setting.words:
        return "in service: off is one at a time"
    return f"{PLACES[setting.bounds]}{', on one HTTP/2 connection' if setting.for_streams else ''}"


def _by_variant(found: list[tuple[str, str]]) -> str:
    """One text where all variants have the same, else each with its own."""
    texts = list(dict.fromkeys(text for _, text in found))
    if len(texts) == 1:
        return texts[0]
    variants = [", ".join(dict.fromkeys(name for name, each in found if each == text and name)) for text in texts]
    return "; ".join(f"{names or 'else'}: {text}" for names, text in zip(variants, texts, strict=True))


def main() -> int:
    written = document()
    if "--check" in sys.argv[1:]:
        return int(not DOCUMENT.exists() or DOCUMENT.read_text(encoding="utf-8") != written)
    DOCUMENT.write_text(written, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
