"""What runs before the view takes time of its own, which is neither a ceiling nor a place."""

from __future__ import annotations

import msgspec
import pytest
from own_commands import ANSWERED, INCONCLUSIVE
from slow_ways import BEFORE_REQUEST, DEPENDENCY, FEW, MIDDLEWARE, ONLY_THE_FIRST


def probe(holdfast, directory, application, *options, server):
    (directory / "slow.py").write_text(application)
    arguments = ("probe", "slow:app", "--server", server, "--json", "-", *options)
    return holdfast.run(*arguments, cwd=directory)


@pytest.mark.parametrize("way_s", [1.1, 2.0])
def test_a_pool_behind_a_slow_way_is_counted_whole(holdfast, tmp_path, way_s):
    options = ("--max-offered", "10", "--", "--threads", "3")

    ended = probe(holdfast, tmp_path, BEFORE_REQUEST.format(way_s=way_s), *options, server="gunicorn")

    verdict = msgspec.json.decode(ended.out)
    assert ended.exit == ANSWERED
    # gunicorn's own --threads.
    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (3, True)
    # A thread of Python cannot be ended, whatever its client does.
    assert verdict["abandoned"]["in_service"] == {"fin": "finishes", "rst": "finishes"}


def test_threads_that_a_slow_dependency_needs_too_are_counted_whole(holdfast, tmp_path):
    ended = probe(holdfast, tmp_path, DEPENDENCY.format(way_s=1.1), "--max-offered", "20", server="uvicorn")

    verdict = msgspec.json.decode(ended.out)
    # The application's own limit on threads, for all `def` functions together.
    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (6, True)


def test_a_slow_middleware_is_not_a_ceiling(holdfast, tmp_path):
    ended = probe(holdfast, tmp_path, MIDDLEWARE.format(way_s=1.1), "--max-offered", "40", server="uvicorn")

    verdict = msgspec.json.decode(ended.out)
    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (40, False)


def test_exact_load_is_offered_where_only_the_first_request_was_slow(holdfast, tmp_path):
    options = ("--max-offered", "10", "--", "--preload", "-w", "3")

    ended = probe(holdfast, tmp_path, ONLY_THE_FIRST, *options, server="gunicorn")

    # A worker of gunicorn's kind "sync" accepts a connection once it has done with the last one.
    assert msgspec.json.decode(ended.out)["ceiling"]["at_exact_load"] == [3, 3]


def test_where_no_request_reaches_the_view_no_ceiling_is_claimed(holdfast, tmp_path):
    ended = probe(holdfast, tmp_path, FEW, "--max-offered", "20", server="flask")

    assert ended.exit == INCONCLUSIVE
    assert "None of the" in ended.err
    assert "rate limiter" in ended.err
