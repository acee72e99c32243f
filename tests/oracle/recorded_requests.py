"""A server that keeps what it was sent, and answers as its path asks."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PAGE = (
    '<html><head><title>Möle</title><link rel="stylesheet" href="/look.css"><script src="/go.js"></script></head><body>'
    '<form action="/in"><input type="hidden" name="slip" value="s-1/2"></form><p class="n">n=<b>7</b></p><p>n=9</p>'
    '<img src="/p/1.gif"><img src="/p/2.gif"><img src="/p/1.gif"><a href="/t/5">tray</a></body></html>'
)
EMBEDDING = '<html><body><img src="/kept/1?Cache-Control=max-age=60"><img src="/kept/2?ETag=t"><img src="/p/3.gif">'
XML = '<?xml version="1.0"?><shelf xmlns:m="urn:m"><book id="1">one</book><book id="2">two</book><m:n>3</m:n></shelf>'
JSON = {
    "ok": True,
    "key": "k/1",
    "kg": 1.5,
    "none": None,
    "empty": [],
    "parcels": [{"id": 7, "to": "Ann"}, {"id": 9, "to": "Ben"}],
}


_DOCUMENTS = {
    "page": lambda: (PAGE, "text/html; charset=utf-8"),
    "broken": lambda: ('<html><body><img src="/status/404"><img src="/p/1.gif"></body></html>', "text/html"),
    "xml": lambda: (XML, "application/xml"),
    "size": lambda size: ("x" * int(size), "text/plain"),
}


@dataclass
class Received:
    """One request.

    Attributes:
        at: seconds, of a clock of its own.
        connection: its number, from the first.
    """

    at: float
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    connection: int


@dataclass
class Recording:
    """What a server was sent."""

    port: int
    received: list[Received] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def forget(self) -> list[Received]:
        """All that came so far, which is then gone."""
        with self.lock:
            found = list(self.received)
            self.received.clear()
            self.counts.clear()
        return found

    def nth(self, key: str) -> int:
        """How often this was asked, from 1."""
        with self.lock:
            self.counts[key] = self.counts.get(key, 0) + 1
            return self.counts[key]


@contextmanager
def recording_server() -> Iterator[Recording]:
    """A server on a port of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answering)
    server.daemon_threads = True
    kept = Recording(server.server_address[1])
    server.kept = kept  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def kept(self) -> Recording:
        return self.server.kept  # type: ignore[attr-defined,no-any-return]

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.kept.lock:
            self.kept.received.append(
                Received(
                    time.monotonic(),
                    self.command,
                    self.path,
                    list(self.headers.items()),
                    body,
                    self.client_address[1],
                )
            )
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        asked = {name: each[-1] for name, each in query.items()}
        if path == "/asks" and not self.knows(body):
            self.say(401, "{}", **{"WWW-Authenticate": asked["for"]})
        else:
            self.answer(path, asked)

    def knows(self, body: bytes) -> bool:
        """Whether a request proves by RFC 7616 that it knows ann's password, or by RFC 7617 says it."""
        scheme, _, said = (self.headers.get("Authorization") or "").partition(" ")
        if scheme == "Basic":
            return base64.b64decode(said) == b"ann:p w"
        parts = {name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', said)}
        make = hashlib.sha256 if parts.get("algorithm") == "SHA-256" else hashlib.md5

        def h(text: str) -> str:
            return make(text.encode(), usedforsecurity=False).hexdigest()

        secret = h(f"ann:{parts.get('realm')}:p w")
        if parts.get("algorithm") == "MD5-sess":
            secret = h(f"{secret}:{parts['nonce']}:{parts['cnonce']}")
        what = f"{self.command}:{self.path}" + (f":{h(body.decode())}" if parts.get("qop") == "auth-int" else "")
        between = [parts.get("nonce", ""), *([parts["nc"], parts["cnonce"], parts["qop"]] if "qop" in parts else [])]
        return scheme == "Digest" and parts.get("response") == h(":".join([secret, *between, h(what)]))

    def answer(self, path: str, query: dict[str, str]) -> None:
        first, *rest = path.split("/")[1:]
        if first in _DOCUMENTS:
            self.say(200, *_DOCUMENTS[first](*rest))
        elif first == "status":
            self.say(int(rest[0]), "{}")
        elif first == "go":
            self.say(int(query.get("code", 302)), "", Location=query["to"])
        elif first == "hops" and query["n"] != "0":
            self.say(302, "", Location=f"/hops?n={int(query['n']) - 1}")
        elif first == "cookie":
            self.say(200, "{}", **{"Set-Cookie": f"{query['name']}={query['value']}; Path={query.get('path', '/')}"})
        elif first == "kept":
            self.say(
                304 if query.get("ETag", "-") == self.headers.get("If-None-Match") else 200, json.dumps(JSON), **query
            )
        elif first in ("embedding", "text"):
            self.say(200, query.get("is", EMBEDDING), "text/html")
        elif first == "wait":
            time.sleep(int(query["ms"]) / 1000)
            self.say(200, "{}")
        elif first in ("nth", "fails"):
            number = self.kept.nth(path)
            self.say(503 if first == "fails" and number % 3 == 0 else 200, json.dumps({"n": number}))
        else:
            self.say(200, json.dumps(JSON))

    def say(self, status: int, text: str, kind: str = "application/json", **fields: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Lane", "B4")
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD" and status != 304:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
    setattr(_Answering, f"do_{method}", _Answering.handle_any)
