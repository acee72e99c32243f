"""The settings of a server that is to be started: the values in force, where they come from, and other values for them.

What wins over what is each server's own, as `config_layers.py` and `uwsgi_layers.py` cite it.
"""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from holdfast.errors import UsageError
from holdfast.model.experiment import CommandTarget, Experiment, ProbeTarget, command_line_of
from holdfast.servers.effective import SettingInForce
from holdfast.servers.settings_of import settings_of, timeouts_of, with_settings

INI = """
[uwsgi]
; a comment
processes = 2
threads=4
ini = :queue

[queue]
listen = 50
"""


def own(command: str, cwd: Path) -> Experiment:
    return Experiment(CommandTarget(tuple(shlex.split(command))), cwd=str(cwd))


def found(experiment: Experiment, name: str, **environ: str) -> SettingInForce:
    return next(each for each in settings_of(experiment, environ) if each.setting.name == name)


def value(experiment: Experiment, name: str, **environ: str) -> tuple[int | None, str]:
    each = found(experiment, name, **environ)
    return each.setting.value, each.origin


def varied(experiment: Experiment, name: str, new: int, scratch: Path, **environ: str) -> Experiment:
    """With another value, which is then the one in force."""
    changed = with_settings(experiment, {name: new}, scratch, environ)
    assert found(changed, name, **environ).setting.value == new
    return changed


def test_gunicorn_s_sources_win_in_its_own_order(tmp_path):
    (tmp_path / "gunicorn.conf.py").write_text("workers = 2 * 2\nthreads = 3\n")
    (tmp_path / "web").mkdir()
    plain, elsewhere = own("gunicorn app:app", tmp_path), own("sh -c 'cd web && exec gunicorn app:app'", tmp_path)

    assert value(elsewhere, "workers") == (1, "default")
    assert value(elsewhere, "workers", WEB_CONCURRENCY="5") == (5, "environment WEB_CONCURRENCY")
    assert value(plain, "workers", WEB_CONCURRENCY="5") == (4, "file gunicorn.conf.py")
    arguments = {"GUNICORN_CMD_ARGS": "--workers 6", "WEB_CONCURRENCY": "5"}
    assert value(plain, "workers", **arguments) == (6, "GUNICORN_CMD_ARGS")
    assert value(own("gunicorn -w 7 app:app", tmp_path), "workers", **arguments) == (7, "command line")
    assert value(plain, "threads", **arguments) == (3, "file gunicorn.conf.py")


def test_gunicorn_s_file_is_the_one_that_is_named(tmp_path):
    (tmp_path / "gunicorn.conf.py").write_text("workers = 2\n")
    (tmp_path / "other.py").write_text("workers = 3\n")

    assert value(own("gunicorn -c other.py app:app", tmp_path), "workers") == (3, "file other.py")
    assert value(own("gunicorn --config=file:other.py app:app", tmp_path), "workers") == (3, "file other.py")
    assert value(own("gunicorn -c python:other app:app", tmp_path), "workers") == (3, "file other.py")
    named = {"GUNICORN_CMD_ARGS": "-c other.py"}
    assert value(own("gunicorn app:app", tmp_path), "workers", **named) == (3, "file other.py")


def test_a_computed_value_is_not_known_and_can_be_varied(tmp_path):
    (tmp_path / "gunicorn.conf.py").write_text(
        "import multiprocessing\nworkers = multiprocessing.cpu_count() * 2 + 1\nif workers > 4:\n    threads = 2\n"
    )
    experiment = own("gunicorn app:app", tmp_path)

    assert value(experiment, "workers") == (None, "file gunicorn.conf.py")
    assert value(experiment, "threads") == (None, "file gunicorn.conf.py")
    assert value(own("sh -c 'gunicorn -w $(nproc) app:app'", tmp_path), "workers") == (None, "command line")
    changed = varied(experiment, "workers", 9, tmp_path)
    assert changed.target == CommandTarget(("gunicorn", "--workers", "9", "app:app"))


