"""A path of which a framework has no view tells nothing of one: where views run elsewhere, no ceiling is claimed.

FastAPI runs `def` views on 40 threads (AnyIO's total_tokens), and answers 404 on its loop. Flask's 404 is given on the
thread that a view would have had.
"""

from __future__ import annotations

import pytest
from own_commands import INCONCLUSIVE, Own, run_all

FASTAPI = """
from fastapi import FastAPI

app = FastAPI()


@app.get("/items")
def items():
    return "items"
"""
FLASK = FASTAPI.replace("fastapi", "flask").replace("FastAPI()", "Flask(__name__)").replace("FastAPI", "Flask")
MISTYPED = ("--path", "/itmes")
COMMANDS = (
    Own(
        "fastapi", ("uvicorn", "--port", "{port}", "app:app"), {"app.py": FASTAPI}, options=MISTYPED, exit=INCONCLUSIVE
    ),
    Own(
        "flask",
        ("gunicorn", "--threads", "3", "--bind", "127.0.0.1:{port}", "app:app"),
        {"app.py": FLASK},
        options=MISTYPED,
    ),
)


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, COMMANDS)


def test_no_ceiling_is_claimed_of_a_path_without_a_view_where_views_run_elsewhere(done):
    ended, verdict = done["fastapi"].ended, done["fastapi"].verdict()

    assert ended.exit == INCONCLUSIVE, ended.err
    assert verdict["target"]["held_in"] == "fastapi entry (no view at /itmes)"
    assert verdict["ceiling"]["in_service"] is None
    assert "the framework may run a view on other threads" in verdict["unknown"]["ceiling.in_service"]
    assert any("Name the path of a view with --path." in each for each in verdict["warnings"])


def test_where_views_run_on_the_thread_that_was_called_the_places_are_theirs(done):
    verdict = done["flask"].verdict()

    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (3, True)
    assert any("There is no view at this path" in each for each in verdict["warnings"])
