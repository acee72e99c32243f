"""The requests of journeys that are in flight, and the rows that they are recorded in.

Decisions
---------
* A row is given out when its request begins: the next one of this process's own each time.
* Connections write into columns whose outcomes are this process's own. The outcome that others see is written once the
  journey has judged the answer, so that a look at the rows meanwhile never counts one that changes later.
* Several exchanges may share one row (a redirect that is not a result of its own): instants of the begin are then
  those of the first, and those of the end are the last one's.
* What a request that is the same each time comes to is made once (`_Made`): 3 us instead of 12 us (measured).
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from holdfast.engine.columns import MOST_RECEIVED, Columns
from holdfast.engine.fetching import Ended, Exchange, Verdict
from holdfast.engine.http1 import request_head
from holdfast.engine.journey_timeouts import first_look_ns, times_out_ns
from holdfast.engine.kept_replies import KeepingConnections, Read, read_of
from holdfast.engine.origins import Origin, Origins
from holdfast.engine.particulars import MOST_LABELS, MOST_URLS, Kind, Particulars
from holdfast.engine.plan import MOST_SOURCES
from holdfast.engine.target import Target
from holdfast.engine.visitor import Visitor
from holdfast.errors import HoldfastError
from holdfast.model.places import Outcome

_AGENT = ("User-Agent", "holdfast")
_BEGINNINGS = ("opened", "connected", "sent", "first", "local_port", "source")


_OUTCOMES = {each.value: each for each in Outcome}  # 0.1 us instead of 1 us for each (measured)


class _Made(NamedTuple):
    """What is sent for an exchange, and where.

    Attributes:
        head: its head, each line ended by CRLF.
    """

    origin: Origin
    request: bytes
    head: str


_MADE, _LABEL, _URL = "made", "label", "url"
"""What is kept of a request that is the same each time."""


class FullError(Exception):
    """All rows have been given out."""


class Exchanges:
    """All exchanges of a load's journeys.

    Invariant: rows begun = those in flight + those that are not judged yet + those that have ended.

    Attributes:
        origins: the servers.
        begun: rows that were given out: so many of our own, from the first.
        ended, unanswered: rows that are settled, and those of them that were not answered.
        in_flight: by row, the client whose request it is.
        peak: most exchanges in flight at once.
        cut: bodies of which the journey saw only the beginning.
        at_once: an exchange has ended as it began, so that there is something to do already.
    """

    def __init__(
        self,
        columns: Columns,
        particulars: Particulars,
        target_of: Callable[[str], Target],
        sources: Sequence[str],
        rows: range,
    ) -> None:
        """None has begun.

        Args:
            rows: our own.
        """
        self._rows = rows
        self._columns = columns
        self._particulars = particulars
        self._own = columns.part(range(columns.capacity))
        self._own.outcome = memoryview(bytearray(columns.capacity))
        self._requests: dict[int, bytes] = {}
        self.origins = Origins(self._own, target_of, self._requests.__getitem__, sources)
        self._sources_given = bool(sources)
        self._given = list(sources)
        self._alarms: list[tuple[int, int, Visitor]] = []
        self._turns = 0
        self._urls: set[str] = set()
        self._labels: dict[tuple[int, int, Kind], dict[str, int]] = {}
        self.begun = self.ended = self.unanswered = self.peak = self.cut = 0
        self.in_flight: dict[int, Visitor] = {}
        self.at_once = False

    @property
    def sources(self) -> list[str]:
        """Our own addresses, as the rows count them; those that the kernel chose are counted by all processes alike."""
        addresses = self._particulars.addresses
        return self._given if self._sources_given else [addresses[number] for number in range(len(addresses))]

    @property
    def reach(self) -> int:
        """No row from here on was given out."""
        return self._rows[self.begun - 1] + 1 if self.begun else 0

    def begin(self, visitor: Visitor, exchange: Exchange) -> Ended | None:
        """Begins an exchange; returns how it ended if it could not be sent, and None otherwise.

        Raises:
            FullError: there is no row left.
        """
        visitor.exchange = exchange
        if exchange.goes_on:
            self._go_on(visitor)
        else:
            visitor.begun, visitor.received = None, 0
            visitor.row = self._row(visitor, exchange)
        row = visitor.row
        try:
            made = self._made(exchange)
        except (HoldfastError, ValueError) as error:
            return self._unsent(visitor, str(error).replace("\n", " "))
        origin, request, visitor.request_head = made
        visitor.origin = origin
        self._requests[row] = request
        self._particulars.sent_bytes[row] += len(request)
        self.in_flight[row] = visitor
        self.peak = max(self.peak, len(self.in_flight))
        due_ns = self._own.due[row] if exchange.goes_on else visitor.due_ns
        visitor.began_ns, visitor.held_up_ns = time.monotonic_ns(), 0
        origin.connections.open(row, due_ns, visitor.client if visitor.keeps else None)
        if self._own.outcome[row]:
            self.at_once = True
        elif visitor.timeouts is not None and visitor.timeouts is not visitor.looked_for:
            # One that began before looks for these timeouts sooner.
            self._set_alarm(visitor, first_look_ns(visitor.timeouts, visitor.began_ns))
        return None

    def _made(self, exchange: Exchange) -> _Made:
        """What is sent. Raises HoldfastError, ValueError: it cannot be."""
        if exchange.made is not None and (found := exchange.made.get(_MADE)) is not None:
            known: _Made = found
            return known
        origin = self.origins.at(exchange.origin)
        request = _bytes_of(exchange, origin.host_field)
        made = _Made(origin, request, request.partition(b"\r\n\r\n")[0].decode("latin-1") + "\r\n")
        if exchange.made is not None:
            exchange.made[_MADE] = made
        return made

    def refuse(self, visitor: Visitor, label: str, why: str) -> None:
        """Records a request that could not be put together."""
        visitor.row = self._row(visitor, Exchange("", "", "", (), None, label))
        self.settle(Verdict(self._unsent(visitor, why).row, Outcome.UNSENT, why))

    def just_ended(self) -> Iterator[tuple[Visitor, Ended]]:
        """The exchanges that have ended since this was last asked."""
        for connections in [*self.origins.all()]:
            for row in connections.finished():
                visitor = self.in_flight.pop(row)
                yield visitor, self._ended(visitor, row, connections)

    def settle(self, verdict: Verdict) -> None:
        """Writes what became of a row, which from then on does not change."""
        if verdict.why:
            self._particulars.why[verdict.row] = self._particulars.texts.number_of(verdict.why)
        self.ended += 1
        self.unanswered += verdict.outcome is not Outcome.ANSWERED
        self._columns.outcome[verdict.row] = verdict.outcome

    def expire(self, now_ns: int) -> None:
        """Ends the exchanges that have timed out."""
        while self._alarms and self._alarms[0][0] <= now_ns:
            _, _, visitor = heapq.heappop(self._alarms)
            visitor.alarm_ns = visitor.looked_for = None
            if self.in_flight.get(visitor.row) is not visitor or visitor.timeouts is None:
                continue
            at_ns = times_out_ns(self._own, visitor.row, visitor.timeouts, visitor.began_ns, now_ns)
            at_ns = None if at_ns is None else at_ns + visitor.held_up_ns
            if at_ns is None or at_ns > now_ns:
                self._set_alarm(visitor, at_ns)
            elif visitor.origin is not None:
                visitor.origin.connections.expire(visitor.row)

    def hold_up(self, for_ns: int) -> None:
        """Lets everything that is in flight have so much more time: nothing of it could be read meanwhile."""
        for visitor in self.in_flight.values():
            visitor.held_up_ns += for_ns

    def next_alarm_ns(self) -> int | None:
        """When timeouts are to be looked at; None if nothing can time out."""
        return self._alarms[0][0] if self._alarms else None

    def give_up(self) -> None:
        """Ends what is in flight."""
        for row, visitor in [*self.in_flight.items()]:
            if visitor.origin is not None:
                visitor.origin.connections.give_up((row,))
        for _, ended in self.just_ended():
            self.settle(Verdict(ended.row, ended.outcome, ""))

    def _row(self, visitor: Visitor, exchange: Exchange) -> int:
        known = self._particulars
        if self.begun >= len(self._rows):
            raise FullError
        row = self._rows[self.begun]
        self.begun += 1
        made = exchange.made
        if made is not None and _URL in made:
            known.label[row], known.url[row] = made[_LABEL], made[_URL]
        else:
            known.label[row] = label = self._label(visitor, exchange)
            known.url[row] = url = known.texts.number_of(self._url(exchange))
            if made is not None:
                made[_LABEL], made[_URL] = label, url
        known.client[row], known.crew[row], known.kind[row] = visitor.number, visitor.place, exchange.kind
        return row

    def _label(self, visitor: Visitor, exchange: Exchange) -> int:
        """The text of a label, which may have a value in it that is another one each time."""
        own = self._labels.setdefault((visitor.place, visitor.asked, exchange.kind), {})
        if (found := own.get(exchange.label)) is not None:
            return found
        texts = self._particulars.texts
        if len(own) >= MOST_LABELS:
            return texts.number_of(f"{next(iter(own))}, and others")
        own[exchange.label] = number = texts.number_of(exchange.label)
        return number

    def _url(self, exchange: Exchange) -> str:
        """The URL as it is kept: without its query, or without its path, where there are too many different ones."""
        url = exchange.url
        for each in (url, url.partition("?")[0]):
            if each in self._urls:
                return each
            if len(self._urls) < MOST_URLS:
                self._urls.add(each)
                return each
        return exchange.origin

    def _unsent(self, visitor: Visitor, why: str) -> Ended:
        row, now_ns = visitor.row, time.monotonic_ns()
        if not self._own.due[row]:
            self._own.due[row] = min(visitor.due_ns or now_ns, now_ns)
        self._own.done[row] = now_ns
        self._restore(visitor)
        return Ended(row, Outcome.UNSENT, 0, None, why, self._own.due[row], now_ns, 0, "")

    def _go_on(self, visitor: Visitor) -> None:
        """Prepares the row for a further exchange."""
        row, own = visitor.row, self._own
        if visitor.begun is None:
            visitor.begun = tuple(getattr(own, name)[row] for name in _BEGINNINGS)
        visitor.received += own.received[row]
        for name in (*_BEGINNINGS, "status", "outcome", "received"):
            getattr(own, name)[row] = 0

    def _restore(self, visitor: Visitor) -> None:
        """Gives a row that several exchanges shared the beginning of the first one."""
        if visitor.begun is not None:
            received = min(visitor.received + self._own.received[visitor.row], MOST_RECEIVED)
            self._own.received[visitor.row], visitor.received = received, 0
            for name, value in zip(_BEGINNINGS, visitor.begun, strict=True):
                getattr(self._own, name)[visitor.row] = value

    def _ended(self, visitor: Visitor, row: int, connections: KeepingConnections) -> Ended:
        own = self._own
        reader = connections.read.pop(row, None)
        read: Read | None = None
        if reader is not None:
            read = reader if isinstance(reader, Read) else read_of(reader)
            self.cut += read.cut
        outcome, status = _OUTCOMES[own.outcome[row]], own.status[row] if reader is not None else 0
        if reader is None:
            own.status[row] = 0
        if not self._sources_given:
            own.source[row] = self._source(connections, own.source[row])
        if visitor.begun is not None:
            self._restore(visitor)
        del self._requests[row]
        visitor.due_ns = done_ns = own.done[row]
        return Ended(row, outcome, status, read, "", own.due[row], done_ns, own.received[row], visitor.request_head)

    def _source(self, connections: KeepingConnections, index: int) -> int:
        """The number among `sources` of our address at one of these connections."""
        address = connections.sources[index] if index < len(connections.sources) else ""
        number = self._particulars.addresses.number_of(address)
        return number if number < MOST_SOURCES else 0

    def _set_alarm(self, visitor: Visitor, at_ns: int | None) -> None:
        if at_ns is not None and (visitor.alarm_ns is None or at_ns < visitor.alarm_ns):
            visitor.alarm_ns, visitor.looked_for = at_ns, visitor.timeouts
            self._turns += 1
            heapq.heappush(self._alarms, (at_ns, self._turns, visitor))


def _bytes_of(exchange: Exchange, host: str) -> bytes:
    """The request as it is sent. Raises ValueError where it cannot be."""
    headers = [field for field in exchange.headers if field[0].lower() != "content-length"]
    if not any(name.lower() == "user-agent" for name, _ in headers):
        headers.insert(0, _AGENT)
    return request_head(exchange.method, exchange.path, host, headers, exchange.body)
