"""Sockets and epoll: connections of HTTP/1, each with one request at a time, and what the kernel tells of them.

Facts
-----
* epoll can report a change once (EPOLLET) or for as long as it lasts. Level-triggered, each reported socket is put
  back and polled again at the next wait.
* A connect that is under way becomes writable when it is decided; SO_ERROR says how (connect(2)).
* Over loopback it is decided before connect(2) returns, unless the server's queue is full; to a Unix socket, always.
* Until a connection is there, a send that does not block fails with EAGAIN, and with the connection's error once that
  has failed; none of it is sent later (tcp_sendmsg_locked(), sk_stream_wait_connect() in net/core/stream.c). TCP Fast
  Open, which would send it along with the SYN, has to be asked for (tcp(7), TCP_FASTOPEN_CONNECT).
* The kernel reports a peer's RST once. A send that takes the report leaves EOF to the next receive; what the peer
  wrote before the RST can still be read.

Decisions
---------
* One EPOLLET registration for a connection's whole life. Hence: send until done or EAGAIN, receive until a short
  read; after a sign of an end (RDHUP, HUP, ERR) receive until EOF, because no second edge will come.
* A request is sent as soon as connect(2) has returned. A connection that takes it is connected, and is watched for
  "writable" only after an EAGAIN: a turn less, of three.
* Otherwise "connected" is EPOLLOUT with SO_ERROR 0, and the request is sent in the turn that sees it. Before it, a
  connection is in SYN however often the kernel repeats its SYN.
* `sent` is stamped before the send.
* A connection that is answered and kept takes the next row of `refill` at once, in the same pass (`kept` has a short
  way for it).
* A request whose kept connection its peer ends before any byte of a reply is sent again on a new one (`resending`).
* A descriptor within RESERVE of the limit is given back and counts as none left (the kernel gives out the lowest free
  one): observers and reports of the same process need some.
"""

from __future__ import annotations

import _socket as socket  # as in `endpoint`
import select
import struct
import time
from array import array
from collections.abc import Callable, Iterable, Sequence

from holdfast.engine.columns import Columns
from holdfast.engine.connection import Connection, heard
from holdfast.engine.endpoint import endpoint, open_socket
from holdfast.engine.exchange import CONNECTING, ENDED, SENDING, WAITING, Event, after, event_of_errno
from holdfast.engine.local_limits import descriptors_for_load, failure_in_words
from holdfast.engine.replies import Replies
from holdfast.engine.resending import ENDED_BY_PEER, may_be_sent_again
from holdfast.engine.sender import WithoutStreams
from holdfast.engine.waiting import END_SIGNS, WATCHED, Waiting
from holdfast.model.places import Outcome

RECEIVE_BYTES = 65536
_SENT = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
_READS_AT_ONCE = 64
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_ANSWERED, _REFUSED = Outcome.ANSWERED, Outcome.REFUSED  # as the states in `exchange`


