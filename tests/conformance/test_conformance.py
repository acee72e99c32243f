"""Every row of the table is run on a real server, and its verdict is what the sources say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import truth_table
from at_rest import resting
from expectation import CLAIMED, Case, Resting, claimed_fields, differences, missing, quotes_of, still_says
from table import ROWS, kind_of, named

from holdfast import store
from holdfast.infer.judge import judge
from holdfast.interrupts import Interrupts
from holdfast.probing.experiment import run

NO_SERVER = Resting(0, 0)
DOCUMENT = Path(__file__).with_name("document.py")

# One row of each kind is run by every `make test`; the whole table by `make conformance`. A kind is a process model and
# the place where the overflow ends (table.kind_of): there the ramp, the places, the release and the inference each
# take another way. A row of the same kind on another server asks the same of holdfast. That every server is started,
# probed and ended without a trace is seen in each run too (servers/test_every_server.py).
EVERY_TIME = frozenset(
    {
        "cheroot: --threads 1",
        "cheroot: --threads 3 --accepted-queue-size 5 --accepted-queue-timeout 0",
        "eventlet: --max-size 20",
        "flask: 10 processes",
        "flask: async views under 50 tasks",
        "flask: serial",
        "flask: threads under 20 tasks",
        "flask: threads under 256 descriptors",
        "gevent: as it comes",
        "ground-truth: --threads 5 --beyond close",
        "ground-truth: --threads 5 --beyond reset",
        "ground-truth: --unix unix:0 --threads 1 --backlog 7",
        "gunicorn: --bind unix:0 --workers 2 --backlog 7",
        "gunicorn: --threads 4 --worker-connections 10 --backlog 10",
        "gunicorn: --workers 4 --backlog 20",
        "h2corn: --backlog 20, blocking",
        "hypercorn: as it comes",
        "tornado: sync",
        "uvicorn: --interface wsgi, Flask async",
        "uvicorn: --limit-concurrency 11",
        "uvicorn: --limit-concurrency 50, FastAPI def",
        "uvicorn: Django def",
        "uvicorn: Starlette",
        "uwsgi: --http --processes 4",
        "uwsgi: --http --threads 10",
        "uwsgi: --http :0 --gevent-early-monkey-patch --gevent 10",
        "waitress: --threads 30",
        "waitress: --unix-socket=unix:0 --threads 3 --connection-limit 20 --backlog 7",
    }
)


def marks(case: Case) -> tuple[pytest.MarkDecorator, ...]:
    return () if named(case) in EVERY_TIME else (pytest.mark.conformance,)


def verdict_differs(case: Case) -> list[str]:
    adapter = truth_table.ADAPTER if case.server == truth_table.NAME else None
    timeline = run(case.experiment(), Interrupts(), adapter)
    if os.environ.get("HOLDFAST_RUNS"):
        store.save(timeline, store.default_path())
    return differences(case, judge(timeline), resting(case.resting) if case.resting else NO_SERVER)


@pytest.mark.parametrize("case", [pytest.param(case, marks=marks(case), id=named(case)) for case in ROWS])
def test_the_verdict_on_a_real_server_is_what_the_sources_say(case: Case) -> None:
    if case.options.get("nproc") is not None and os.geteuid() != 0:
        pytest.skip("RLIMIT_NPROC counts every task of this user; only root can give the server a user of its own")
    if case.not_here:
        pytest.skip(case.not_here)
    if needed := missing(case):
        pytest.skip(f"not installed: {needed} ({sys.executable} -m pip install {needed})")

    found = verdict_differs(case)

    assert not found, "\n".join(found)


@pytest.mark.parametrize("case", ROWS, ids=named)
def test_a_row_claims_each_field_once(case: Case) -> None:
    claimed = claimed_fields(case)

    assert set(CLAIMED) <= set(claimed)
    assert len(claimed) == len(set(claimed))


def test_every_run_has_one_row_of_each_kind() -> None:
    every_time = [kind_of(case) for case in ROWS if named(case) in EVERY_TIME]

    assert {named(case) for case in ROWS} >= EVERY_TIME
    assert set(every_time) == {kind_of(case) for case in ROWS}
    assert len(every_time) == len(set(every_time))


def test_the_document_says_what_the_rows_say() -> None:
    written = subprocess.run([sys.executable, str(DOCUMENT), "--check"], check=False)

    assert written.returncode == 0, "docs/conformance.md is out of date: make conformance-table"


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
