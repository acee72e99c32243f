"""What a client does for one request of its journey: the request itself, redirects, and what the page embeds.

A generator for each: `ended = yield exchange`. It knows neither sockets nor clocks; it says what to send next, and is
told how that ended. What it returns is the answer that the journey is told.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast.engine.acceptance import NO_ERROR
from holdfast.engine.kept_replies import Read
from holdfast.engine.particulars import Kind
from holdfast.model.answers import Answer
from holdfast.model.places import Outcome
from holdfast.model.units import MS

if TYPE_CHECKING:
    from holdfast.journeys.steps import Sending

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FIRST = "exchange"
_WORDS = {
    Outcome.REFUSED: "connection refused",
    Outcome.RESET: "connection reset",
    Outcome.CLOSED: "closed without a whole reply",
    Outcome.CONNECT_TIMEOUT: "no connection in time",
    Outcome.UNANSWERED: "no whole reply in time",
    Outcome.FAILED: "no means left on the load's own side",
    Outcome.GIVEN_UP: "given up",
    Outcome.MALFORMED: "the reply is not HTTP/1",
    Outcome.NO_ROOM: "the socket's queue is full",
}


class Exchange(NamedTuple):
    """One request to be sent.

    Attributes:
        origin, method, path, headers, body: as of `Sending`.
        label: of its row.
        goes_on: it is part of the same row as the exchange before it.
        made: as of `Sending`.
    """

    origin: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    label: str
    kind: Kind = Kind.ASKED
    goes_on: bool = False
    made: dict[str, Any] | None = None

    @property
    def url(self) -> str:
        """Where it goes, as a person writes it (`engine.url`)."""
        colon = ":" if self.origin.startswith("unix:") else ""
        return f"{self.origin}{colon}{self.path}"


class Ended(NamedTuple):
    """How an exchange ended.

    Attributes:
        row: that it was recorded in.
        status: 0 without a whole reply.
        read: None without a whole reply.
        why: it could not even be sent, in words; "" where it was.
        due_ns, done_ns: of the row, CLOCK_MONOTONIC.
        received: bytes of the reply.
        request_head: of the request, each line ended by CRLF; "" where it was not sent.
    """

    row: int
    outcome: Outcome
    status: int
    read: Read | None
    why: str
    due_ns: int
    done_ns: int
    received: int
    request_head: str


class Verdict(NamedTuple):
    """The outcome of a row, and why it is not answered, in words."""

    row: int
    outcome: Outcome
    why: str


class Fetched(NamedTuple):
    """What came of one request of a journey.

    Attributes:
        last: of the row that decides, which the journey may judge otherwise; None where nothing was sent.
    """

    answer: Answer
    last: Verdict | None


Fetching = Generator[Exchange | Verdict, Ended | None, Fetched]
"""It yields exchanges, each of which it is told the end of, and the outcomes of rows, of which it is told nothing."""


def plain(sending: Sending) -> Fetching:
    """A request of a journey that is nothing more than that."""
    exchange = first_exchange(sending)
    ended = yield exchange
    assert ended is not None
    outcome, why = judged(ended, sending, exchange)
    return Fetched(answer_of(exchange, ended, outcome, why, ended.due_ns), Verdict(ended.row, outcome, why))


def first_exchange(sending: Sending) -> Exchange:
    """The request itself."""
    made = sending.made
    if made is not None and (known := made.get(_FIRST)) is not None:
        found: Exchange = known
        return found
    exchange = Exchange(
        sending.origin, sending.method, sending.path, sending.headers, sending.body, sending.label, made=made
    )
    if made is not None:
        made[_FIRST] = exchange
    return exchange


def judged(ended: Ended, sending: Sending, exchange: Exchange) -> tuple[Outcome, str]:
    """The outcome of an exchange by its status, and why it is not answered."""
    if ended.read is None:
        return ended.outcome, ended.why
    if ended.read.undecodable:
        return Outcome.WRONG_BODY, ended.read.undecodable
    accepted = sending.expected
    if accepted is None or exchange.kind is Kind.EMBEDDED:
        accepted = NO_ERROR
    if ended.status not in accepted:
        return Outcome.REJECTED, ""
    if ended.status in REDIRECTS and not ended.read.location and leads_nowhere(sending, exchange.method, ended.status):
        return Outcome.REJECTED, "It is a redirect without a Location"
    return Outcome.ANSWERED, ""


def leads_nowhere(sending: Sending, method: str, status: int) -> bool:
    """Whether a redirect without a Location is not an answer. A browser shows it, as curl does.

    Source: the Fetch standard, "HTTP-redirect fetch"; apache/jmeter 5.5, HTTPHC4Impl.java (sample) and
    HTTPSampleResult.java (isRedirect).
    """
    if sending.redirects == "browser":
        return False
    as_library = sending.redirects == "library" and method in ("POST", "DELETE")
    return status != 307 or method in ("GET", "HEAD") or as_library


def answer_of(exchange: Exchange, ended: Ended, outcome: Outcome, why: str, began_ns: int) -> Answer:
    """What a journey is told.

    Args:
        began_ns: when what it asked for was due, CLOCK_MONOTONIC.
    """
    read = ended.read
    message = why or (_WORDS.get(outcome, outcome.label) if read is None else read.message)
    return Answer(
        url=exchange.url,
        answered=outcome is Outcome.ANSWERED,
        status=ended.status,
        message=message,
        head="" if read is None else read.head,
        body=b"" if read is None else read.body,
        request_head=ended.request_head,
        took_ms=(ended.done_ns - began_ns) / MS,
        size=ended.received,
    )
