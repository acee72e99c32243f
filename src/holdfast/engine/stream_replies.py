"""The replies on the streams of one HTTP/2 connection: its server's bytes -> what became of each request; pure.

Facts
-----
* GOAWAY names the last stream that the server has taken. Those beyond it were not processed, and may be sent again;
  a later GOAWAY may name a lower one (RFC 9113, 6.8).
* A server may answer before it has taken the whole request (8.1); what is left of that is then not wanted.
* Frames of a stream that we have cancelled may still come, and their heads must be read: they change the table (4.3).

Decisions
---------
* A reply whose head is the same bytes as that of another one, and whose body is one frame of the same length, is the
  *usual* one: nothing of it is looked at but that. 1.0 us for each of them instead of 9 us (measured).
* The caller, who knows what an answer is, says which reply is the usual one (`adopt`).
* Both windows are so large that no reply ever waits for us, and are opened again when half of one is used up (5.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from holdfast.engine import frames
from holdfast.engine.frames import BROKEN, FRAME_HEAD, HEAD
from holdfast.engine.header_blocks import ReplyBlocks
from holdfast.engine.http1 import BODILESS, FIRST_FINAL, MAX_HEAD_BYTES, ProtocolError
from holdfast.engine.http2_begin import Begin
from holdfast.engine.stream_reply import NO_BODY, GoAway, Heard, Progress, Reply, Usual, What
from holdfast.engine.uploads import Uploads

WINDOW = 2**30


class StreamReplies:
    """The receiving half of our end of one connection.

    Attributes:
        goaway: as it was last sent; None before.
        usual: the usual reply; None where there is none.
        waiting: rows of which nothing has come, by stream.
        uploads: bodies that are still to be sent.
    """

    __slots__ = (
        "_begin",
        "_head_only",
        "_heard",
        "_holds",
        "_left",
        "_most_kept",
        "_out",
        "_reading",
        "_replies",
        "_slow",
        "_unacknowledged",
        "_unended",
        "goaway",
        "uploads",
        "usual",
        "waiting",
    )

    def __init__(self, uploads: Uploads, *, most_kept: int, head_only: bool) -> None:
        """As `multiplex.Multiplex`, which is the other half."""
        self.goaway: GoAway | None = None
        self.usual: Usual | None = None
        self.waiting: dict[int, int] = {}
        self.uploads = uploads
        self._most_kept = most_kept
        self._head_only = head_only
        self._replies = ReplyBlocks()
        self._reading: dict[int, int] = {}
        self._slow: dict[int, Reply] = {}
        self._begin: Begin | None = Begin()
        self._left = b""
        self._unacknowledged = 0
        self._holds = False
        # A head of several frames: its stream, flags, and bytes so far (6.10).
        self._unended: tuple[int, int, bytearray] | None = None
        self._heard: list[Heard] = []
        self._out: list[bytes] = []

    @property
    def in_flight(self) -> int:
        """Requests that were sent and have not ended."""
        return len(self.waiting) + len(self._reading) + len(self._slow)

    def rows(self) -> dict[int, int]:
        """Rows in flight by their streams, in the order in which they were sent."""
        slow = {stream: reply.row for stream, reply in self._slow.items()}
        return dict(sorted({**self.waiting, **self._reading, **slow}.items()))

    def adopt(self, reply: Reply) -> None:
        """Takes a reply that has ended for the usual one, if others can look the same."""
        head = reply.head
        if head is None or self._replies.known(reply.block) is not head or reply.body:
            return
        has_body = reply.frames == 2 and reply.received == 2 * FRAME_HEAD + len(reply.block) + reply.length
        if not has_body and not (reply.frames == 1 and reply.received == FRAME_HEAD + len(reply.block)):
            return
        flags = frames.END_HEADERS | (0 if has_body else frames.END_STREAM)
        usual = Usual(head, reply.block, flags, reply.length if has_body else NO_BODY)
        if usual != self.usual:
            for stream in tuple(self._reading):
                self._slowly(stream)
            self.usual = usual
        self._holds = True

    def receive(self, data: bytes) -> Progress:
        """Takes the next bytes of the connection, and gives what they say; there may be more to send then.

        Raises:
            ProtocolError: these bytes, after those before, are not HTTP/2, and said nothing before that.
        """
        if self._begin is not None and self._begin.is_over(data):
            self._begin = None
        headed: list[int] = []
        ended: list[int] = []
        broken = ""
        try:
            self._frames(self._left + data if self._left else data, headed, ended)
        except ProtocolError as error:
            broken = str(error)
            # Replies that ended before that are known only here.
            if not headed and not ended and not self._heard:
                raise
        heard, self._heard = self._heard, []
        return Progress(headed, ended, heard, broken)

    def _frames(self, data: bytes, headed: list[int], ended: list[int]) -> None:
        at, end, flow, repeated, unpack = 0, len(data), 0, 0, HEAD.unpack_from
        waiting, reading = self.waiting, self._reading
        block, block_bytes, block_flags, body = self._usual_parts()
        while at + FRAME_HEAD <= end:
            high, low, kind, flags, stream = unpack(data, at)
            length = high << 8 | low
            begin = at + FRAME_HEAD
            after = begin + length
            if after > end:
                frames.check_length(length)
                break
            at = after
            # Written out and without calls, for the usual reply.
            if kind == 0:
                if length == body and flags == 1 and (row := reading.pop(stream, None)) is not None:
                    ended.append(row)
                    flow += length
                    continue
            elif kind == 1 and length == block_bytes and flags == block_flags and data[begin:after] == block:
                row = waiting.pop(stream, None)
                if row is not None:
                    headed.append(row)
                    if body == NO_BODY:
                        ended.append(row)
                    else:
                        reading[stream] = row
                    continue
            frames.check_length(length)
            repeated = self._repeated(headed, repeated)
            self._frame(kind, flags, stream & frames.STREAM_BITS, data[begin:after])
            block, block_bytes, block_flags, body = self._usual_parts()
        self._repeated(headed, repeated)
        self._left = data[at:]
        self._consume(flow)
        if ended and len(self.uploads):
            self._drop_uploads()

    def _repeated(self, headed: Sequence[int], before: int) -> int:
        """Tells those who read heads how often the usual one has come, of which `before` are told of."""
        if self.usual is not None:
            self._replies.repeated(self.usual.head, len(headed) - before)
        return len(headed)

    def _usual_parts(self) -> tuple[bytes, int, int, int]:
        """The usual reply's block, its length, its flags, and the length of its body; -1 is never met."""
        usual = self.usual
        if usual is None:
            return b"", NO_BODY, NO_BODY, NO_BODY
        if not self._holds or self._unended is not None:
            # Its head no longer means the same; bodies that have begun still end.
            return b"", NO_BODY, NO_BODY, usual.body
        return usual.block, len(usual.block), usual.flags, usual.body

    def _frame(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if self._unended is not None and (kind != frames.CONTINUATION or stream != self._unended[0]):
            raise ProtocolError(f"{BROKEN}: a head is interrupted by another frame")
        # What is of no known kind is passed over (4.1), and so are priorities, which a server has no use for (5.3.2).
        if (take := self._TAKES.get(kind)) is not None:
            take(self, flags, stream, payload)

    def _headers(self, flags: int, stream: int, payload: bytes) -> None:
        self._check_stream(stream, "HEADERS")
        block = frames.unpadded(flags, payload)
        if flags & frames.WITH_PRIORITY:
            block = block[5:]
        if (reply := self._slowly(stream)) is not None:
            reply.received += FRAME_HEAD + len(payload)
            reply.frames += 1
        if flags & frames.END_HEADERS:
            self._head(reply, flags, block)
        else:
            self._unended = (stream, flags, bytearray(block))

    def _continuation(self, flags: int, stream: int, payload: bytes) -> None:
        if self._unended is None:
            raise ProtocolError(f"{BROKEN}: a head is continued that has not begun")
        _, first_flags, block = self._unended
        block += payload
        if len(block) > MAX_HEAD_BYTES:
            raise ProtocolError(f"the head of the reply does not end within {MAX_HEAD_BYTES // 1024} KiB")
        if (reply := self._slow.get(stream)) is not None:
            reply.received += FRAME_HEAD + len(payload)
            reply.frames += 1
        if flags & frames.END_HEADERS:
            self._unended = None
            self._head(reply, first_flags, bytes(block))

    def _head(self, reply: Reply | None, flags: int, block: bytes) -> None:
        """A whole field section: of an interim or the final reply, or trailers."""
        head = self._replies.read(block)
        if head.adds and self.usual is not None and self.usual.head.depends:
            self._holds = False
        if reply is None:
            return
        ends = bool(flags & frames.END_STREAM)
        if head.broken or (reply.head is None) != bool(head.status) or (reply.head is not None and not ends):
            self._malformed(reply, head.broken or "a reply has a head in the wrong place")
        elif 0 < head.status < FIRST_FINAL:
            if ends:
                self._malformed(reply, f"a reply ends with the status {head.status}")
        else:
            if reply.head is None:
                reply.head, reply.block = head, block
                self._heard.append(Heard("head", reply))
            if ends:
                self._end(reply)

    def _data(self, flags: int, stream: int, payload: bytes) -> None:
        self._check_stream(stream, "DATA")
        self._consume(len(payload))
        if (reply := self._slowly(stream)) is None:
            return
        reply.received += FRAME_HEAD + len(payload)
        reply.frames += 1
        reply.unacknowledged += len(payload)
        if reply.head is None:
            self._malformed(reply, "a reply has a body before its head")
            return
        data = frames.unpadded(flags, payload)
        reply.length += len(data)
        if len(reply.body) < self._most_kept:
            reply.body += data[: self._most_kept - len(reply.body)]
        if flags & frames.END_STREAM:
            if data:
                self._heard.append(Heard("part", reply, data=data))
            self._end(reply)
            return
        self._heard.append(Heard("part", reply, data=data))
        if reply.unacknowledged >= WINDOW // 2:
            self._out.append(frames.of_number(frames.WINDOW_UPDATE, stream, reply.unacknowledged))
            reply.unacknowledged = 0

    def _end(self, reply: Reply) -> None:
        head = reply.head
        announced = None if head is None or self._head_only or head.status in BODILESS else head.length
        if announced is not None and announced != reply.length:
            self._malformed(reply, f"a body of {announced:,} bytes was announced, and {reply.length:,} came")
            return
        del self._slow[reply.stream]
        self._stop_upload(reply.stream)
        self._heard.append(Heard("end", reply))

    def _malformed(self, reply: Reply, words: str) -> None:
        self._forget(reply.stream)
        self._reset(reply.stream, frames.PROTOCOL_ERROR)
        self._heard.append(Heard("malformed", reply, f"{BROKEN}: {words}"))

    def _ended_by(self, _flags: int, stream: int, payload: bytes) -> None:
        if len(payload) != 4:
            raise ProtocolError(f"{BROKEN}: RST_STREAM has {len(payload)} bytes")
        self._check_stream(stream, "RST_STREAM")
        if (reply := self._forget(stream)) is not None:
            code = int.from_bytes(payload, "big")
            what: What = "refused" if code == frames.REFUSED_STREAM else "rst"
            self._heard.append(Heard(what, reply, frames.code_name(code)))

    def _gone_away(self, _flags: int, stream: int, payload: bytes) -> None:
        if len(payload) < 8 or stream:
            raise ProtocolError(f"{BROKEN}: a GOAWAY frame that is cut short, or on a stream")
        last = int.from_bytes(payload[:4], "big") & frames.STREAM_BITS
        if self.goaway is not None:
            last = min(last, self.goaway.last)
        self.goaway = GoAway(last, frames.code_name(int.from_bytes(payload[4:8], "big")))
        for each in [each for each in self.rows() if each > last]:
            if (reply := self._forget(each)) is not None:
                self._heard.append(Heard("again", reply, self.goaway.code))

    def _window(self, _flags: int, stream: int, payload: bytes) -> None:
        more = int.from_bytes(payload, "big") & frames.STREAM_BITS
        if len(payload) != 4 or (not more and not stream):
            raise ProtocolError(f"{BROKEN}: WINDOW_UPDATE is cut short, or opens nothing")
        if stream:
            self._check_stream(stream, "WINDOW_UPDATE")
        if (not more or not self.uploads.widen(stream, more)) and (reply := self._slowly(stream)) is not None:
            self._malformed(reply, "a window is opened by nothing, or beyond 2^31-1 bytes")

    def _ping(self, flags: int, stream: int, payload: bytes) -> None:
        if len(payload) != 8 or stream:
            raise ProtocolError(f"{BROKEN}: a PING frame has {len(payload)} bytes, or is on a stream")
        if not flags & frames.ACK:
            self._out.append(frames.frame(frames.PING, frames.ACK, 0, payload))

    def _pushed(self, _flags: int, _stream: int, _payload: bytes) -> None:
        raise ProtocolError(f"{BROKEN}: it pushes, which our settings forbid")

    def _settings_frame(self, flags: int, stream: int, payload: bytes) -> None:
        if stream or len(payload) % 6 or (flags & frames.ACK and payload):
            raise ProtocolError(f"{BROKEN}: a SETTINGS frame has {len(payload)} bytes, or is on a stream")
        if not flags & frames.ACK:
            self._settings(payload)

    def _settings(self, payload: bytes) -> None:
        """The server's settings: they are about requests."""
        raise NotImplementedError

    @property
    def _highest_stream(self) -> int:
        """The highest that was opened."""
        raise NotImplementedError

    def _check_stream(self, stream: int, name: str) -> None:
        """Of a stream that was never opened, a server says nothing (5.1)."""
        if stream % 2 == 0 or stream > self._highest_stream:
            raise ProtocolError(f"{BROKEN}: {name} came on stream {stream}, which was not opened")

    def _slowly(self, stream: int) -> Reply | None:
        """The reply on a stream, of which something unusual has come; None of a stream that has ended."""
        if (reply := self._slow.get(stream)) is not None:
            return reply
        row = self.waiting.pop(stream, None)
        if row is not None:
            reply = self._slow[stream] = Reply(row, stream)
            return reply
        row = self._reading.pop(stream, None)
        if row is None or self.usual is None:
            return None
        reply = self._slow[stream] = Reply(row, stream)
        reply.head, reply.block = self.usual.head, self.usual.block
        reply.received, reply.frames = self.usual.head_bytes, 1
        return reply

    def _forget(self, stream: int) -> Reply | None:
        """Ends a stream; what came of its reply, or None where it had ended."""
        reply = self._slowly(stream)
        if reply is not None:
            del self._slow[stream]
            self.uploads.drop(stream)
        return reply

    def _reset(self, stream: int, code: int) -> None:
        self._out.append(frames.of_number(frames.RST_STREAM, stream, code))

    def _stop_upload(self, stream: int) -> None:
        """Of a request that is answered, nothing further is sent (8.1)."""
        if stream in self.uploads:
            self.uploads.drop(stream)
            self._reset(stream, frames.CANCEL)

    def _drop_uploads(self) -> None:
        for stream in self.uploads.streams():
            if stream not in self.waiting and stream not in self._reading and stream not in self._slow:
                self._stop_upload(stream)

    def _consume(self, length: int) -> None:
        """Opens the connection's window again when half of it is used up."""
        self._unacknowledged += length
        if self._unacknowledged > WINDOW:
            raise ProtocolError(f"{BROKEN}: it sent more than our window of {WINDOW:,} bytes")
        if self._unacknowledged >= WINDOW // 2:
            self._out.append(frames.of_number(frames.WINDOW_UPDATE, 0, self._unacknowledged))
            self._unacknowledged = 0

    _TAKES: ClassVar[Mapping[int, Callable[[StreamReplies, int, int, bytes], None]]] = {
        frames.DATA: _data,
        frames.HEADERS: _headers,
        frames.CONTINUATION: _continuation,
        frames.RST_STREAM: _ended_by,
        frames.SETTINGS: _settings_frame,
        frames.GOAWAY: _gone_away,
        frames.WINDOW_UPDATE: _window,
        frames.PING: _ping,
        frames.PUSH_PROMISE: _pushed,
    }
