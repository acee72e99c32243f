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
  the two for anything that another thread may do, that code is the view, and is held where it reads.

Of anything else it is not known which code answers, and nothing is held. A released request is answered here, and what
the server sends instead is dropped: it has its own way to write a reply.
"""

from __future__ import annotations

import contextvars
import socket
import sys
import threading
import types
import weakref
from typing import Any, Dict, List, Optional, Set

from . import (
    entries,
    finding,
    gate,
    layout,
    own_code,
    recorder,
    reply,
    request,
    startup_report,
    staying,
    view_functions,
    watch,
)

_END_OF_HEAD = b"\r\n\r\n"
_LONGEST_HEAD = 65_536

_here: contextvars.ContextVar[Optional[Request]] = contextvars.ContextVar("holdfast connection", default=None)


class Connection(socket.socket):
    """An accepted connection, in the place of the one that Python made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as the class's own, from here on
        super().__init__(*args, **kwargs)
        self.request = Request(self)

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
        return memoryview(data).nbytes if self.request.is_dropped() else super().send(data, *args)

    def sendall(self, data: Any, *args: Any) -> None:  # noqa: ANN401
        """As `send`."""
        if not self.request.is_dropped():
            super().sendall(data, *args)

    def sendmsg(self, buffers: Any, *args: Any) -> int:  # noqa: ANN401
        """As `send`."""
        buffers = list(buffers)
        if self.request.is_dropped():
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
    _here.set(connection.request)
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
        _here.set(self)
        self._head = (self._head + data)[-_LONGEST_HEAD:]
        head, end, _ = self._head.partition(_END_OF_HEAD)
        if not end:
            return True
        self._head, self._dropped, self.held = b"", False, None
        self.claim = _claim(head)
        return self.claim is None or self._arrived(self.claim)

    def is_dropped(self) -> bool:
        """Whether what the server sends is dropped. The first time that it is not, the reply begins."""
        if self.seen is not None:
            self.seen.reply_begins(sys._getframe(1))  # noqa: SLF001 - one's callers
        return self._dropped

    def conclude(self) -> None:
        """Ends watching, if the reply has begun."""
        if self.seen is not None and self.seen.answered:
            self.seen.conclude()
            self.seen = None

    def _arrived(self, claim: request.RequestClaim) -> bool:
        known, _ = finding.state()
        if known in (layout.ASKED, layout.WATCHED):
            finding.publish(layout.WATCHED, 1)
            startup_report.report("followed")
            gate.keep_context_in_threads()
            self.seen = Seen(self, claim, sys._getframe(3))  # noqa: SLF001 - one's callers
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
        functions = view_functions.functions_of(view)
        kind = gate.kind_of(functions[0]) if functions else "sync"
        held_in = gate.held_in_view(_entry().interface, None, kind, view.qualname)
        held = gate.Held(claim, None, held_in, kind, "method", self._ending(gate.PLAIN))
        if kind == "sync":
            try:
                held.run()
            except ConnectionAbortedError:
                return False
        for name in ("read", "readline", "readuntil", "readexactly"):
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
        if (connection := self._connection()) is not None and not self._dropped:
            connection.answer()
        self._dropped = True


def _reading(original: Any) -> gate.Function:  # noqa: ANN401 - a coroutine function
    async def read(*args: object, **kwargs: object) -> object:
        data = await original(*args, **kwargs)
        here = _here.get()
        if here is not None and here.held is not None and not here.held.claim.held:
            await here.held.run_async()
        return data

    return read


