"""Holds requests behind a server that is not known, which are recognised where they are read from their connection.

Whatever a server does with what it has read, it reads a request from the connection's socket and sends the reply to it.
So the first request is watched between the two (see `watch`), by the thread that reads and by what that thread sends to
others. What runs there for a request is known by the context: asyncio makes one for each connection that it accepts,
and another thread serves one connection at a time. Then

- a function of the person's own that the server's code calls, on another thread, around the sending of the reply, or
  else the only one of them if the thread that reads sends the reply, is the view: later requests are held there, unless
  it ran only after others may have done something;
- a coroutine that has begun before the request was read, and sends the reply, is a handler of a connection: it is held
  where it has read the request (`asyncio.StreamReader`);
- where the person's own code reads the request itself and sends the reply on the same thread, without waiting between
  the two for anything that another thread may do, that code is the view, and is held where it reads;
- so are requests that libraries alone answer, where the thread that reads has all of the reply before it waits again.

Of anything else it is not known which code answers, and nothing is held. A released request is answered here, and what
the server sends instead is dropped: it has its own way to write a reply.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import weakref
from typing import Any, Iterator, Optional, Tuple

from . import entries, finding, gate, layout, loops, recorder, reply, request, startup_report, watch
from .followed_watch import Seen, here, quietly

_END_OF_HEAD = b"\r\n\r\n"
_LONGEST_HEAD = 65_536
_EPOLLOUT = 0x4
_READS = ("read", "readline", "readuntil", "readexactly")


class Connection(socket.socket):
    """An accepted connection, in the place of the one that Python made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as the class's own, from here on
        super().__init__(*args, **kwargs)
        self.request = Request(self)

    def getsockname(self) -> Any:  # noqa: ANN401
        """As the class's own. From Python 3.15 on asyncio first asks for it in the context that serves the connection.

        (selector_events.py: `_accept_connection` makes that of the server's, and not of the one that accepts.)
        """
        here.set(self.request)
        return super().getsockname()

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """Reads, and looks at what was read."""
        self.request.conclude()
        data = super().recv(bufsize, flags)
        # What is only looked at will be read once more.
        return data if flags & socket.MSG_PEEK or self.request.came(data) else b""

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:  # noqa: ANN401
        """As `recv`."""
        self.request.conclude()
        count = super().recv_into(buffer, nbytes, flags)
        seen = memoryview(buffer).cast("B")[:count]
        return count if flags & socket.MSG_PEEK or self.request.came(bytes(seen)) else 0

    def send(self, data: Any, *args: Any) -> int:  # noqa: ANN401
        """Sends, unless the request is answered already."""
        return memoryview(data).nbytes if self.request.is_dropped(data) else super().send(data, *args)

    def sendall(self, data: Any, *args: Any) -> None:  # noqa: ANN401
        """As `send`."""
        if not self.request.is_dropped(data):
            super().sendall(data, *args)

    def sendmsg(self, buffers: Any, *args: Any) -> int:  # noqa: ANN401
        """As `send`."""
        buffers = list(buffers)
        if self.request.is_dropped(b"" if self.request.seen is None else b"".join(buffers)):
            return sum(memoryview(each).nbytes for each in buffers)
        return super().sendmsg(buffers, *args)

    def __reduce_ex__(self, protocol: Any) -> Any:  # noqa: ANN401
        """As multiprocessing hands on Python's own sockets; it looks for their very class."""
        handed_on = getattr(sys.modules.get("multiprocessing.reduction"), "_reduce_socket", None)
        return super().__reduce_ex__(protocol) if handed_on is None else handed_on(self)

    def answer(self) -> None:
        """Sends the reply of a held request."""
        lines = [b"HTTP/1.1 200 OK", *(f"{name}: {value}".encode() for name, value in reply.HEADERS)]
        head = b"\r\n".join([*lines, b"Connection: close", b"", b""])
        timeout = self.gettimeout()
        try:
            # A reply of the length asked for may need more than one call, also where the server does not block.
            self.settimeout(recorder.OWNER_CHECK_NS / 1e9)
            super().sendall(head + reply.BODY)
            self.settimeout(timeout)
        except OSError:
            return  # the client has left

    def close(self) -> None:
        """Closes it; what was watched is over."""
        self.request.conclude()
        super().close()

    def shutdown(self, how: int) -> None:
        """As `close`."""
        self.request.conclude()
        super().shutdown(how)