class Connections(WithoutStreams):
    """All connections of one load process and the rows that they write.

    Invariant: rows begun = connecting + established + ended, and each connecting or established row
    has exactly one open socket. Idle ones, which a client keeps for its next row, carry none.

    Attributes:
        replies: what all replies of each step had in common; row r is of step r % their number.
        begun, ended: rows that were begun, and that have ended.
        peak: most rows at once that had begun and not ended.
        unanswered: rows that have ended in another way than answered.
        highest_row: the highest that was begun; -1 before.
        remembers_finished, remembers_sent: whether rows are kept in `finished` and `sent_rows`.
        sent_rows: rows in the order in which they were sent.
        resent_rows: rows that were sent again, in order; in `sent_rows` row r then comes a second time, as ~r.
        taken: rows of `refill` that kept connections have taken.
        reached: a connection came about.
        refused: rows whose connections were refused.
        failure: errno and words of the first failure on our own side; None if there was none.
    """

    _sends_plainly = True

    def __init__(
        self, address: str, port: int, head_of: Callable[[int], bytes], columns: Columns, sources: Sequence[str] = ()
    ) -> None:
        """Opens no connection yet.

        Args:
            address, port, sources: as of `endpoint`.
            head_of: row -> the request's bytes; HEAD for all rows or for none.

        Raises:
            EnvironmentFailure: as of `endpoint`.
        """
        self._endpoint = endpoint(address, port, sources)
        self._head_of = head_of
        self._columns = columns
        self._waiting = Waiting()
        self._by_fd: list[Connection | None] = []
        # None until it is looked at, and once kept connections have taken further rows: 30 bytes each, and 0.1 us.
        self._by_row: dict[int, Connection] | None = None
        self._descriptors = descriptors_for_load()
        self._next_row = self._last_row = 0
        self._idle: dict[int, list[Connection]] = {}
        self._finished: list[int] = []
        self.remembers_finished = self.remembers_sent = False
        self.sent_rows, self.resent_rows = array("q"), array("q")
        self.begun = self.unanswered = self.peak = self.taken = self.connecting = self.established = self.ended = 0
        self.refused, self.reached, self.highest_row = 0, False, -1
        self.failure: tuple[int, str] | None = None
        self.replies: tuple[Replies, ...] = (Replies(),)

    def open(self, row: int, due_ns: int | None = None, client: int | None = None, *, last: bool = False) -> bool:
        """Begins a request, on a connection that its client has kept or else on a new one.

        On a new one it is sent in the turn that sees the handshake.

        Args:
            due_ns: None is now.
            client: keeps its connection for its next request, unless this is its last; None keeps none.

        Returns:
            False where our own side had no means left: the row then has ended as FAILED.
        """
        now = time.monotonic_ns()
        self._columns.due[row] = now if due_ns is None else due_ns
        self.begun += 1
        self.peak = max(self.peak, self.begun - self.ended)
        self.highest_row = max(self.highest_row, row)
        if client is not None and (idle := self._idle.get(client)):
            self.established += 1
            self._carry(idle.pop(), row, None if last else client)
            return True
        return self._connect(row, None if last else client, now)

    def _connect(self, row: int, client: int | None, now_ns: int) -> bool:
        """Begins a connection for a row; see `open`."""
        columns = self._columns
        columns.opened[row] = now_ns
        try:
            sock = open_socket(self._endpoint, self._descriptors)
        except OSError as error:
            self.failure = self.failure or failure_in_words(error)
            (self._by_row or {}).pop(row, None)
            self._record(row, Outcome.FAILED, now_ns)
            return False
        connection, missing = Connection(sock, row, client), sock.fileno() + 1 - len(self._by_fd)
        if self._by_row is not None:
            self._by_row[row] = connection
        if missing > 0:
            self._by_fd += [None] * missing
        self._by_fd[sock.fileno()] = connection
        self.connecting += 1
        try:
            columns.source[row], columns.local_port[row] = self._endpoint.connect(sock)
            watched = self._sent_at_once(connection) if self._sends_plainly else WATCHED
            self._waiting.register(sock, watched)
        except OSError as error:
            event = self._endpoint.event(error.errno or 0)
            if event is Event.OWN_LIMIT:
                self.failure = self.failure or failure_in_words(error)
            self._move(connection, event)
            return event is not Event.OWN_LIMIT
        return True

    def _sent_at_once(self, connection: Connection) -> int:
        """Sends the request if the connection is there already; returns what it is to be watched for.

        Raises:
            OSError: it is decided otherwise.
        """
        row, columns, request = connection.row, self._columns, self._head_of(connection.row)
        now_ns = time.monotonic_ns()
        try:
            count = connection.sock.send(request)
        except BlockingIOError:
            return WATCHED
        columns.connected[row] = columns.sent[row] = now_ns
        if self.remembers_sent:
            self.sent_rows.append(~row if columns.resent[row] else row)
        connection.head_only = request.startswith(b"HEAD ")
        self.reached = True
        self.connecting -= 1
        self.established += 1
        connection.unsent = request[count:]
        connection.state = SENDING if connection.unsent else WAITING
        return WATCHED if connection.unsent else _SENT

    @property
    def idle_ns(self) -> int:
        """How long there was nothing to do but to wait."""
        return self._waiting.idle_ns

    @property
    def sources(self) -> list[str]:
        """Our addresses, as `columns.source` counts them."""
        return self._endpoint.sources

    def refill(self, rows: range) -> None:
        """Connections that are answered and kept take these rows, in order; what was left of the last call is void."""
        self._next_row, self._last_row = rows.start, rows.stop

    def turn(self, timeout_ns: int) -> int:
        """Waits at most `timeout_ns` for events, carries out all that are there, and counts them."""
        events = self._waiting.wait(timeout_ns)
        for fd, mask in events:
            self._carry_out(fd, mask)
        return len(events)

    def pending(self) -> list[int]:
        """Rows that have begun and not ended, in the order in which they began."""
        return list(self._rows())

    def give_up(self, rows: Iterable[int], *, reset: bool = False) -> None:
        """Closes our end of these rows, by FIN or by RST; rows that have ended are left as they are."""
        by_row = self._rows()
        for row in rows:
            if (connection := by_row.get(row)) is None:
                continue
            if reset:
                connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._move(connection, Event.GIVE_UP)

    def expire(self, row: int) -> None:
        """Ends a row that has timed out; nothing happens if it has ended."""
        if (connection := self._rows().get(row)) is not None:
            self._move(connection, Event.DEADLINE)

    def close(self) -> None:
        """Closes every socket; rows that have not ended stay PENDING."""
        for connection in filter(None, self._by_fd):
            connection.sock.close()
        self._by_row, self._idle, self._by_fd = None, {}, []
        self._waiting.close()

    def _carry_out(self, fd: int, mask: int) -> None:
        if (connection := self._by_fd[fd]) is None:
            return
        if connection.state is ENDED:
            self._end_of_idle(connection, mask)
            return
        if connection.state is CONNECTING:
            self._decided(connection)
        elif connection.unsent and mask & select.EPOLLOUT:
            self._send(connection)
        connection.peer_ended |= bool(mask & END_SIGNS)
        if mask & (select.EPOLLIN | END_SIGNS):
            self._receive(connection)

    def _decided(self, connection: Connection) -> None:
        number = connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self._move(connection, event_of_errno(number) if number else Event.CONNECTED)
        if not number:
            self.reached = True
            self._columns.connected[connection.row] = time.monotonic_ns()
            self._begin(connection)

    def _rows(self) -> dict[int, Connection]:
        """Connections by the rows that they carry, in the order in which these began."""
        if self._by_row is None:
            opened, sent = self._columns.opened, self._columns.sent
            carrying = [each for each in self._by_fd if each is not None and each.state is not ENDED]
            self._by_row = {on.row: on for on in sorted(carrying, key=lambda on: opened[on.row] or sent[on.row])}
        return self._by_row

    def _begin(self, connection: Connection) -> None:
        connection.unsent = self._head_of(connection.row)
        connection.head_only = connection.unsent.startswith(b"HEAD ")
        self._columns.sent[connection.row] = time.monotonic_ns()
        if self.remembers_sent:
            self.sent_rows.append(~connection.row if self._columns.resent[connection.row] else connection.row)
        self._send(connection)

    def _send(self, connection: Connection) -> None:
        try:
            while connection.unsent:
                count = connection.sock.send(connection.unsent)
                connection.unsent = connection.unsent[count:]
        except BlockingIOError:
            self._waiting.watch_again(connection.sock, WATCHED)
            return
        except OSError as error:
            # What TLS has taken in may be on its way in part.
            connection.untouched = self._sends_plainly and connection.unsent == self._head_of(connection.row)
            connection.unsent = b""
            event = event_of_errno(error.errno or 0)
            self._move(connection, Event.BROKEN if event is Event.RST else event)
            connection.peer_ended = True
            self._receive(connection)
            return
        if connection.state is SENDING:
            self._move(connection, Event.SENT)

    def _receive(self, connection: Connection) -> None:
        left = _READS_AT_ONCE
        while connection.state is not ENDED:
            if left <= 0 and not getattr(connection.sock, "holds", False):
                # A peer that sends faster than this is read would keep everything else from its turn, and timeouts.
                self._waiting.watch_again(connection.sock, WATCHED)
                return
            left -= 1
            try:
                data = connection.sock.recv(RECEIVE_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                self._move(connection, event_of_errno(error.errno or 0))
                return
            self._take(connection, data)
            if len(data) < RECEIVE_BYTES and not connection.peer_ended:
                return

    def _take(self, connection: Connection, data: bytes) -> None:  # no bytes are the peer's FIN
        self._move(connection, heard(connection, data, self._columns, self.replies))

    def _move(self, connection: Connection, event: Event) -> None:
        before = connection.state
        connection.state, outcome = after(before, event)
        if before is CONNECTING and connection.state is not CONNECTING:
            self.connecting -= 1
            self.established += 1
        if connection.state is not ENDED:
            return
        if outcome in ENDED_BY_PEER and self._is_sent_again(connection):
            return
        self._record(connection.row, outcome, time.monotonic_ns())
        (self._by_row or {}).pop(connection.row, None)
        connection.reader = None
        # What is left of a request that was answered early would be read as the next one's, or that as its body.
        kept = connection.keep_alive and not connection.peer_ended and not connection.unsent
        if kept and self._next_row < self._last_row:
            self._take_next(connection)
            return
        self.established -= 1
        if kept and connection.client is not None:
            self._idle.setdefault(connection.client, []).append(connection)
            return
        self._let_go(connection)

    def _is_sent_again(self, connection: Connection) -> bool:
        """Sends a request again, on a new connection, if its kept one was ended before any byte of a reply."""
        row, columns = connection.row, self._columns
        # Of a new connection, `opened` is known.
        if columns.opened[row] or columns.received[row]:
            return False
        if not may_be_sent_again(self._head_of(row), untouched=connection.untouched):
            return False
        self._let_go(connection)
        self.established -= 1
        columns.resent[row] = 1
        columns.sent[row] = 0
        self.resent_rows.append(row)
        self._connect(row, connection.client, time.monotonic_ns())
        return True

    def _let_go(self, connection: Connection) -> None:
        self._by_fd[connection.sock.fileno()] = None
        connection.sock.close()

    def _take_next(self, connection: Connection) -> None:
        row = self._next_row
        self._next_row += 1
        self._columns.due[row] = time.monotonic_ns()
        self._carry(connection, row, connection.client)

    def _carry(self, connection: Connection, row: int, client: int | None) -> None:
        """Begins a request on a connection that was kept."""
        connection.row, connection.client = row, client
        if self._by_row is not None:
            self._by_row[row] = connection
        connection.state = SENDING
        connection.keep_alive = False
        self._begin(connection)

    def _end_of_idle(self, connection: Connection, mask: int) -> None:
        """Closes an idle connection that its peer has closed, or sends unrequested bytes on."""
        if not mask & (select.EPOLLIN | END_SIGNS):
            return
        try:
            connection.sock.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            pass
        self._idle[connection.client or 0].remove(connection)
        self._let_go(connection)

    def finished(self) -> Sequence[int]:
        """Rows that have ended since this was last asked, in the order in which they ended."""
        rows, self._finished = self._finished, []
        return rows

    def _record(self, row: int, outcome: Outcome, now_ns: int) -> None:
        self._columns.done[row] = now_ns
        self._columns.outcome[row] = outcome
        self.ended += 1
        self.unanswered += outcome is not _ANSWERED
        self.refused += outcome is _REFUSED
        if self.remembers_finished:
            self._finished.append(row)
