"""A server is ready when every one of its workers is, and not before; real servers, real probes."""

from __future__ import annotations

import sys

import pytest

from holdfast.infer.judge import judge
from holdfast.interrupts import Interrupts
from holdfast.model.experiment import experiment_of
from holdfast.probing.experiment import run

TICKING = """
import threading, time

def tick():
    while True:
        until = time.monotonic() + 0.004
        while time.monotonic() < until:
            pass
        time.sleep(0.008)

threading.Thread(target=tick, daemon=True).start()

def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "0")])
    return []
"""


def probed(server, *arguments, workers=2, **options):
    """A small probe, and which processes there were when the server was said to be ready."""
    experiment = experiment_of(
        server=server, arguments=arguments, python=sys.executable, max_offered=8 * workers, **options
    )
    return run(experiment, Interrupts())


@pytest.mark.parametrize(
    ("server", "arguments", "workers"),
    [
        # The application is there before the workers are, which are started with pauses in between.
        ("gunicorn", ("-w", "4", "--preload"), 4),
        *[
            pytest.param(server, arguments, workers, marks=pytest.mark.conformance)
            for server, arguments, workers in [
                ("gunicorn", ("-w", "2", "-k", "asgi"), 2),
                ("uvicorn", ("--workers", "2"), 2),
                ("hypercorn", ("-w", "2"), 2),
                ("granian", ("--workers", "2"), 2),
                ("sanic", ("--workers", "2"), 2),
                ("tornado", ("--processes", "2"), 2),
                ("uwsgi", ("--processes", "3", "--lazy-apps"), 3),
            ]
        ],
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_all_workers_are_there_when_a_server_is_said_to_be_ready(server, arguments, workers):
    timeline = probed(server, *arguments, workers=workers)

    handlers = {entry.pid for entry in timeline.entries}
    assert handlers <= set(timeline.server.pids), timeline.server_log
    assert len(timeline.server.pids) > workers - (server == "flask")


def test_a_server_whose_application_never_quite_rests_becomes_ready_and_is_probed(tmp_path):
    (tmp_path / "ticking.py").write_text(TICKING)

    verdict = judge(probed("waitress", workers=4, app="ticking:app", cwd=str(tmp_path)))

    assert verdict.ceiling.in_service == 4
    assert verdict.timing.server_start_s is not None
    assert verdict.timing.server_start_s < 10
