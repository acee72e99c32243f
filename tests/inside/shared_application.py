"""A server that several tests share, and two requests that it holds beside ordinary ones."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from inside_server import Reply, Server, reply

ANN = ("X-User: ann",)


@dataclass(frozen=True, slots=True)
class Held:
    """Two requests that were held while an ordinary one went through.

    Attributes:
        ids: of the two.
        answers: what they got.
        ordinary, meanwhile: what an ordinary request got before, and while the two were held.
        ran_before: how often what of the application ran for the first ordinary one and the report of that.
        ran: the same for the two, for the other ordinary one, and for the report.
    """

    ids: list[int]
    answers: list[Reply]
    ordinary: Reply
    meanwhile: Reply
    ran_before: Counter[str]
    ran: Counter[str]


@dataclass(slots=True)
class Application:
    """A server that several tests share: each takes ids and a path of its own."""

    server: Server
    free: Iterator[int] = field(default_factory=itertools.count)

    def at(self, path: str, count: int) -> list[int]:
        """Ids of requests that are to be held at this path."""
        self.server.get(f"/hold-at?path={path}")
        return [next(self.free) for _ in range(count)]

    def ran(self) -> Counter[str]:
        """How often what of the application has run."""
        return Counter(json.loads(self.server.get("/ran").body))

    def held_at(self, path: str, ran: Callable[[], Counter[str]] | None = None) -> Held:
        """Holds two requests beside ordinary ones, all of them Ann's.

        Args:
            ran: how often what has run; None is `self.ran`.
        """
        server, ran = self.server, ran or self.ran
        ids = self.at(path, 2)
        start = ran()
        ordinary = server.get(path, ANN)
        before = ran()
        clients = server.hold(*ids, path=path, headers=ANN)
        meanwhile = server.get(path, ANN)
        server.release(*ids)
        answers = [reply(client) for client in clients]
        return Held(ids, answers, ordinary, meanwhile, before - start, ran() - before)
