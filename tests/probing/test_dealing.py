"""Processes that share a listening socket by chance are each dealt requests, however few may be offered."""

from __future__ import annotations

import msgspec
import pytest

APPLICATION = """
from flask import Flask

app = Flask(__name__)

@app.get("/")
def index():
    return "done"
"""


@pytest.mark.parametrize(("workers", "threads", "offered"), [(4, 1, 6), (8, 1, 20), (4, 8, 60)])
def test_each_worker_is_seen_to_run_as_many_as_the_one_that_is_full(holdfast, tmp_path, workers, threads, offered):
    (tmp_path / "app.py").write_text(APPLICATION)
    settings = ("-w", str(workers), "-k", "gthread", "--threads", str(threads))

    ended = holdfast.run(
        *("probe", "app:app", "--server", "gunicorn", "--max-offered", str(offered), "--json", "-", "--", *settings),
        cwd=tmp_path,
    )

    verdict = msgspec.json.decode(ended.out)
    # gunicorn/workers/gthread.py: a pool of that many threads in each worker, which accepts more than it can run.
    assert verdict["model"]["spread"] == [threads] * workers
    assert verdict["ceiling"]["in_service"] == threads * workers
    assert verdict["ceiling"]["bounded"] is True
    assert verdict["ceiling"]["interval"] is None


def test_what_waits_in_the_application_has_been_dealt_too(holdfast, tmp_path):
    shared = """
import multiprocessing

places = multiprocessing.Semaphore(5)
app.before_request(lambda: None if places.acquire() else None)
app.teardown_request(lambda error: places.release())
"""
    (tmp_path / "app.py").write_text(APPLICATION + shared)
    settings = ("-w", "3", "-k", "gthread", "--threads", "3", "--preload")

    ended = holdfast.run(
        *("probe", "app:app", "--server", "gunicorn", "--max-offered", "60", "--json", "-", "--", *settings),
        cwd=tmp_path,
    )

    verdict = msgspec.json.decode(ended.out)
    # Of nine threads, five have one of the places.
    assert verdict["ceiling"]["in_service"] == 5
    assert verdict["ceiling"]["bounded"] is True
    assert verdict["places"]["before_view"] == 4


# gunicorn, docs/source/settings.rst: a worker that is silent for more than `timeout` seconds is killed.
SLOW = APPLICATION.replace("@app.get", "app.before_request(lambda: time.sleep(0.1))\n\n@app.get").replace(
    "from flask", "import time\n\nfrom flask"
)
LATE = """
import time

class Late:
    def __init__(self, listener):
        self.listener = listener

    def __getattr__(self, name):
        return getattr(self.listener, name)

    def accept(self):
        time.sleep(0.02)
        return self.listener.accept()

def post_worker_init(worker):
    if worker.age > 1:
        for each in worker.sockets:
            each.sock = Late(each.sock)
"""


def test_no_worker_is_stopped_until_its_master_takes_it_for_dead(holdfast, tmp_path):
    (tmp_path / "app.py").write_text(SLOW)
    (tmp_path / "late.py").write_text(LATE)
    settings = ("-w", "2", "-k", "gthread", "--threads", "40", "--timeout", "2", "-c", "late.py")

    ended = holdfast.run(
        *("probe", "app:app", "--server", "gunicorn", "--max-offered", "90", "--json", "-", "--", *settings),
        cwd=tmp_path,
    )

    assert ended.exit == 0, ended.err
    verdict = msgspec.json.decode(ended.out)
    # One that was dealt a part of its requests is not shown to be full.
    assert verdict["ceiling"]["interval"] in (None, [verdict["ceiling"]["in_service"], 80])
    assert verdict["ceiling"]["in_service"] >= 40
