"""Walks all clients of journeys through a world that is arithmetic only: a clock that jumps, and answers by rule."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any, NamedTuple

from holdfast.journeys.client import Surroundings
from holdfast.journeys.steps import EndLoad, Sending, Step, Told, Waiting
from holdfast.journeys.walk import Shared, walk
from holdfast.model.answers import Answer
from holdfast.model.journey import Crew, Journeys, Node, Sequence, Stay
from holdfast.model.journey_request import Request

NS_PER_MS = 1_000_000
MOST_STEPS = 100_000
Answers = Callable[[Sending], int]


class Done(NamedTuple):
    """What came of a load.

    Attributes:
        sent: (ms, number of the client, request) in order.
        steps: what else was said.
    """

    sent: list[tuple[float, int, Sending]]
    steps: list[Step]

    @property
    def paths(self) -> list[str]:
        return [sending.path for _, _, sending in self.sent]


def request(path: str, **more: Any) -> Request:
    return Request((path,), ("http://127.0.0.1:8000",), (path,), **more)


def crew(*nodes: Node, passes: int | None = 1, clients: int = 1, until_ms: int | None = None, **more: Any) -> Crew:
    until_ns = None if until_ms is None else until_ms * NS_PER_MS
    return Crew("crew", Sequence(nodes), (Stay(0, until_ns, passes),) * clients, **more)


def fine(_sending: Sending) -> int:
    return 200


def walked(
    *crews: Crew, answers: Answers = fine, took_ms: float = 1.0, seed: int = 0, journeys: Journeys | None = None
) -> Done:
    """Walks every client of these crews from its stay's begin to its end.

    Args:
        answers: the status of the answer to a request.
        took_ms: how long each request takes.
        journeys: of which the crews are all; None makes some of them alone.
    """
    journeys = journeys or Journeys(crews)
    shared = Shared(journeys, seed, Surroundings(files=dict(journeys.files)))
    done = Done([], [])
    waiting: list[tuple[int, int, Any, Stay, int, Told | None]] = []
    turns = 0
    for each in crews:
        for number, stay in enumerate(each.stays, 1):
            heapq.heappush(waiting, (stay.from_ns, turns, walk(each, number, shared), stay, number, None))
            turns += 1
    ended = False
    while waiting:
        now_ns, _, one, stay, number, told = heapq.heappop(waiting)
        over = ended or (stay.until_ns is not None and now_ns >= stay.until_ns)
        try:
            step = next(one) if told is None else one.send(told._replace(now_ns=now_ns, ending=over))
        except StopIteration:
            continue
        turns += 1
        assert turns < MOST_STEPS, "the walk does not end"
        answer = None
        if isinstance(step, Sending):
            done.sent.append((now_ns / NS_PER_MS, number, step))
            status = answers(step)
            answer = Answer("", status < 400, status, "OK", f"HTTP/1.1 {status} OK\r\n\r\n", b"")
            now_ns += round(took_ms * NS_PER_MS)
        elif isinstance(step, Waiting):
            last_ns = step.until_ns if stay.until_ns is None else min(step.until_ns, stay.until_ns)
            now_ns = max(now_ns, last_ns)
        else:
            done.steps.append(step)
            ended = ended or isinstance(step, EndLoad)
        heapq.heappush(waiting, (now_ns, turns, one, stay, number, Told(now_ns, answer)))
    return done