def test_the_worker_class_of_the_file_decides_what_counts(tmp_path):
    (tmp_path / "gunicorn.conf.py").write_text("worker_class = 'gevent'\nworker_connections = 7\n")

    connections = found(own("gunicorn app:app", tmp_path), "worker_connections")

    assert (connections.setting.value, connections.setting.counts) == (7, True)
    assert not found(own("gunicorn -k sync app:app", tmp_path), "worker_connections").setting.counts


def test_a_server_started_by_name_reads_the_same_sources(tmp_path):
    (tmp_path / "gunicorn.conf.py").write_text("threads = 3\n")
    experiment = Experiment(ProbeTarget("gunicorn", arguments=("-w", "2")), cwd=str(tmp_path))

    assert value(experiment, "threads") == (3, "file gunicorn.conf.py")
    assert value(experiment, "workers", WEB_CONCURRENCY="5") == (2, "command line")
    changed = with_settings(experiment, {"threads": 8, "workers": 3}, tmp_path, {})
    assert command_line_of(changed.target) == ("gunicorn", "--threads", "8", "-w", "3")


def test_the_interface_that_the_application_asks_for_decides_which_settings_there_are(tmp_path):
    threads = [
        each.setting.name == "blocking_threads"
        for app in ("wsgi:shop:app", "asgi:shop:app")
        for each in settings_of(Experiment(ProbeTarget("granian", app=app), cwd=str(tmp_path)), {})
    ]
    assert threads.count(True) == 1


def test_variables_of_click_lose_to_the_command_line_and_win_over_web_concurrency(tmp_path):
    plain, given_workers = own("uvicorn app:app", tmp_path), own("uvicorn app:app --workers 2", tmp_path)

    assert value(plain, "workers", WEB_CONCURRENCY="3") == (3, "environment WEB_CONCURRENCY")
    both = {"WEB_CONCURRENCY": "3", "UVICORN_WORKERS": "4"}
    assert value(plain, "workers", **both) == (4, "environment UVICORN_WORKERS")
    assert value(given_workers, "workers", **both) == (2, "command line")
    assert value(own("granian app:app", tmp_path), "backlog", GRANIAN_BACKLOG="256")[0] == 256
    inline = own("env UVICORN_LIMIT_CONCURRENCY=9 uvicorn app:app", tmp_path)
    assert value(inline, "limit_concurrency") == (9, "environment UVICORN_LIMIT_CONCURRENCY")
    assert command_line_of(varied(inline, "limit_concurrency", 5, tmp_path).target)[3:5] == ("--limit-concurrency", "5")


def test_uvicorn_s_env_file_sets_workers_where_nothing_else_does(tmp_path):
    (tmp_path / ".env").write_text("WEB_CONCURRENCY=6\nUVICORN_BACKLOG=7\n")
    experiment = own("uvicorn app:app --env-file .env", tmp_path)

    assert value(experiment, "workers") == (6, "file .env")
    assert value(experiment, "workers", WEB_CONCURRENCY="3") == (3, "environment WEB_CONCURRENCY")
    assert value(experiment, "backlog") == (2048, "default"), "uvicorn has read its options by then"


def test_a_file_of_hypercorn_and_h2corn_loses_to_the_command_line(tmp_path):
    (tmp_path / "h.toml").write_text("workers = 3\nbacklog = 20\n")
    (tmp_path / "h.py").write_text("workers = 4\n")

    for server in ("hypercorn", "h2corn"):
        assert value(own(f"{server} -c h.toml app:app", tmp_path), "workers") == (3, "file h.toml")
        assert value(own(f"{server} -c h.toml -w 2 app:app", tmp_path), "workers") == (2, "command line")
    assert value(own("hypercorn -c file:h.py app:app", tmp_path), "workers") == (4, "file h.py")
    named = {"H2CORN_CONFIG": "h.toml", "H2CORN_WORKERS": "5"}
    assert value(own("h2corn app:app", tmp_path), "workers", **named) == (5, "environment H2CORN_WORKERS")
    assert value(own("h2corn app:app", tmp_path), "backlog", **named) == (20, "file h.toml")


