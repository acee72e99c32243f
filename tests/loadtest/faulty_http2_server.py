"""Speaks HTTP/2 with prior knowledge in every way that a server can; shares no code with the load generator.

    python faulty_http2_server.py [--streams N] [--window N] [--table N] [--goaway-after N] [--goaway-code N]
                                  [--then-streams N] [--broken-after N] [--certificate FILE]

It prints its port, and when its standard input ends what it has seen, as JSON:

    numbers      how often each number was answered or ended, of paths /N
    kinds        what it did, and how often
    bytes        of bodies that came
    at_once      most streams open at once on a connection
    connections  how many were opened
    unprocessed  streams that GOAWAY left out

/N         as KINDS says of N % 100, otherwise 200 with a body
/big/N     200 and a body of N bytes, as far as windows let it
/drip/N    200 and a body of N bytes, each in a frame of its own
/take/N    200 and how many bytes came, once the whole body did
/early/N   413 at once, whatever comes of the body
/silent/N  nothing
/hold/N    N server-sent events, and no end
/head/N    the head of 200 with 5 bytes
/together/N  200, once so many are open on the connection

--goaway-after: after so many requests on a connection, GOAWAY names the last of them; those beyond are passed over, and
the connection is closed once all others are answered. --then-streams: MAX_CONCURRENT_STREAMS from the tenth request of
a connection on. --broken-after: from this request of a connection on, none is answered. What follows the replies to
those before it, in the same bytes, is not HTTP/2, and nothing further is read.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import ssl
import sys
from collections import Counter
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
from h2.settings import SettingCodes
from hyperframe.frame import GoAwayFrame

KINDS = {
    0: "RST_STREAM INTERNAL_ERROR",
    1: "RST_STREAM REFUSED_STREAM",
    2: "busy",
    3: "early hints",
    4: "trailers",
    5: "too much body",
    6: "no content",
    7: "RST_STREAM in the body",
    8: "redirect",
    9: "several frames",
    10: "padded",
    11: "long head",
    12: "new field each time",
}

kinds: Counter[str] = Counter()
numbers: Counter[int] = Counter()
seen = {"bytes": 0, "at_once": 0, "connections": 0, "unprocessed": 0}


class Peer(asyncio.Protocol):
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        configuration = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        self.h2 = h2.connection.H2Connection(configuration)
        values = {SettingCodes.MAX_CONCURRENT_STREAMS: options.streams, SettingCodes.HEADER_TABLE_SIZE: options.table}
        self.h2.local_settings = h2.settings.Settings(client=False, initial_values=values)
        self.requests = 0
        self.last = 0
        self.is_over = False
        self.paths: dict[int, str] = {}
        self.came: Counter[int] = Counter()
        self.to_send: dict[int, bytes] = {}

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        seen["connections"] += 1
        self.h2.initiate_connection()
        # It is in force once the client has acknowledged it, and then also of streams that are open (RFC 9113, 6.9.2).
        self.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: self.options.window})
        self.flush()

    def flush(self) -> None:
        data = self.h2.data_to_send()
        if self.is_over:
            return
        self.transport.write(data + b"\xff" * 50 if self.is_broken() else data)
        if self.is_broken():
            self.is_over = True
            self.transport.pause_reading()
            self.transport.write_eof()

    def is_broken(self) -> bool:
        return 0 < self.options.broken_after <= self.requests

    def data_received(self, data: bytes) -> None:
        try:
            events = self.h2.receive_data(data)
        except h2.exceptions.ProtocolError as error:
            kinds[f"client broke HTTP/2: {error}"] += 1
            events = []
        for event in events:
            match event:
                case h2.events.RequestReceived():
                    self.requested(event)
                case h2.events.DataReceived():
                    self.body(event)
                case h2.events.StreamEnded():
                    self.ended(event.stream_id)
                case h2.events.StreamReset():
                    kinds[f"cancelled {event.error_code!s}"] += 1
                    self.paths.pop(event.stream_id, None)
                    self.to_send.pop(event.stream_id, None)
                case h2.events.WindowUpdated() | h2.events.RemoteSettingsChanged():
                    self.pump()
        self.flush()
        if self.last and not self.paths and not self.is_over and self.transport.can_write_eof():
            # Closed at once, it would be reset with what is unread, and replies with it (RFC 9112, 9.6).
            self.is_over = True
            self.transport.write_eof()

    def requested(self, event: Any) -> None:
        if self.last:
            seen["unprocessed"] += 1
            return
        self.requests += 1
        stream = event.stream_id
        self.paths[stream] = dict(event.headers)[":path"]
        seen["at_once"] = max(seen["at_once"], len(self.paths))
        if self.paths[stream].startswith("/early/"):
            kinds["early"] += 1
            self.h2.send_headers(stream, [(":status", "413"), ("content-length", "0")], end_stream=True)
            del self.paths[stream]
        if self.options.then_streams and self.requests == 10:
            self.h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: self.options.then_streams})
        if self.requests == self.options.goaway_after:
            self.last = stream
            self.flush()
            goaway = GoAwayFrame(0, last_stream_id=stream, error_code=self.options.goaway_code)
            self.transport.write(goaway.serialize())

    def body(self, event: Any) -> None:
        seen["bytes"] += len(event.data)
        self.came[event.stream_id] += len(event.data)
        many, stream = event.flow_controlled_length, event.stream_id
        # The library's own way gathers what has come, and forgets a part of it where settings make a window smaller.
        if many:
            self.h2.increment_flow_control_window(many)
            if stream in self.paths and event.stream_ended is None:
                self.h2.increment_flow_control_window(many, stream)

    def ended(self, stream: int) -> None:
        path = self.paths.get(stream)
        if path is None or self.is_broken():
            return
        _, what, *more = path.split("/")
        if more:
            if what != "together":
                kinds[what] += 1
            getattr(self, what)(stream, int(more[0]))
            return
        number = int(what or 0)
        numbers[number] += 1
        kind = KINDS.get(number % 100, "usual")
        kinds[kind] += 1
        self.faulty(stream, kind, number)
        self.paths.pop(stream, None)

    def big(self, stream: int, many: int) -> None:
        self.h2.send_headers(stream, [(":status", "200"), ("content-length", str(many))])
        self.to_send[stream] = b"b" * many
        self.pump()

    def drip(self, stream: int, many: int) -> None:
        self.h2.send_headers(stream, [(":status", "200")])
        for at in range(many):
            self.h2.send_data(stream, b"d", end_stream=at == many - 1)
        del self.paths[stream]

    def take(self, stream: int, _many: int) -> None:
        self.answer(stream, b"%d" % self.came[stream])

    def head(self, stream: int, _many: int) -> None:
        self.h2.send_headers(stream, [(":status", "200"), ("content-length", "5")], end_stream=True)
        del self.paths[stream]

    def together(self, _stream: int, many: int) -> None:
        if len(self.paths) == many:
            for each in tuple(self.paths):
                kinds["together"] += 1
                self.answer(each)

    def hold(self, stream: int, many: int) -> None:
        self.h2.send_headers(stream, [(":status", "200"), ("content-type", "text/event-stream")])
        for number in range(many):
            self.h2.send_data(stream, b"data: %d\n\n" % number)

    def silent(self, _stream: int, _many: int) -> None:
        pass

    def answer(self, stream: int, body: bytes = b"ok", status: str = "200", *fields: tuple[str, str]) -> None:
        self.h2.send_headers(stream, [(":status", status), ("content-length", str(len(body))), *fields])
        self.h2.send_data(stream, body, end_stream=True)
        self.paths.pop(stream, None)

    def faulty(self, stream: int, kind: str, number: int) -> None:
        send_headers, send_data = self.h2.send_headers, self.h2.send_data
        match kind:
            case "RST_STREAM INTERNAL_ERROR":
                self.h2.reset_stream(stream, 2)
            case "RST_STREAM REFUSED_STREAM":
                self.h2.reset_stream(stream, 7)
            case "busy":
                self.answer(stream, b"busy", "503")
            case "early hints":
                send_headers(stream, [(":status", "103"), ("link", "</a>")])
                self.answer(stream)
            case "trailers":
                send_headers(stream, [(":status", "200")])
                send_data(stream, b"body")
                send_headers(stream, [("checksum", "1")], end_stream=True)
            case _:
                self.unusual(stream, kind, number)

    def unusual(self, stream: int, kind: str, number: int) -> None:
        send_headers, send_data = self.h2.send_headers, self.h2.send_data
        match kind:
            case "too much body":
                send_headers(stream, [(":status", "200"), ("content-length", "1")])
                send_data(stream, b"more", end_stream=True)
            case "no content":
                send_headers(stream, [(":status", "204")], end_stream=True)
            case "RST_STREAM in the body":
                send_headers(stream, [(":status", "200"), ("content-length", "10")])
                send_data(stream, b"abc")
                self.h2.reset_stream(stream, 8)
            case "redirect":
                self.answer(stream, b"", "302", ("location", "/elsewhere?a=1"))
            case "several frames":
                send_headers(stream, [(":status", "200")])
                send_data(stream, b"a")
                send_data(stream, b"b")
                send_data(stream, b"", end_stream=True)
            case "padded":
                send_headers(stream, [(":status", "200"), ("content-length", "2")])
                send_data(stream, b"ok", end_stream=True, pad_length=20)
            case "long head":
                send_headers(stream, [(":status", "200"), ("x-long", "x" * 20_000)])
                send_data(stream, b"ok", end_stream=True)
            case "new field each time":
                self.answer(stream, b"ok", "200", ("x-number", str(number)))
            case _:
                self.answer(stream)

    def pump(self) -> None:
        for stream, left in list(self.to_send.items()):
            size = min(len(left), self.h2.local_flow_control_window(stream), 100_000)
            for at in range(0, size, 16_384):
                piece = left[at : min(size, at + 16_384)]
                self.h2.send_data(stream, piece, end_stream=at + len(piece) == len(left))
            if size == len(left):
                del self.to_send[stream], self.paths[stream]
            else:
                self.to_send[stream] = left[size:]
                if size:
                    asyncio.get_running_loop().call_soon(self.pump_more)

    def pump_more(self) -> None:
        self.pump()
        self.flush()


async def serve(options: argparse.Namespace) -> None:
    context = None
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate)
        context.set_alpn_protocols(["h2"])
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
    server = await loop.create_server(lambda: Peer(options), sock=listener, ssl=context)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    over = asyncio.Event()
    loop.add_reader(sys.stdin, over.set)
    await over.wait()
    server.close()
    sys.stdout.write(json.dumps({"numbers": numbers, "kinds": kinds, **seen}))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--window", type=int, default=65_535)
    parser.add_argument("--table", type=int, default=4096)
    parser.add_argument("--goaway-after", type=int, default=0)
    parser.add_argument("--goaway-code", type=int, default=0)
    parser.add_argument("--then-streams", type=int, default=0)
    parser.add_argument("--broken-after", type=int, default=0)
    parser.add_argument("--certificate")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