def follow(accepted: socket.socket) -> Connection:
    """The connection to use instead of one that was just accepted."""
    timeout = accepted.gettimeout()
    connection = Connection(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
    connection.settimeout(timeout)
    # asyncio makes what serves a connection in the context in which it has accepted it.
    here.set(connection.request)
    return connection


class Request:
    """What is known of the latest request on a connection.

    Attributes:
        claim: None if it is not one of this run's, or its head is not complete.
        held: where it will be held; None if it will not.
        seen: what is watched of it; None if it is not watched.
    """

    def __init__(self, connection: Connection) -> None:
        # The server may close a connection by dropping it.
        self._connection = weakref.ref(connection)
        self._head = b""
        self._dropped = False
        self.claim: Optional[request.RequestClaim] = None
        self.held: Optional[gate.Held] = None
        self.seen: Optional[Seen] = None

    def came(self, data: bytes) -> bool:
        """Takes in what was read; False if the server is to be told that nothing comes any more."""
        here.set(self)
        self._head = (self._head + data)[-_LONGEST_HEAD:]
        head, end, _ = self._head.partition(_END_OF_HEAD)
        if not end:
            return True
        self._head, self._dropped, self.held = b"", False, None
        self.claim = _claim(head)
        claim = self.claim
        return claim is None or quietly(lambda: self._arrived(claim), instead=True)

    def is_dropped(self, data: Any) -> bool:  # noqa: ANN401 - any bytes
        """Whether what the server sends is dropped. The first time that it is not, the reply begins."""
        if self.seen is not None:
            self.seen.replies(bytes(memoryview(data).cast("B")), sys._getframe(1))  # noqa: SLF001 - one's callers
        return self._dropped

    def is_to_send(self) -> bool:
        """Whether the server is going to wait until it may send on this connection.

        Sources: proc_pid_fdinfo(5): each descriptor that an epoll object looks at, and at which events (epoll_ctl(2));
        twisted.internet.interfaces.IReactorFDSet: what a reactor waits to send on, whichever way it looks.
        """
        connection = self._connection()
        if connection is None:
            return False
        if loops.reactor_runs():
            reactor: Any = sys.modules["twisted.internet.reactor"]
            return any(each.fileno() == connection.fileno() for each in reactor.getWriters())
        return any(number == connection.fileno() and events & _EPOLLOUT for number, events in _looked_at())

    def conclude(self) -> None:
        """Ends watching, if the reply has begun."""
        if self.seen is not None and self.seen.answered:
            quietly(self.seen.conclude, instead=None)
            self.seen = None

    def _arrived(self, claim: request.RequestClaim) -> bool:
        known, _ = finding.state()
        if known in (layout.ASKED, layout.WATCHED):
            finding.publish(layout.WATCHED, 1)
            startup_report.report("followed")
            gate.keep_context_in_threads()
            self.seen = Seen(self, claim, sys._getframe())  # noqa: SLF001 - one's callers
        elif known == layout.IN_VIEW:
            self._lead(claim)
        elif known == layout.AT_WHOLE:
            return self._hold(claim)
        return True

    def _lead(self, claim: request.RequestClaim) -> None:
        gates = _entry().gates()
        if gates:
            self.held = _entry().held_in_view(claim)
            self.held.via = "method"
            self.held.ending = self._ending(self.held.ending)

    def _hold(self, claim: request.RequestClaim) -> bool:
        view = finding.view()
        kind = gate.async_kind() if view.returns else "sync"
        held_in, via = _entry().held_in, "libraries"
        if view != finding.LIBRARIES:
            held_in, via = gate.held_in_view(_entry().interface, None, kind, view.qualname), "method"
        held = gate.Held(claim, None, held_in, kind, via, self._ending(gate.PLAIN))
        if kind == "sync":
            try:
                held.run()
            except ConnectionAbortedError:
                return False
        for name in _READS:
            gate.surround(getattr(sys.modules["asyncio.streams"].StreamReader, name), _reading)
        self.held = held
        return True

    def _ending(self, ending: gate.Ending) -> gate.Ending:
        """The view's end, with the reply before it. A server knows the error: its client has left."""

        def returned() -> object:
            self._answer()
            return ending.returned()

        def raised() -> BaseException:
            self._answer()
            return ConnectionAbortedError("held by holdfast")

        return gate.Ending(raised, returned, ending.returns)

    def _answer(self) -> None:
        connection = self._connection()
        if connection is not None and not self._dropped:
            connection.answer()
        self._dropped = True


def _reading(original: Any) -> gate.Function:  # noqa: ANN401 - a coroutine function
    async def read(*args: object, **kwargs: object) -> object:
        data = await original(*args, **kwargs)
        of = here.get()
        if of is not None and of.held is not None and not of.held.claim.held:
            await of.held.run_async()
        return data

    return read


_made: Optional[entries.Entry] = None


def _entry() -> entries.Entry:
    global _made  # noqa: PLW0603 - one for all requests
    if _made is None:
        _made = entries.Entry(None, "own server")
    return _made


def _looked_at() -> Iterator[Tuple[int, int]]:
    """The descriptors at which this process looks by epoll, and at which events."""
    for name in os.listdir("/proc/self/fdinfo"):
        with contextlib.suppress(OSError), open(f"/proc/self/fdinfo/{name}") as file:
            looks = [line.split() for line in file if line.startswith("tfd:")]
            yield from ((int(each[1]), int(each[3], 16)) for each in looks)


def _claim(head: bytes) -> Optional[request.RequestClaim]:
    """The claim of a request; None for every other one, and for what is not HTTP."""
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    wanted = layout.HEADER_FIELD.lower()
    for line in lines:
        name, _, value = line.partition(":")
        if name.lower() == wanted and len(words) > 1:
            return request.target_claim(value.strip(), words[1])
    return None


def _watched() -> Optional[Seen]:
    of = here.get()
    return of.seen if of is not None and of.seen is not None and of.seen.open else None


def _held() -> Optional[gate.Held]:
    of = here.get()
    return None if of is None or of.held is None or of.held.claim.held else of.held


watch.elsewhere.append(_watched)
gate.elsewhere.append(_held)
