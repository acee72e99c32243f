"""A load that is killed leaves the rows that had ended, and is listed as cut short."""

from __future__ import annotations

import csv
import io
import json
import os
import signal

import pytest
from support.waiting import until

from holdfast import store

ANSWERED, FAILED, USAGE, INCONCLUSIVE, ENVIRONMENT = range(5)


@pytest.mark.parametrize(
    "shape",
    [
        ("--rate", "100"),
        ("--clients", "3", "--think", "5ms"),
        ("--clients", "2", "--quiet"),
        ("--clients", "2", "--cookies", "--first", "/first"),
    ],
    ids=["open", "sessions", "closed-quiet", "journeys"],
)
def test_rows_of_a_killed_load_are_saved(holdfast, counting, shape):
    running = holdfast.start("load", counting.url, *shape, "--for", "60s")
    until(lambda: any(each.offered for each in store.saved_runs(holdfast.runs)), "the first saved rows")
    os.killpg(running.process.pid, signal.SIGKILL)
    running.process.communicate()

    (listed,) = store.saved_runs(holdfast.runs)
    assert listed.arguments.startswith("cut short, or not over yet: ")
    assert "cut short" in holdfast.run("runs").out

    shown = holdfast.run("show", str(listed.id), "--json", "-")
    result = json.loads(shown.out)
    assert shown.exit == INCONCLUSIVE
    assert any(each.startswith("The load was cut short") for each in result["warnings"])
    assert 0 < listed.offered <= result["outcomes"]["answered"] == result["offered"]
    assert result["offered"] <= counting.seen()["requests"]

    written = holdfast.run("report", str(listed.id), "--csv", "-").out
    rows = list(csv.DictReader(io.StringIO(written)))
    assert len(rows) == result["offered"] == len({row["id"] for row in rows})
    assert {row["outcome"] for row in rows} == {"answered"}
    labels = {row["label"] for row in rows}
    assert labels == ({"GET /", "GET /first"} if "--first" in shape else {"GET /"})


def test_a_load_that_ends_replaces_what_was_saved_while_it_ran(holdfast, counting):
    ended = holdfast.run("load", counting.url, "--rate", "50", "--for", "2500ms", "--json", "-")

    (listed,) = store.saved_runs(holdfast.runs)
    assert "cut short" not in listed.arguments
    assert listed.offered == json.loads(ended.out)["offered"] == 125
    assert json.loads(holdfast.run("show", str(listed.id), "--json", "-").out) == json.loads(ended.out)
