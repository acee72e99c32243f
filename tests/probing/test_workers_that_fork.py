"""A worker that another worker forks has places too, whenever it comes and however late it is for each connection."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

SERVER = Path(__file__).with_name("workers_that_fork.py")


@pytest.mark.servers
@pytest.mark.parametrize(("kind", "after", "offered"), [("slow", 0, 40), ("late", 30, 1000)])
def test_it_is_seen_to_run_as_many_or_said_to_run_perhaps_as_many(holdfast, kind, after, offered):
    verdict = probed(holdfast, kind, after, offered)

    ceiling = verdict["ceiling"]
    # Two ThreadPoolExecutor(2). On a busy machine it may come too late for those that are dealt to it too.
    assert ceiling["in_service"] == 4 if ceiling["bounded"] else ceiling["interval"][1] == 4
    assert verdict["model"]["processes"] == 2


@pytest.mark.servers
def test_one_that_comes_when_all_have_been_offered_makes_it_at_least(holdfast):
    verdict = probed(holdfast, "late", 40, 40)

    assert (verdict["ceiling"]["bounded"], verdict["ceiling"]["interval"]) == (False, [2, 4])
    assert (verdict["model"]["processes"], verdict["model"]["spread"]) == (2, [2, 0])
    assert "One of the 2 processes that accept here had run no handler" in verdict["warnings"][0]


def probed(holdfast, kind: str, after: int, offered: int):
    port = holdfast.free_port()
    command = (sys.executable, str(SERVER), str(port), kind, str(after))

    ended = holdfast.run("exec", "--max-offered", str(offered), "--json", "-", "--", *command, port=port)

    assert ended.exit == 0, ended.err
    return msgspec.json.decode(ended.out)
