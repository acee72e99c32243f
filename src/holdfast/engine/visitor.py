"""A client on its journey, as the engine keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.engine.answer_cache import AnswerCache
    from holdfast.engine.cookies import Cookies
    from holdfast.engine.fetching import Exchange, Fetching, Verdict
    from holdfast.engine.origins import Origin
    from holdfast.journeys.steps import Sending, Walk
    from holdfast.model.answers import Answer
    from holdfast.model.journey import Crew
    from holdfast.model.scenario import Timeouts


class Visitor:
    """One client.

    Attributes:
        crew, place: its crew, and the number of that among the crews.
        number: of the client in its crew, from 1.
        client: its number among all clients, by which connections are kept.
        until_ns: it begins nothing from then on; None sets no end.
        due_ns: when its next request is due.
        cookies: None as long as it has none.
        with_cookies: by the identity of what is kept of a request: its cookies, what was sent with them, and that.
        caches: of answers, by number.
        fetching: what it does for a request of its journey; None in between.
        answer: to a request that could not be sent, which it is not told of yet.
        asked: number of the request of its journey that this is for.
        sending: the request of its journey that this is for.
        exchange, origin, row, request_head: what is in flight.
        timeouts, keeps: of it.
        began_ns: when it began.
        held_up_ns: how long nothing was read for it since, because a function of a person's own ran.
        idle_since_ns: since when its journey has had nothing to do, and has not waited either; 0: it has.
        alarm_ns: when its timeouts are looked at next; None if they are not.
        looked_for: the timeouts that this instant is of.
        last: the outcome of its last request, which its journey may still judge otherwise.
        begun: instants and our own end of the first exchange of a row that several exchanges share.
        received: bytes of the replies before, in such a row.
    """

    __slots__ = (
        "alarm_ns",
        "answer",
        "asked",
        "began_ns",
        "begun",
        "caches",
        "client",
        "cookies",
        "crew",
        "due_ns",
        "exchange",
        "fetching",
        "held_up_ns",
        "idle_since_ns",
        "keeps",
        "last",
        "looked_for",
        "number",
        "origin",
        "place",
        "received",
        "request_head",
        "row",
        "sending",
        "timeouts",
        "until_ns",
        "walk",
        "with_cookies",
    )

    def __init__(self, crew: Crew, place: int, number: int, client: int, walk: Walk) -> None:
        self.crew, self.place, self.number, self.client, self.walk = crew, place, number, client, walk
        self.until_ns: int | None = None
        self.due_ns = 0
        self.cookies: Cookies | None = None
        self.with_cookies: dict[int, tuple[str, Exchange, object]] = {}
        self.caches: dict[int, AnswerCache] = {}
        self.fetching: Fetching | None = None
        self.answer: Answer | None = None
        self.exchange: Exchange | None = None
        self.origin: Origin | None = None
        self.row = -1
        self.request_head = ""
        self.sending: Sending | None = None
        self.timeouts: Timeouts | None = None
        self.looked_for: Timeouts | None = None
        self.keeps = True
        self.alarm_ns: int | None = None
        self.last: Verdict | None = None
        self.begun: tuple[int, ...] | None = None
        self.began_ns = self.received = self.asked = self.held_up_ns = self.idle_since_ns = 0
