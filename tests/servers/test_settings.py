"""What an adapter says of a server's settings can be given to that server, and is read back."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import settings_document
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.infer.judge import judge
from holdfast.interrupts import Interrupts
from holdfast.model.experiment import Experiment, ProbeTarget
from holdfast.model.places import Place
from holdfast.model.verdict import Verdict
from holdfast.probing.experiment import run
from holdfast.servers.adapter import Setting
from holdfast.servers.address import with_value
from holdfast.servers.registry import ADAPTERS
from holdfast.servers.survey import survey

STARTED_WITH = (
    *((name, ()) for name in ADAPTERS),
    ("gunicorn", ("-k", "gthread", "--threads=4", "-w2")),
    ("gunicorn", ("--worker-class", "gevent", "--worker-connections", "50")),
    ("gunicorn", ("-k", "asgi")),
    ("uwsgi", ("--gevent", "8", "-p", "2")),
    ("uwsgi", ("--master", "--workers", "4", "--cheaper=2", "-l", "50")),
    ("granian", ("--interface", "wsgi")),
    ("granian", ("--interface", "wsgi", "--workers", "2", "--blocking-threads=4")),
    ("uvicorn", ("--interface", "wsgi", "--workers=2", "--limit-concurrency", "9")),
    ("pyvoy", ("--interface", "wsgi")),
    ("flask", ("processes=4",)),
    ("eventlet", ("--max_size", "9", "backlog=4")),
    ("gevent", ("pool=9",)),
    ("sanic", ("-w", "2")),
)


def setting(server: str, name: str, *arguments: str) -> Setting:
    return next(each for each in ADAPTERS[server].settings(arguments) if each.name == name)


@pytest.mark.parametrize(("server", "arguments"), STARTED_WITH)
@settings(max_examples=20)
@given(value=st.integers(min_value=200, max_value=10**6))
def test_a_setting_that_was_given_another_value_is_read_back_with_it(server, arguments, value):
    for each in ADAPTERS[server].settings(arguments):
        if each.options:
            changed = with_value(arguments, each.options, value)
            assert setting(server, each.name, *changed).value == value, changed


@pytest.mark.parametrize(("server", "arguments"), STARTED_WITH)
def test_settings_are_told_apart_by_their_names(server, arguments):
    names = [each.name for each in ADAPTERS[server].settings(arguments)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("server", ["flask", "werkzeug", "django"])
def test_threads_that_were_switched_off_are_read_back_and_off_means_one_at_a_time(server):
    words = next(each for each in ADAPTERS[server].settings(()) if each.words).words

    switches = [next(each.value for each in ADAPTERS[server].settings((word,)) if each.words) for word in words]

    assert switches == [0, 1]


@pytest.mark.parametrize(
    ("server", "arguments", "threaded", "processes_count"),
    [
        # flask/app.py, run(): threaded=True is its default; werkzeug/serving.py, make_server(): False is.
        ("flask", (), 1, False),
        ("flask", ("--without-threads",), 0, True),
        ("flask", ("threaded=False",), 0, True),
        ("flask", ("--processes", "4"), 0, True),
        ("werkzeug", (), 0, True),
        ("werkzeug", ("--threaded",), 1, False),
    ],
)
def test_processes_count_where_there_are_no_threads(server, arguments, threaded, processes_count):
    assert setting(server, "threaded", *arguments).value == threaded
    assert setting(server, "processes", *arguments).counts is processes_count


def test_what_granian_computes_follows_what_it_is_computed_from():
    """granian/server/common.py, AbstractServer.__init__: backlog // workers, and half of that."""
    wsgi = ("--interface", "wsgi")

    def values(*arguments: str) -> dict[str, int | None]:
        return {each.name: each.value for each in ADAPTERS["granian"].settings((*wsgi, *arguments))}

    assert (values()["backpressure"], values()["blocking_threads"]) == (1024, 512)
    assert values("--backlog", "256")["blocking_threads"] == 128
    assert values("--backlog", "256", "--workers", "4")["backpressure"] == 64
    assert values("--backpressure", "6")["blocking_threads"] == 3
    assert values("--backpressure", "6", "--blocking-threads", "9")["blocking_threads"] == 9


def test_a_setting_that_gunicorn_s_worker_ignores_is_shown_and_does_not_count():
    """gunicorn's sync worker reads no worker_connections; its ASGI worker warns that it takes no threads."""
    assert not setting("gunicorn", "worker_connections").counts
    assert setting("gunicorn", "threads").counts, "more than one turns the sync worker into gthread"
    assert not setting("gunicorn", "threads", "-k", "asgi").counts
    assert not setting("gunicorn", "worker_connections", "-k", "uvicorn_worker.UvicornWorker").counts
    assert setting("gunicorn", "worker_connections", "--threads", "2").counts
    assert setting("gunicorn", "worker_connections", "-k", "gthread").bounds is Place.USERSPACE_QUEUE


def test_the_threads_of_uvicorn_s_wsgi_are_those_of_the_installed_middleware():
    look = "import inspect, uvicorn.middleware.wsgi as m; print(inspect.signature(m.WSGIMiddleware).parameters)"
    pytest.importorskip("uvicorn")
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", look], capture_output=True, text=True, check=True)
    workers = re.search(r"workers: 'int' = (\d+)|workers: int = (\d+)", done.stdout)
    assert workers is not None, done.stdout

    assert setting("uvicorn", "WSGIMiddleware workers", "--interface", "wsgi").value == int(workers[1] or workers[2])