def test_uwsgi_s_last_value_wins(tmp_path):
    (tmp_path / "app.ini").write_text(INI)

    assert value(own("uwsgi --ini app.ini", tmp_path), "processes") == (2, "file app.ini")
    assert value(own("uwsgi --ini app.ini", tmp_path), "listen") == (50, "file app.ini")
    assert value(own("uwsgi --ini app.ini -p 6", tmp_path), "processes") == (6, "command line")
    assert value(own("uwsgi -p 6 --ini app.ini", tmp_path), "processes") == (2, "file app.ini")
    assert value(own("uwsgi app.ini -p 6", tmp_path), "processes") == (2, "file app.ini")
    assert value(own("uwsgi --threads 2", tmp_path), "threads", UWSGI_THREADS="3") == (2, "command line")
    assert value(own("uwsgi -M", tmp_path), "threads", UWSGI_THREADS="3") == (3, "environment UWSGI_THREADS")
    assert value(own("uwsgi -M", tmp_path), "threads", UWSGI_INI="app.ini") == (4, "file app.ini")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "uwsgi:\n  threads: 4\n"),
        ("a.yml", "uwsgi:\n  threads: '4'  # four\n"),
        ("a.json", '{"uwsgi": {"threads": 4}}'),
        ("a.xml", "<uwsgi>\n <threads>4</threads>\n</uwsgi>"),
        ("a.ini", "[uwsgi]\nthreads = 4"),
    ],
)
def test_uwsgi_s_kinds_of_files(tmp_path, name, text):
    (tmp_path / name).write_text(text)

    assert value(own(f"uwsgi {name}", tmp_path), "threads") == (4, f"file {name}")
    assert value(own(f"uwsgi --include {name}", tmp_path), "threads") == (4, f"file {name}")


def test_what_uwsgi_computes_is_not_known(tmp_path):
    (tmp_path / "a.ini").write_text("[uwsgi]\nprocesses = %k\nif-env = LARGE\nthreads = 4\nendif =\nlisten = 7\n")
    experiment = own("uwsgi a.ini", tmp_path)

    assert value(experiment, "processes") == (None, "file a.ini")
    assert value(experiment, "threads") == (None, "file a.ini")
    assert value(experiment, "listen") == (7, "file a.ini")


@pytest.mark.parametrize("command", ["uwsgi app.ini -p 6", "uwsgi -p 6 --ini app.ini", "sh -c 'exec uwsgi app.ini'"])
def test_uwsgi_s_file_is_overruled_and_not_changed(tmp_path, command):
    (tmp_path / "app.ini").write_text(INI)

    changed = varied(own(command, tmp_path), "processes", 9, tmp_path)
    changed = varied(changed, "listen", 7, tmp_path)

    assert value(changed, "processes") == (9, "command line")
    assert value(changed, "threads") == (4, "file app.ini")
    assert (tmp_path / "app.ini").read_text() == INI
    assert [each.name for each in tmp_path.iterdir()] == ["app.ini"]


def test_what_uwsgi_inherits_wins_over_everything_and_is_fixed(tmp_path):
    (tmp_path / "app.ini").write_text("[uwsgi]\ninherit = base.ini\nthreads = 2\n")
    (tmp_path / "base.ini").write_text("[uwsgi]\nthreads = 8\n")
    experiment = own("uwsgi app.ini --threads 3", tmp_path)

    assert value(experiment, "threads") == (8, "inherited file base.ini")
    with pytest.raises(UsageError, match="inherited"):
        with_settings(experiment, {"threads": 4}, tmp_path, {})


