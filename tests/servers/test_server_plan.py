"""From an experiment to a command: interface, framework, and what is refused."""

from __future__ import annotations

import pytest

from holdfast.errors import UsageError
from holdfast.model.experiment import ProbeTarget
from holdfast.servers.adapter import FRAMEWORKS
from holdfast.servers.interpreter import Interpreter
from holdfast.servers.plan import Plan, plan
from holdfast.servers.registry import ADAPTERS

EVERYTHING = frozenset(name for names in FRAMEWORKS.values() for name in names)


def planned(server: str, *arguments: str, installed: frozenset[str] = EVERYTHING, **given) -> Plan:
    adapter = ADAPTERS[server]
    scripts = {name: f"/env/bin/{name}" for name in adapter.executables}
    interpreter = Interpreter("/env/bin/python", "3.12.0", "1.0", "/env", scripts, installed)
    view = given.pop("view", None)
    return plan(ProbeTarget(server, arguments=arguments, **given), view, adapter, interpreter, 8123, "/tmp/free")


@pytest.mark.parametrize("server", ADAPTERS)
def test_every_server_gets_a_loopback_address_with_the_port_and_its_arguments(server):
    given = ("--some-option", "3")
    command = planned(server, *given).launch

    assert (command.address, command.port) == ("127.0.0.1", 8123)
    assert any("8123" in each for each in command.command)
    at = command.command.index("--some-option")
    assert command.command[at : at + 2] == given


@pytest.mark.parametrize("server", ADAPTERS)
def test_every_setting_of_every_server_has_a_name_and_a_sensible_default(server):
    settings = ADAPTERS[server].settings(())

    assert settings
    # A switch may be off.
    least = {each.name: 0 if each.words else 1 for each in settings}
    assert all(each.name and (each.value is None or each.value >= least[each.name]) for each in settings)


@pytest.mark.parametrize("server", ADAPTERS)
def test_every_server_has_a_built_in_application(server):
    chosen = planned(server)

    assert chosen.framework in ADAPTERS[server].frameworks[chosen.launch.interface]


def test_the_built_in_view_is_the_interfaces_usual_one_and_an_own_view_stays_as_written():
    assert planned("waitress").view == "sync"
    assert planned("uvicorn").view == "async"
    assert planned("uvicorn", view="sync").view == "sync"
    assert planned("uvicorn", app="shop:app").view is None


@pytest.mark.parametrize(
    ("server", "arguments", "interface"),
    [
        ("gunicorn", (), "wsgi"),
        ("gunicorn", ("--threads", "4"), "wsgi"),
        ("gunicorn", ("-k", "gevent"), "wsgi"),
        ("gunicorn", ("-k", "gevent_pywsgi"), "wsgi"),
        ("gunicorn", ("-kasgi",), "asgi"),
        ("gunicorn", ("--worker-class=uvicorn_worker.UvicornWorker",), "asgi"),
        ("uvicorn", (), "asgi"),
        ("uvicorn", ("--interface", "wsgi"), "wsgi"),
        ("hypercorn", (), "asgi"),
        ("granian", (), "asgi"),
        ("granian", ("--interface", "wsgi"), "wsgi"),
        ("granian", ("--interface=asginl",), "asgi"),
        ("granian", ("--interface", "rsgi"), "rsgi"),
        ("aiohttp", (), "aiohttp"),
    ],
)
def test_the_arguments_decide_by_what_the_server_calls_the_application(server, arguments, interface):
    assert planned(server, *arguments).launch.interface == interface


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn", "granian"])
def test_a_framework_decides_where_the_server_takes_either(server):
    assert planned(server, framework="flask").launch.interface == "wsgi"
    assert planned(server, framework="fastapi").launch.interface == "asgi"
    assert planned(server, framework="django").launch.interface == "asgi"


@pytest.mark.parametrize(
    ("app", "interface", "loaded"),
    [
        ("wsgi:shop:app", "wsgi", "shop:app"),
        ("wsgi:shop.py", "wsgi", "shop.py"),
        ("asgi:shop:create_app('a:b')", "asgi", "shop:create_app('a:b')"),
        ("wsgi:app", "asgi", "wsgi:app"),
        ("wsgi:create_app('a:b')", "asgi", "wsgi:create_app('a:b')"),
        ("shop:app", "asgi", "shop:app"),
    ],
)
def test_a_prefix_says_what_the_application_is_and_a_module_of_that_name_is_none(app, interface, loaded):
    chosen = planned("hypercorn", app=app)

    assert (chosen.launch.interface, chosen.app) == (interface, loaded)


def test_a_prefix_that_the_server_does_not_serve_is_refused():
    with pytest.raises(UsageError, match="serves WSGI"):
        planned("waitress", app="asgi:shop:app")


def test_the_first_framework_that_is_installed_is_taken_and_none_at_all_if_there_is_none():
    assert planned("waitress").framework == "flask"
    assert planned("waitress", installed=frozenset({"django"})).framework == "django"
    assert planned("waitress", installed=frozenset()).framework == "wsgi"
    assert planned("uvicorn", installed=frozenset()).framework == "asgi"