class Seen(watch.Watch):
    """What is seen of one request from the end of its head on.

    Attributes:
        waited: whether the thread that read it has since waited for something, or given an executor something to do.
    """

    def __init__(self, of: Request, claim: request.RequestClaim, reader: Optional[types.FrameType]) -> None:
        global _latest  # noqa: PLW0603 - the profile function finds it
        super().__init__(claim, None)
        self.of = of
        self.waited = False
        self._reader = threading.get_ident()
        self._around_reader: Dict[int, types.FrameType] = {}
        self._around_reply: Dict[int, types.FrameType] = {}
        self._hook: Any = None
        self._in_reader = False
        self._late: Set[int] = set()
        self._in_loop, self._in_asyncio = recorder.loop_runs(), recorder.asyncio_runs()
        while reader is not None:
            self._around_reader[id(reader)] = reader
            reader = reader.f_back
        _latest = self
        if sys.getprofile() is None:
            self._hook = getattr(threading, "_profile_hook", None)
            threading.setprofile(_profile)
            sys.setprofile(_profile)

    def noted(self, frame: types.FrameType, event: str, argument: object) -> None:
        """Takes in what a thread does, as a profile function is told it."""
        reads = threading.get_ident() == self._reader
        if reads and not self.answered:
            self.waited |= staying.depends_on_others(frame, event, argument, in_asyncio=self._in_asyncio)
        if event == "call":
            # What asyncio resumes it knows by its context.
            if reads and self.waited and not (self._in_asyncio and view_functions.is_resumed(frame)):
                self._late.add(id(frame))
            self.called(frame)
        elif event == "return":
            self.returns(frame, argument)
            if self.answered and (frame.f_back is None or id(frame.f_back) in self._around_reader):
                self.conclude()

    def returns(self, frame: types.FrameType, result: object) -> None:
        """As of any watch; what the server does with the result when the reply has begun is not known."""
        for each in self._owners:
            each.returns(frame, result, answered=False)

    def around(self, frame: Optional[types.FrameType]) -> watch.Frames:
        """As of any watch, as far as to what was running when the request was read."""
        return [each for each in super().around(frame) if id(each) not in self._around_reader]

    def reply_begins(self, frame: Optional[types.FrameType]) -> None:
        """Notes what is around the first sending."""
        if self.answered:
            return
        self.answered = True
        self._in_reader = threading.get_ident() == self._reader and _here.get() is self.of
        while frame is not None:
            self._around_reply[id(frame)] = frame
            frame = frame.f_back

    def conclude(self) -> None:
        """Tells all processes what was seen."""
        if not self.open:
            return
        self.open = False
        threading.setprofile(self._hook)
        found = self._found()
        whole = None if found is not None else self._whole()
        self._around_reader, self._around_reply, self._owners = {}, {}, []
        if finding.state()[0] == layout.WATCHED and not self.of.held:
            known = layout.IN_VIEW if found else layout.AT_WHOLE if whole else layout.AT_ENTRY
            finding.publish(known, 1, found or whole)

    def _found(self) -> Optional[finding.View]:
        """The view that the server's code has called; None if it cannot be told."""
        for owner in self.answering():
            fresh = [each for each in owner.last() if not each.resumed]
            late = [each for each in fresh if each.thread == self._reader and id(each.frame) in self._late]
            if late and not self._in_asyncio:
                # Without a context of its own, a later call cannot be told from that for another request.
                return None
            elsewhere = [each for each in fresh if each.thread != self._reader]
            replying = [each for each in fresh if id(each.frame) in self._around_reply]
            left = elsewhere or replying
            if not left and self._in_reader:
                left = [each for each in fresh if each.returned] or fresh
            if left:
                only = len({each.code for each in left}) == 1 and left[0] not in late and not left[0].promised
                return left[0].view({each.code for each in owner.last()} | left[0].inner) if only else None
        return None

    def _whole(self) -> Optional[finding.View]:
        """The person's code that reads the request itself and sends the reply; None if it cannot be told."""
        if self.way.left:
            return None
        for owner in self._owners:
            last = owner.last()
            if any(not each.resumed for each in last):
                return None
            if self._in_loop:
                codes = [each.code for each in last if id(each.frame) in self._around_reply]
            else:
                codes = self._reading_codes(owner)
            if codes:
                return view_functions.as_found(codes[0])
        return None

    def _reading_codes(self, owner: Any) -> List[types.CodeType]:  # noqa: ANN401 - see watch
        around = [each for each in self._around_reader.values() if not own_code.is_standard(each.f_code.co_filename)]
        if self.waited or not self._in_reader or not around or not owner.is_own(around[0].f_code.co_filename):
            return []
        both = [each for each in around if id(each) in self._around_reply]
        return [each.f_code for each in both if owner.is_own(each.f_code.co_filename)]


_latest: Optional[Seen] = None
_made: Optional[entries.Entry] = None


def _entry() -> entries.Entry:
    global _made  # noqa: PLW0603 - one for all requests
    if _made is None:
        _made = entries.Entry(None, "own server")
    return _made


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
    here = _here.get()
    return here.seen if here is not None and here.seen is not None and here.seen.open else None


def _held() -> Optional[gate.Held]:
    here = _here.get()
    return None if here is None or here.held is None or here.held.claim.held else here.held


watch.elsewhere.append(_watched)
gate.elsewhere.append(_held)


def _profile(frame: types.FrameType, event: str, argument: object) -> None:
    seen, here = _latest, _here.get()
    if seen is None or not seen.open:
        sys.setprofile(None)
        return
    # A thread that began meanwhile has a context of its own.
    if here is not None and here is not seen.of:
        return
    try:
        seen.noted(frame, event, argument)
    except Exception:
        # The application must not notice; what was missed is not found.
        seen.open = False