@pytest.mark.parametrize(
    ("command", "setting"),
    [
        ("gunicorn -c gone.py app:app", "threads"),
        ("hypercorn -c gone.toml app:app", "workers"),
        ("hypercorn -c gone.toml app:app", "h2_max_concurrent_streams"),
        ("h2corn -c gone.toml app:app", "limit_concurrency"),
        ("uwsgi --ini gone.ini", "threads"),
    ],
)
def test_what_a_file_says_that_cannot_be_read_is_not_known(tmp_path, command, setting):
    name = shlex.split(command)[2]
    assert value(own(command, tmp_path), setting) == (None, f"file {name} (which cannot be read)")


@pytest.mark.parametrize(
    ("command", "setting"),
    [
        ("gunicorn --thread 4 app:app", "threads"),
        ("gunicorn --back=4 app:app", "backlog"),
        ("waitress-serve --thr=4 app:app", "threads"),
        ("sh -c 'exec uwsgi --proc 4'", "processes"),
        ("uwsgi --cheap --proc 4 --cheaper 2", "processes"),
    ],
)
def test_an_abbreviated_option_is_read_and_varied(tmp_path, command, setting):
    """argparse (allow_abbrev), getopt.long_has_args() and getopt_long(3) take an unambiguous beginning."""
    experiment = own(command, tmp_path)

    assert value(experiment, setting) == (4, "command line")
    assert value(varied(experiment, setting, 6, tmp_path), setting) == (6, "command line")


def test_an_abbreviation_is_no_option_of_click(tmp_path):
    assert value(own("uvicorn --worker 4 app:app", tmp_path), "workers") == (1, "default")


def test_fastapi_run_has_uvicorn_s_workers_and_no_other_option(tmp_path):
    """fastapi_cli/cli.py, _run(): it calls uvicorn.run() with workers, which reads WEB_CONCURRENCY without them."""
    experiment = own("fastapi run app.py --workers 4", tmp_path)

    assert value(experiment, "workers") == (4, "command line")
    assert value(own("fastapi run app.py", tmp_path), "workers", WEB_CONCURRENCY="3")[0] == 3
    assert value(own("fastapi run app.py", tmp_path), "workers", UVICORN_WORKERS="3")[0] == 1
    assert found(experiment, "backlog").fixed
    assert timeouts_of(experiment, {}) == ()
    changed = varied(own("python -m fastapi run app.py", tmp_path), "workers", 2, tmp_path)
    assert command_line_of(changed.target) == ("python", "-m", "fastapi", "run", "--workers", "2", "app.py")


def test_uwsgi_s_files_that_name_each_other_end(tmp_path):
    (tmp_path / "a.ini").write_text("[uwsgi]\nini = b.ini\nthreads = 2\n")
    (tmp_path / "b.ini").write_text("[uwsgi]\nini = a.ini\n")

    assert value(own("uwsgi a.ini", tmp_path), "threads") == (2, "file a.ini")


def test_a_setting_that_only_a_file_sets_is_varied_in_a_copy(tmp_path):
    (tmp_path / "h.toml").write_text("h2_max_concurrent_streams = 50\n[logconfig_dict]\nversion = 1\n")
    (tmp_path / "h.py").write_text("h2_max_concurrent_streams = 60")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    name = "h2_max_concurrent_streams"

    for command, before in (
        ("hypercorn -c h.toml app:app", (50, "file h.toml")),
        ("hypercorn -c file:h.py app:app", (60, "file h.py")),
        ("hypercorn app:app", (100, "default")),
        ("sh -c 'hypercorn -c h.toml app:app'", (50, "file h.toml")),
    ):
        assert value(own(command, tmp_path), name) == before
        changed = varied(own(command, tmp_path), name, 7, scratch)
        assert found(changed, name).origin.startswith(f"file {scratch.resolve()}")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["h.py", "h.toml", "scratch"]
    assert (tmp_path / "h.py").read_text() == "h2_max_concurrent_streams = 60"


