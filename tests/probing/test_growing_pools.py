"""Servers that add threads or processes while requests wait: the number at the first plateau is not their ceiling."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest
from own_commands import ANSWERED, Own, run_all, start
from support.waiting import until

HERE = Path(__file__).parent
ENDLESS = "60000"
# What the ramp spends on growth that does not end, and the rest of the run several times over.
BOUNDED_S = 150


def growing(kind: str, *settings: str, offered: str = "60", watch: str = "0") -> Own:
    """FIRST, MOST and EVERY_S of one of the two servers."""
    server = f"growing_{kind}.py"
    return Own(
        " ".join((kind, *settings, *([watch] if watch != "0" else ()))),
        (sys.executable, server, "{port}", *settings),
        {server: (HERE / server).read_text()},
        options=("--max-offered", offered, "--watch", watch),
    )


@pytest.mark.parametrize(
    "own",
    [
        growing("threads", "2", "4", "0.5"),
        pytest.param(growing("threads", "2", "5", "2"), marks=pytest.mark.servers),
        pytest.param(growing("processes", "2", "4", "0.5"), marks=pytest.mark.servers),
        pytest.param(growing("processes", "2", "4", "2"), marks=pytest.mark.servers),
    ],
    ids=lambda own: own.id,
)
def test_a_pool_that_grows_is_counted_when_it_has_its_size(workshop, own):
    done = run_all(workshop, [own])[own.id]

    verdict = done.verdict()
    kind, _, most, _ = own.id.split()
    assert done.ended.exit == ANSWERED
    # The server's own MOST.
    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (int(most), True)
    assert verdict["model"]["spread"] == ([int(most)] if kind == "threads" else [1] * int(most))


@pytest.mark.servers
def test_growth_that_is_slower_than_the_watch_is_seen_by_one_that_is_asked_to_watch_longer(workshop):
    slow = growing("processes", "2", "3", "5")
    watched = growing("processes", "2", "3", "5", watch="8")

    done = run_all(workshop, (slow, watched))
    first, second = done[slow.id].verdict(), done[watched.id].verdict()

    assert first["ceiling"]["in_service"] == 2
    # What is not known at the time of the first one is said: for how long it looked.
    assert first["timing"]["watched_s"] < 5
    assert (second["ceiling"]["in_service"], second["ceiling"]["bounded"]) == (3, True)
    assert second["timing"]["watched_s"] >= 8


@pytest.mark.servers
@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_a_pool_that_never_stops_growing_is_left_with_at_least_what_it_had(workshop, kind):
    running, _ = start(workshop, growing(kind, "2", ENDLESS, "0.2", offered="5000"))

    until(lambda: running.process.poll() is not None, "the end of the probe", within_s=BOUNDED_S)

    ended = running.ended()
    verdict = msgspec.json.decode(ended.out)
    ceiling = verdict["ceiling"]
    assert ended.exit == ANSWERED
    running.nothing_is_left()
    assert ceiling["bounded"] is False
    assert ceiling["interval"] == [ceiling["in_service"], None]
    assert ceiling["in_service"] > 2
    assert "still grows" in verdict["warnings"][0]
    # One more each 0.2 s would look like a place that has become free.
    assert verdict["abandoned"]["in_service"] == {"fin": None, "rst": None}
    assert "growing" in verdict["unknown"]["abandoned.in_service.fin"]
