"""Many requests on each of a few connections that speak HTTP/2: what `epoll.Connections` is for HTTP/1.

Decisions
---------
* In the closed model there are so many connections, each begun at once; a request goes to the one whose turn it is. In
  the open model a request goes to the oldest connection that has room, and a new one is begun where none has.
* A request that GOAWAY leaves out is sent again, on another connection: the server has said that it did not process
  it (RFC 9113, 6.8 and 8.7). Its instants are those of the last time, and it is counted.
* A request that was never sent goes to another connection too, where its own has ended.
* Neither happens to one request more often than MOST_TIMES: a server may give up every connection.
* The replies of one receive are one instant, and so are the requests that follow them: nothing tells them apart.
* A server that does not speak HTTP/2 ends the load: no other request would fare better.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import ssl
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from holdfast.engine.columns import Columns
from holdfast.engine.endpoint import NO_TLS, endpoint, open_socket
from holdfast.engine.epoll import RECEIVE_BYTES
from holdfast.engine.exchange import Event, State, after, event_of_errno
from holdfast.engine.http1 import IS_HTTP1, NOT_HTTP2, ProtocolError
from holdfast.engine.local_limits import descriptors_for_load, failure_in_words
from holdfast.engine.multiplex import Multiplex
from holdfast.engine.plan import Plan
from holdfast.engine.replies import MOST_CHECKED
from holdfast.engine.stream_link import StreamLink
from holdfast.engine.stream_reply import Progress
from holdfast.engine.stream_room import LinksWithRoom, Streams
from holdfast.engine.stream_rows import StreamRows
from holdfast.engine.streams_seen import CONNECTIONS, GOAWAY, UNSETTLED
from holdfast.engine.tls import context_for
from holdfast.engine.waiting import END_SIGNS, WATCHED, Waiting
from holdfast.model.places import Outcome

MOST_TIMES = 8
_READS = 16


class StreamConnections(StreamRows):
    """All connections of one load process and the rows that they write; the attributes are those of `Connections`.

    Attributes:
        hopeless: no further request can fare better.
    """

    def __init__(self, plan: Plan, columns: Columns, sources: Sequence[str], use: Streams) -> None:
        """Opens no connection yet.

        Args:
            columns: of the plan alone.
            sources: as of `endpoint`.
        """
        super().__init__(columns)
        self._endpoint = endpoint(plan.address, plan.port, sources)
        self._request, self._head_of = plan.request, plan.head_of
        self._tls = None if plan.tls is None else (context_for(plan.tls, "h2"), plan.tls.host)
        self._use = use
        self._waiting = Waiting()
        self._links: dict[int, StreamLink] = {}
        self._links_with_room = LinksWithRoom(use)
        self._to_flush: dict[StreamLink, None] = {}
        self._unread: dict[StreamLink, None] = {}
        self._descriptors = descriptors_for_load()
        self._where: dict[int, tuple[StreamLink, int]] | None = None
        self._times: Counter[int] = Counter()
        self._next_row = self._last_row = self.begun = self.peak = self.taken = 0
        self.highest_row = -1
        self.failure: tuple[int, str] | None = None
        self.hopeless = self.reached = False

    @property
    def idle_ns(self) -> int:
        """See `Connections`."""
        return self._waiting.idle_ns

    @property
    def sources(self) -> list[str]:
        """See `Connections`."""
        return self._endpoint.sources

    @property
    def advertised(self) -> int | None:
        """See `Sender`."""
        return self._links_with_room.advertised

    @property
    def room(self) -> int | None:
        """How many requests may be in flight at once now; None sets no bound."""
        return self._links_with_room.in_all(self._links.values())

    def open(self, row: int, due_ns: int | None = None, client: int | None = None, *, last: bool = False) -> bool:  # noqa: ARG002
        """Begins a request on a connection that has room; whose client's it is does not matter."""
        now = time.monotonic_ns()
        self._columns.due[row] = now if due_ns is None else due_ns
        self.begun += 1
        self.peak = max(self.peak, self.begun - self.ended)
        self.highest_row = max(self.highest_row, row)
        return self._place(row, now)

    def refill(self, rows: range) -> None:
        """See `Connections`."""
        self._next_row, self._last_row = rows.start, rows.stop

    def turn(self, timeout_ns: int) -> int:
        """See `Connections`."""
        self._flush_all()
        unread, self._unread = self._unread, {}
        events = self._waiting.wait(0 if unread else timeout_ns)
        for fd, mask in events:
            if (link := self._links.get(fd)) is not None:
                unread.pop(link, None)
                self._carry_out(link, mask)
        for link in unread:
            if not link.ended:
                self._receive(link)
        self._flush_all()
        return len(events) + len(unread)

    def pending(self) -> list[int]:
        """See `Connections`."""
        return sorted(self._rows())

    def give_up(self, rows: Iterable[int], *, reset: bool = False) -> None:  # noqa: ARG002 - streams have one way
        """Cancels these rows; those that have ended are left as they are."""
        for row in tuple(rows):
            self._cancel(row, Outcome.GIVEN_UP, Outcome.GIVEN_UP)

    def expire(self, row: int) -> None:
        """See `Connections`."""
        self._cancel(row, Outcome.UNANSWERED, Outcome.CONNECT_TIMEOUT)

    def close(self) -> None:
        """Leaves every connection; rows that have not ended stay PENDING."""
        for link in self._links.values():
            if link.is_open:
                link.client.leave()
                with contextlib.suppress(OSError):
                    link.send()
            link.close()
        self._links.clear()
        self._waiting.close()

    def _place(self, row: int, now: int) -> bool:
        """Gives a request to a connection, a new one where none has room; False where our own side lacks the means."""
        if (link := self._links_with_room.next()) is not None:
            self._wait_for(link, row, now)
            return True
        try:
            sock = open_socket(self._endpoint, self._descriptors)
        except OSError as error:
            self.failure = self.failure or failure_in_words(error)
            self.record(row, Outcome.FAILED, now)
            return False
        head_only = self._head_of(row).startswith(b"HEAD ")
        most_kept = MOST_CHECKED if any(each.acceptance.checks for each in self.replies) else 0
        client = Multiplex(
            "http" if self._tls is None else "https", self._use.most, most_kept=most_kept, head_only=head_only
        )
        link = StreamLink(sock, client)
        self.counts[CONNECTIONS] += 1
        self._links[link.fd] = link
        self._links_with_room.add(link)
        self._wait_for(link, row, now)
        try:
            link.source, link.local_port = self._endpoint.connect(sock)
            self._waiting.register(sock, WATCHED)
        except OSError as error:
            return self._not_connected(link, self._endpoint.event(error.errno or 0), error)
        return True

    def _not_connected(self, link: StreamLink, event: Event, error: OSError) -> bool:
        if event is Event.OWN_LIMIT:
            self.failure = self.failure or failure_in_words(error)
        self._end(link, after(State.CONNECTING, event)[1])
        return event is not Event.OWN_LIMIT

    def _wait_for(self, link: StreamLink, row: int, now: int) -> None:
        if not link.client.settled:
            self._columns.opened[row] = self._columns.opened[row] or now
        link.waiting.append(row)
        self._where = None
        self._to_flush[link] = None
        self._links_with_room.look_at(link)

    def _flush_all(self) -> None:
        while self._to_flush:
            links, self._to_flush = self._to_flush, {}
            for link in links:
                self._flush(link)

    def _flush(self, link: StreamLink) -> None:
        """Sends the requests that wait for a connection, as far as it takes them now."""
        if link.ended or not link.is_open:
            return
        waiting, client = link.waiting, link.client
        rows = [waiting.popleft() for _ in range(min(len(waiting), client.room))]
        if rows:
            for row in rows:
                client.request(row, self._head_of(row))
            self.stamp(link, rows, time.monotonic_ns())
            self._where = None
        if waiting and client.settled and not client.room:
            self._spread(link)
        self._send(link)

    def _spread(self, link: StreamLink) -> None:
        """In the open model, what a connection turns out not to take goes to others."""
        if self._use.connections is None:
            rows = tuple(link.waiting)
            link.waiting.clear()
            self._links_with_room.look_at(link)
            for row in rows:
                self._place(row, time.monotonic_ns())

    def _carry_out(self, link: StreamLink, mask: int) -> None:
        if not link.connected_ns:
            number = link.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                self._not_connected(link, event_of_errno(number), OSError(number, os.strerror(number)))
                return
            link.connected_ns, self.reached = time.monotonic_ns(), True
            if self._tls is not None:
                link.speak_tls(*self._tls)
            self._open_up(link)
        elif not link.is_open:
            self._open_up(link)
        elif link.unsent and mask & select.EPOLLOUT:
            self._send(link)
        link.peer_ended = link.peer_ended or bool(mask & END_SIGNS)
        if not link.ended and link.is_open and mask & (select.EPOLLIN | END_SIGNS):
            self._receive(link)

    def _open_up(self, link: StreamLink) -> None:
        """TLS as far as it goes now, and what waits once that is over."""
        try:
            link.shake()
        except BlockingIOError:
            return
        except ProtocolError as error:
            self._break(link, str(error))
        except ssl.SSLEOFError:
            self._end(link, Outcome.CLOSED)
        except OSError as error:
            self._end(link, after(State.SENDING, event_of_errno(error.errno or 0))[1])
        else:
            self._flush(link)

    def _send(self, link: StreamLink) -> None:
        try:
            link.send()
        except OSError:
            # What the peer said before it ended the connection can still be read.
            link.unsent = b""
            link.aborted = link.peer_ended = True
            self._receive(link)

    def _receive(self, link: StreamLink) -> None:
        for _ in range(_READS):
            try:
                data = link.sock.recv(RECEIVE_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                self._end(link, after(State.WAITING, event_of_errno(error.errno or 0))[1])
                return
            if not data:
                self._ended_by_peer(link)
                return
            now = time.monotonic_ns()
            try:
                progress = link.client.receive(data)
            except ProtocolError as error:
                self._break(link, str(error))
                return
            self._note(link, progress, now)
            if not link.aborted:
                self._flush(link)
            if link.ended or (len(data) < RECEIVE_BYTES and not link.peer_ended):
                return
        self._unread[link] = None

    def _note(self, link: StreamLink, progress: Progress, now: int) -> None:
        """Writes down what some bytes said, and lets as many further requests follow as have ended."""
        client, before = link.client, self.ended
        again = self.note(client, progress, now)
        if many := self.ended - before:
            self._where = None
        self._links_with_room.look_at(link)
        if progress.broken:
            self._break(link, progress.broken)
        elif client.leaving:
            again += link.waiting
            link.waiting.clear()
        for row in again:
            self._again(row, now)
        if link.ended:
            return
        self._refill(link, many)
        if client.leaving:
            # It takes nothing further, and what has ended on it makes room on others.
            self._links_with_room.changed()
            if not link.in_flight:
                self._end(link, Outcome.CLOSED)

    def _refill(self, link: StreamLink, many: int) -> None:
        """Lets further requests follow, in place of those that have ended."""
        many = min(many, self._last_row - self._next_row, link.client.room - len(link.waiting))
        if many <= 0:
            return
        rows = range(self._next_row, self._next_row + many)
        self._next_row = rows.stop
        if isinstance(self._request, bytes):
            link.client.same_requests(rows, self._request)
        else:
            for row in rows:
                link.client.request(row, self._request(row))
        self.stamp_all(link, rows, time.monotonic_ns())
        self.taken, self.begun = self.taken + many, self.begun + many
        self.highest_row = max(self.highest_row, rows.stop - 1)

    def _again(self, row: int, now: int) -> None:
        """Sends a request on another connection that was not processed, or not sent."""
        self._times[row] += 1
        if self._times[row] > MOST_TIMES:
            self.record(row, Outcome.CLOSED, now)
        else:
            self._place(row, now)

    def _ended_by_peer(self, link: StreamLink) -> None:
        if link.client.goaway is None and not link.client.settled:
            self.counts[UNSETTLED] += 1
        if link.alert:
            self.replies[0].malformed = self.replies[0].malformed or f"{NO_TLS}: {link.alert}"
        # The kernel reports a reset once; after a send has taken the report, a receive says EOF.
        self._end(link, Outcome.RESET if link.aborted else Outcome.CLOSED)

    def _break(self, link: StreamLink, words: str) -> None:
        """Ends a connection on which the peer breaks the rules."""
        self.replies[0].malformed = self.replies[0].malformed or words
        self.hopeless = self.hopeless or words.startswith((IS_HTTP1, NOT_HTTP2))
        self._end(link, Outcome.MALFORMED, all_rows=True)

    def _end(self, link: StreamLink, outcome: Outcome, *, all_rows: bool = False) -> None:
        """A connection has ended, and with it every request on it; those that it never carried go elsewhere.

        Args:
            all_rows: none goes elsewhere.
        """
        now, settled = time.monotonic_ns(), link.client.settled
        if link.client.goaway is not None:
            self.counts[f"{GOAWAY}{link.client.goaway.code}"] += 1
        self._links_with_room.remove(link)
        del self._links[link.fd]
        link.close()
        self._where = None
        for row in link.client.rows().values():
            self.record(row, outcome, now)
        for row in link.waiting:
            if settled and not all_rows:
                self._again(row, now)
            else:
                self.record(row, outcome, now)
        link.waiting.clear()

    def _rows(self) -> dict[int, tuple[StreamLink, int]]:
        """Where each row is that has not ended: its connection, and its stream or 0."""
        if self._where is None:
            self._where = {
                row: (link, stream) for link in self._links.values() for stream, row in link.client.rows().items()
            }
            self._where.update((row, (link, 0)) for link in self._links.values() for row in link.waiting)
        return self._where

    def _cancel(self, row: int, outcome: Outcome, unconnected: Outcome) -> None:
        if (found := self._rows().pop(row, None)) is None:
            return
        link, stream = found
        if stream:
            link.client.cancel(stream)
        else:
            link.waiting.remove(row)
        where = self._where
        self.record(row, outcome if link.is_open else unconnected, time.monotonic_ns())
        self._links_with_room.look_at(link)
        self._to_flush[link] = None
        if not link.is_open and not link.waiting:
            self._to_flush.pop(link)
            self._end(link, outcome)
        self._where = where