def test_a_variable_is_set_where_it_alone_sets_it(tmp_path):
    experiment = own("daphne app:app", tmp_path)

    changed = with_settings(experiment, {"ASGI_THREADS": 3}, tmp_path, {})

    assert changed.environment == (("ASGI_THREADS", "3"),)
    assert value(changed, "ASGI_THREADS") == (3, "environment ASGI_THREADS")
    with pytest.raises(UsageError, match="sets ASGI_THREADS itself"):
        with_settings(own("env ASGI_THREADS=2 daphne app:app", tmp_path), {"ASGI_THREADS": 3}, tmp_path, {})


def test_a_backlog_within_an_endpoint_is_varied_there(tmp_path):
    changed = varied(own("daphne -e tcp:8000:backlog=9:interface=0.0.0.0 app:app", tmp_path), "backlog", 7, tmp_path)
    assert command_line_of(changed.target) == ("daphne", "-e", "tcp:8000:interface=0.0.0.0:backlog=7", "app:app")
    assert varied(Experiment(ProbeTarget("twisted"), cwd=str(tmp_path)), "backlog", 7, tmp_path)
    with pytest.raises(UsageError, match="endpoint"):
        with_settings(own("daphne -p 80 app:app", tmp_path), {"backlog": 7}, tmp_path, {})


def test_threads_are_switched_with_the_words_of_each_command(tmp_path):
    changed = varied(own("flask --app shop run", tmp_path), "threaded", 0, tmp_path)
    assert command_line_of(changed.target)[-1] == "--without-threads"
    back = varied(changed, "threaded", 1, tmp_path)
    assert command_line_of(back.target)[3:] == ("run", "--with-threads")
    serial = varied(own("python manage.py runserver", tmp_path), "threading", 0, tmp_path)
    assert command_line_of(serial.target)[-1] == "--nothreading"
    assert command_line_of(varied(serial, "threading", 1, tmp_path).target) == ("python", "manage.py", "runserver")


def test_a_constant_cannot_be_varied_and_what_is_unknown_is_said(tmp_path):
    with pytest.raises(UsageError, match="constant"):
        with_settings(own("flask run", tmp_path), {"LISTEN_QUEUE": 7}, tmp_path, {})
    with pytest.raises(UsageError, match="no setting threads"):
        with_settings(own("flask run", tmp_path), {"threads": 7}, tmp_path, {})
    with pytest.raises(UsageError, match="no setting workers"):
        with_settings(own("./start.sh", tmp_path), {"workers": 7}, tmp_path, {})
    assert settings_of(own("python app.py", tmp_path), {}) == ()


def test_streams_count_where_http2_is_spoken(tmp_path):
    experiment = Experiment(ProbeTarget("h2corn"), cwd=str(tmp_path))
    streams = found(experiment, "max_concurrent_streams")
    assert not streams.setting.counts
    spoken = Experiment(ProbeTarget("h2corn"), cwd=str(tmp_path), http2=True)
    assert found(spoken, "max_concurrent_streams").setting.counts


COMMANDS = (
    "gunicorn app:app",
    "gunicorn -w 4 --threads=8 -k gthread app:app",
    "python -m uvicorn app:app --limit-concurrency 9",
    "hypercorn -c h.toml app:app",
    "granian --interface wsgi app:app",
    "waitress-serve --threads=5 app:app",
    "cheroot app:app",
    "uwsgi app.ini",
    "uwsgi --http :80 -p4 --gevent 9",
    "sh -c 'exec h2corn app:app >log'",
    "mod_wsgi-express start-server app.wsgi",
    "pyvoy --interface wsgi app:app",
    "sanic app:app",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_setting_that_can_be_varied_has_its_new_value(tmp_path, command):
    (tmp_path / "app.ini").write_text(INI)
    (tmp_path / "h.toml").write_text("workers = 3\n")
    experiment = own(command, tmp_path)

    for each in settings_of(experiment, {}):
        if not each.fixed:
            changed = varied(experiment, each.setting.name, 777, tmp_path)
            assert changed != experiment