# Each run holds requests at a server that was given another value. In service: what the setting bounds there, as the
# server's source says (the adapter cites it); the accept queue's limit is the backlog that the kernel has in force.
IN_SERVICE = (
    ("cheroot", (), "threads", 3, 3),
    ("eventlet", (), "max_size", 3, 3),
    ("fastpysgi", (), "workers", 2, 2),
    ("flask", (), "processes", 3, 3),
    ("gevent", (), "spawn", 3, 3),
    ("granian", ("--interface", "wsgi"), "blocking_threads", 3, 3),
    ("granian", ("--interface", "wsgi"), "backpressure", 8, 4),
    ("gunicorn", (), "workers", 3, 3),
    ("gunicorn", (), "threads", 3, 3),
    ("gunicorn", ("-k", "gevent"), "worker_connections", 3, 3),
    ("h2corn", (), "limit_concurrency", 3, 3),
    ("mod_wsgi", (), "threads", 3, 3),
    ("pyvoy", ("--interface", "wsgi"), "worker_threads", 3, 3),
    ("uvicorn", (), "limit_concurrency", 4, 3),
    ("uwsgi", (), "threads", 3, 3),
    ("uwsgi", (), "processes", 3, 3),
    ("uwsgi", ("--gevent", "8", "--gevent-monkey-patch"), "gevent", 3, 3),
    ("waitress", (), "threads", 3, 3),
    ("werkzeug", (), "processes", 3, 3),
)
QUEUED = (
    ("aiohttp", "backlog"),
    ("bjoern", "listen_backlog"),
    ("cheroot", "request_queue_size"),
    ("eventlet", "backlog"),
    ("fastpysgi", "backlog"),
    ("gevent", "backlog"),
    ("gunicorn", "backlog"),
    ("h2corn", "backlog"),
    ("hypercorn", "backlog"),
    ("tornado", "backlog"),
    ("uvicorn", "backlog"),
    ("waitress", "backlog"),
)


def probed(server: str, arguments: tuple[str, ...]) -> Verdict:
    if survey({server: ADAPTERS[server]}, {}, sys.executable, Path.cwd()).servers[0].install is not None:
        pytest.skip(f"{server} is not installed")
    experiment = Experiment(ProbeTarget(server, arguments=arguments, python=sys.executable), max_offered=24)
    return judge(run(experiment, Interrupts(), ADAPTERS[server]))


@pytest.mark.servers
@pytest.mark.parametrize(("server", "arguments", "name", "value", "expected"), IN_SERVICE)
def test_a_setting_given_to_the_real_server_bounds_what_the_adapter_says(server, arguments, name, value, expected):
    changed = with_value(arguments, setting(server, name, *arguments).options, value)

    assert probed(server, changed).ceiling.in_service == expected


@pytest.mark.servers
@pytest.mark.parametrize(("server", "name"), QUEUED)
def test_a_backlog_given_to_the_real_server_is_in_force_in_the_kernel(server, name):
    given_backlog = setting(server, name)
    assert given_backlog.bounds is Place.ACCEPT_QUEUE

    assert probed(server, with_value((), given_backlog.options, 7)).ceiling.accept_queue_limit == 7


HELP = {
    "gunicorn": ("gunicorn", "--help"),
    "uvicorn": ("uvicorn", "--help"),
    "hypercorn": ("hypercorn", "--help"),
    "granian": ("granian", "--help"),
    "h2corn": ("h2corn", "--help"),
    "cheroot": ("cheroot", "--help"),
    "waitress": ("waitress-serve", "--help"),
    "uwsgi": ("uwsgi", "--help"),
    "pyvoy": ("pyvoy", "--help"),
    "sanic": ("sanic", "help", "--full"),
    "mod_wsgi": ("mod_wsgi-express", "start-server", "--help"),
}
# Their help names the variables too.
NAME_VARIABLES = ("granian", "h2corn")


@pytest.mark.servers
@pytest.mark.parametrize("server", HELP)
def test_every_option_is_one_of_the_installed_server_s(server):
    program, *arguments = HELP[server]
    path = Path(sys.executable).with_name(program)
    if not path.exists():
        pytest.skip(f"{server} is not installed")
    done = subprocess.run([path, *arguments], capture_output=True, text=True, env={"COLUMNS": "500"}, check=False)
    said = re.split(r"[\s=,|;\]]+", done.stdout + done.stderr)

    for _, given_arguments in (each for each in STARTED_WITH if each[0] == server):
        for each in ADAPTERS[server].settings(given_arguments):
            missing = set(each.options) - set(said)
            if server in NAME_VARIABLES:
                missing |= {each.variable} - set(said)
            assert not missing, (each.name, missing)


def sources() -> list[tuple[str, str]]:
    every = (text for named in settings_document.SOURCES.values() for text in named.values())
    return sorted({tuple(each.split(", `")) for text in every for each in text.split("; ") if ".py, `" in each})


@pytest.mark.parametrize(("path", "names"), sources())
def test_what_the_table_names_as_a_source_is_in_the_installed_server(path, names):
    places = [Path(each) / path for each in (sysconfig.get_path("purelib"), sysconfig.get_path("stdlib"))]
    text = next((each.read_text() for each in places if each.exists()), None)
    if text is None:
        pytest.skip(f"not installed: {path}")
    for name in re.findall(r"[A-Za-z_]\w*", names.replace(" and ", " ")):
        assert re.search(rf"\b{name}\b", text), name


def test_every_setting_is_in_the_table_of_the_documentation():
    assert settings_document.DOCUMENT.read_text(encoding="utf-8") == settings_document.document(), (
        "run make settings-table"
    )
