"""Clients that remember answers, as a server and the journey see them."""

from __future__ import annotations

from pathlib import Path

import pytest
from plans.writing import element, group, http, plan, text
from support.commandline import holdfast_in
from travelling import Reply, answering, carried_out, crew, experiment_of, labels_of, sending

from holdfast.journeys.steps import NewVisitor, Walk
from holdfast.loadtest.run import FinishedLoad
from holdfast.model.journey import Crew
from holdfast.model.journey_request import Cache, Resources

FRESH = Cache(1, keeps_fresh=True)


def told_to_keep(_method: str, path: str, fields: dict[str, str], _body: bytes) -> Reply:
    """`/page` embeds two pictures, `/go` leads to one, and all answers have a tag; those of /a... are fresh."""
    if fields.get("if-none-match") == '"t"':
        return 304, {"ETag": '"t"'}, b""
    if path == "/page":
        return 200, {"Content-Type": "text/html"}, b'<img src="/a/1.gif"><img src="/b/2.gif">'
    if path == "/go":
        return 302, {"Location": "/a/1.gif"}, b""
    kept = "max-age=60" if path.startswith("/a") else "no-cache"
    return 200, {"ETag": '"t"', "Cache-Control": kept}, b"there"


def faults(finished: FinishedLoad) -> list[str]:
    """What went wrong in a walk: an assertion there is one of these."""
    return [each for each in finished.result.warnings if "journey ended with an error" in each]


def test_what_is_fresh_is_not_sent_and_what_has_a_tag_is_asked_for_again() -> None:
    told: list[bool] = []

    def walk(_crew: Crew, _number: int) -> Walk:
        for path in ("/a", "/b", "/a", "/b"):
            answer = (yield sending(path, origin, path, cache=FRESH, made={})).answer
            assert answer is not None
            # The walk is in the load's process, whose fault would be told in the result.
            assert answer.is_cached is (path == "/a" and len(told) == 2)
            told.append(answer.answered)

    with answering(told_to_keep) as (origin, seen):
        finished = carried_out(experiment_of(crew()), walk)

    asked = [(path, fields.get("if-none-match")) for _, path, fields, _ in seen.requests]
    assert asked == [("/a", None), ("/b", None), ("/b", '"t"')]
    assert labels_of(finished) == ["/a", "/b", "/b"]
    assert not faults(finished)
    assert finished.result.statuses == {"200": 2, "304": 1}


def test_each_client_has_a_cache_of_its_own_and_forgets_what_it_is_told_to() -> None:
    def walk(_crew: Crew, _number: int) -> Walk:
        yield sending("a", origin, "/a", cache=FRESH)
        yield sending("a", origin, "/a", cache=FRESH)
        yield NewVisitor(cookies=False, connections=False, caches=(1,))
        yield sending("a", origin, "/a", cache=FRESH)

    with answering(told_to_keep) as (origin, seen):
        carried_out(experiment_of(crew(2)), walk)

    assert seen.paths == ["/a"] * 4


def test_embedded_resources_and_redirects_use_the_cache() -> None:
    def walk(_crew: Crew, _number: int) -> Walk:
        for _ in range(2):
            yield sending("page", origin, "/page", cache=FRESH, resources=Resources())
        told = yield sending("go", origin, "/go", cache=FRESH, follow=5)
        assert told.answer is not None
        # What the redirect leads to is there already, so the redirect is all that came.
        assert (told.answer.status, told.answer.answered) == (302, True)

    with answering(told_to_keep) as (origin, seen):
        finished = carried_out(experiment_of(crew()), walk)

    assert seen.paths == ["/page", "/a/1.gif", "/b/2.gif", "/page", "/b/2.gif", "/go"]
    assert finished.result.offered == 6
    assert finished.result.redirects == 0
    assert not faults(finished)


@pytest.mark.parametrize(("clears", "expected"), [("true", ["/a", "/b"] * 3), ("false", ["/a", "/b", "/b", "/b"])])
def test_a_plan_with_a_cache_manager(tmp_path: Path, clears: str, expected: list[str]) -> None:
    manager = element("CacheManager", "Cache", text("useExpires", "true"), text("clearEachIteration", clears))

    with answering(told_to_keep) as (origin, seen), holdfast_in(tmp_path) as holdfast:
        port = origin.rpartition(":")[2]
        below = manager + http("/a", port=port) + http("/b", port=port)
        (tmp_path / "plan.jmx").write_bytes(plan(group(below, loops="3")))
        ended = holdfast.run("load", "--jmx", "plan.jmx", "--quiet")

    assert ended.exit == 0, ended.err
    assert seen.paths == expected