@pytest.mark.parametrize(
    ("server", "framework", "words"),
    [
        ("waitress", "pyramid", "Unknown framework 'pyramid'"),
        ("waitress", "fastapi", "cannot run fastapi"),
        ("daphne", "flask", "cannot run flask"),
        ("gunicorn", "fastapi", "cannot run fastapi"),
    ],
)
def test_a_framework_that_cannot_be_is_refused_with_those_that_can(server, framework, words):
    with pytest.raises(UsageError, match=words) as refused:
        planned(server, framework=framework)

    assert "--framework" in refused.value.remedy


def test_the_refusal_names_the_other_interface_where_the_server_has_one():
    with pytest.raises(UsageError) as refused:
        planned("gunicorn", framework="fastapi")

    assert "let it serve ASGI" in refused.value.remedy


def test_a_framework_beside_an_application_is_refused():
    with pytest.raises(UsageError, match="exclude each other"):
        planned("waitress", app="shop:app", framework="flask")


@pytest.mark.parametrize(
    ("server", "argument"),
    [
        ("gunicorn", "--reload"),
        ("gunicorn", "--daemon"),
        ("gunicorn", "-D"),
        ("uvicorn", "--reload"),
        ("hypercorn", "--reload"),
        ("granian", "--reload"),
        ("sanic", "--dev"),
        ("flask", "use_reloader=True"),
        ("uwsgi", "--py-autoreload=1"),
        ("uwsgi", "--daemonize=/dev/null"),
    ],
)
def test_reloaders_and_daemons_are_refused_by_name(server, argument):
    with pytest.raises(UsageError) as refused:
        planned(server, argument)

    assert argument in refused.value.what
    assert argument in refused.value.remedy


@pytest.mark.parametrize(
    ("server", "arguments", "path"),
    [
        ("uvicorn", ("--uds", "/run/app.sock"), "/run/app.sock"),
        ("gunicorn", ("-b", "unix:/run/app.sock"), "/run/app.sock"),
        ("gunicorn", ("-b", "unix:///run/app.sock"), "/run/app.sock"),
        ("waitress", ("--unix-socket=app.sock",), "app.sock"),
        ("hypercorn", ("--bind", "unix:app.sock"), "app.sock"),
        ("granian", ("--uds", "/run/app.sock"), "/run/app.sock"),
        ("daphne", ("-u", "/run/app.sock"), "/run/app.sock"),
        ("daphne", ("-e", "unix:/run/app.sock:mode=660"), "/run/app.sock"),
        ("cheroot", ("--bind", "/run/app.sock"), "/run/app.sock"),
        ("cheroot", ("--bind", "@app"), "@app"),
        ("twisted", ("--listen", "unix:/run/app.sock"), "/run/app.sock"),
        ("sanic", ("--unix", "/run/app.sock"), "/run/app.sock"),
        ("uwsgi", ("--http-socket", "/run/app.sock"), "/run/app.sock"),
        ("uwsgi", ("--http", "app.sock"), "app.sock"),
        ("aiohttp", ("--path=/run/app.sock",), "/run/app.sock"),
        ("flask", ("--host", "unix:///run/app.sock"), "/run/app.sock"),
    ],
)
def test_a_unix_socket_is_where_the_server_s_own_arguments_say(server, arguments, path):
    launch = planned(server, *arguments).launch

    assert (launch.address, launch.port) == (path, 0)
    assert [each for each in launch.command if each in arguments] == list(arguments)
    assert not {"--port", "--host", "--bind", "8123"} & (set(launch.command) - set(arguments))


@pytest.mark.parametrize(
    ("server", "arguments", "filled"),
    [
        ("uvicorn", ("--uds", "unix:0"), "/tmp/free"),
        ("granian", ("--uds=unix:0",), "--uds=/tmp/free"),
        ("gunicorn", ("-b", "unix:0"), "unix:/tmp/free"),
        ("daphne", ("-e", "unix:0:mode=660"), "unix:/tmp/free:mode=660"),
        # These take a path as it is.
        ("uwsgi", ("--http-socket=unix:0",), "--http-socket=/tmp/free"),
        ("cheroot", ("--bind", "unix:0"), "/tmp/free"),
    ],
)
def test_a_unix_socket_called_0_is_replaced_by_one_that_nobody_uses(server, arguments, filled):
    launch = planned(server, *arguments).launch

    assert filled in launch.command
    assert launch.address == "/tmp/free"


@pytest.mark.parametrize("server", ["uvicorn", "daphne"])
def test_an_inherited_descriptor_is_refused_in_words(server):
    with pytest.raises(UsageError, match="--fd") as refused:
        planned(server, "--fd", "3")

    assert "inherited" in refused.value.why


def test_waitress_is_not_given_an_address_of_two_kinds():
    command = planned("waitress", "--port", "0").launch.command

    assert "--listen" not in command
    assert command[command.index("--port") + 1] == "8123"
    assert command[-1] == "holdfast_inside.target:application"
