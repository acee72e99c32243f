"""Every row of the table is run on a real server, and its verdict is what the sources say."""

from __future__ import annotations

import os
import sys

import apache_table
import asgi_table
import fastpysgi_table
import flask_table
import frameworks_table
import granian_table
import granian_wsgi_table
import green_table
import gunicorn_table
import h2corn_table
import native_table
import plain_table
import pytest
import thread_pool_table
import truth_table
import unix_table
import uwsgi_table
from at_rest import resting
from expectation import CLAIMED, Case, Resting, claimed_fields, differences, missing, quotes_of, still_says

from holdfast import store
from holdfast.infer.judge import judge
from holdfast.interrupts import Interrupts
from holdfast.probe.experiment import run
from holdfast.servers.registry import ADAPTERS

ROWS = (
    *flask_table.ROWS,
    *uwsgi_table.ROWS,
    *truth_table.ROWS,
    *asgi_table.ROWS,
    *frameworks_table.ROWS,
    *granian_table.ROWS,
    *native_table.ROWS,
    *unix_table.ROWS,
    *gunicorn_table.ROWS,
    *thread_pool_table.ROWS,
    *granian_wsgi_table.ROWS,
    *green_table.ROWS,
    *plain_table.ROWS,
    *apache_table.ROWS,
    *h2corn_table.ROWS,
    *fastpysgi_table.ROWS,
)
NO_SERVER = Resting(0, 0)

# One row of each kind is run by every `make test`; the whole table by `make conformance`.
EVERY_TIME = frozenset(
    {
        "flask: threads under 256 descriptors",
        "flask: 10 processes",
        "flask: serial",
        "uwsgi: --http --threads 10",
        "uwsgi: --http --threads 3, 3000 offered",
        "uwsgi: --http-socket :0 --threads 8",
        "uwsgi: --threads 2, async view",
        "uvicorn: Starlette",
        "uvicorn: --limit-concurrency 11",
        "uvicorn: FastAPI def",
        "uvicorn: Django def",
        "uvicorn: Quart def",
        "hypercorn: Starlette, blocking",
        "daphne: Starlette, blocking",
        "gunicorn: -k asgi, blocking",
        "granian: --backpressure 10",
        "tornado: sync",
        "aiohttp: blocking",
        "sanic: blocking, --single-process",
        "gunicorn: --workers 4 --backlog 20",
        "gunicorn: --threads 4 --worker-connections 10 --backlog 10",
        "gunicorn: -k gevent --worker-connections 50 --backlog 20",
        "waitress: --threads 2 --connection-limit 10 --backlog 7",
        "cheroot: --threads 3 --accepted-queue-size 5 --accepted-queue-timeout 0",
        "twisted: as it comes",
        "hypercorn: as it comes",
        "granian: --backlog 128 --blocking-threads 4 --backpressure 10",
        "gevent: --pool 10",
        "eventlet: --max-size 20",
        "uwsgi: --http-socket :0 --gevent-early-monkey-patch --gevent 20",
        "wsgiref: as it comes",
        "django: --nothreading",
        "bjoern: --listen-backlog 20",
        "ground-truth: --threads 3 --backlog 5",
        "ground-truth: --threads 5 --beyond 503",
        "ground-truth: --threads 4 --queue 10 --backlog 7",
        "ground-truth: --unix unix:0 --threads 4 --queue 10 --backlog 7",
        "gunicorn: --bind unix:0 --threads 3 --worker-connections 10 --backlog 7",
    }
)


def named(case: Case) -> str:
    return f"{case.server}: {case.id}"


def marks(case: Case) -> tuple[pytest.MarkDecorator, ...]:
    return () if named(case) in EVERY_TIME else (pytest.mark.conformance,)


def verdict_differs(case: Case) -> list[str]:
    timeline = run(case.experiment(), Interrupts())
    if os.environ.get("HOLDFAST_RUNS"):
        store.save(timeline, store.default_path())
    return differences(case, judge(timeline), resting(case.resting) if case.resting else NO_SERVER)


@pytest.mark.parametrize("case", [pytest.param(case, marks=marks(case), id=named(case)) for case in ROWS])
def test_the_verdict_on_a_real_server_is_what_the_sources_say(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    if case.options.get("nproc") is not None and os.geteuid() != 0:
        pytest.skip("RLIMIT_NPROC counts every task of this user; only root can give the server a user of its own")
    if needed := missing(case):
        pytest.skip(f"not installed: {needed} ({sys.executable} -m pip install {needed})")
    monkeypatch.setitem(ADAPTERS, truth_table.NAME, truth_table.ADAPTER)

    found = verdict_differs(case)

    assert not found, "\n".join(found)


@pytest.mark.parametrize("case", ROWS, ids=named)
def test_a_row_claims_each_field_once(case: Case) -> None:
    claimed = claimed_fields(case)

    assert set(CLAIMED) <= set(claimed)
    assert len(claimed) == len(set(claimed))


def test_the_rows_of_every_run_are_in_the_table() -> None:
    assert {named(case) for case in ROWS} >= EVERY_TIME


def test_no_two_rows_have_the_same_name() -> None:
    assert len({named(case) for case in ROWS}) == len(ROWS)


def test_the_installed_sources_still_say_what_the_rows_quote() -> None:
    quotes = {quote for case in ROWS for quote in quotes_of(case)}

    assert quotes
    assert [quote for quote in quotes if still_says(quote) is False] == []
    # What a server is run with is there to be read, too.
    assert {
        quote.module for case in ROWS if not missing(case) for quote in quotes_of(case) if still_says(quote) is None
    } == set()
