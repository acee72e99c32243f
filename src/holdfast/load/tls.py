"""Connections that speak TLS: the same engine, with a handshake between "connected" and "sent".

Facts
-----
* TLS is read in records, so a short read does not mean that nothing is left: only "want read" does.
* A handshake waits for the peer to accept and to compute. `sent` is stamped when it is over, so that it does not
  count as part of the request's service.
* The plain engine hands a readable socket to `_send` first while something is unsent, which is also what a
  handshake needs: its next flight goes out when the peer's has come.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import cast

from holdfast.load.columns import Columns
from holdfast.load.connection import Connection
from holdfast.load.endpoint import NO_TLS, Tls
from holdfast.load.epoll import RECEIVE_BYTES, Connections
from holdfast.load.exchange import Event, event_of_errno


class TlsSocket:
    """A non-blocking TLS socket that behaves like a plain one: it waits with BlockingIOError and ends with b"".

    The plain socket stays as it is, and with it its descriptor, which the engine knows it by; TLS is worked out
    in memory (ssl.SSLObject).

    Attributes:
        shaken: the handshake is over.
    """

    __slots__ = ("_coming", "_going", "_sock", "_ssl", "_taken", "_unsent", "shaken")

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, host: str) -> None:
        self._sock = sock
        self._coming, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ssl = context.wrap_bio(self._coming, self._going, server_hostname=host)
        self._unsent = b""
        self._taken = 0
        self.shaken = False

    def shake(self) -> None:
        """The handshake as far as it goes now.

        Raises:
            BlockingIOError: the peer's answer is not there yet.
            OSError: the connection broke; ssl.SSLError: the peer speaks no TLS, or not with us.
        """
        while not self.shaken:
            try:
                self._ssl.do_handshake()
                self.shaken = True
            except ssl.SSLWantReadError:
                self._flush()
                self._fetch()
            except ssl.SSLError:
                with contextlib.suppress(OSError):
                    self._flush()  # the alert that tells the peer why
                raise
        self._flush()

    def send(self, data: bytes) -> int:
        """As socket.send."""
        if not self._taken:
            self._taken = self._ssl.write(data)
        self._flush()
        count, self._taken = self._taken, 0
        return count

    def recv(self, count: int) -> bytes:
        """As socket.recv: fewer than `count` bytes only where no more are there now."""
        if not self.shaken:
            raise BlockingIOError
        data = b""
        while len(data) < count:
            try:
                more = self._ssl.read(count - len(data))
            except ssl.SSLWantReadError:
                try:
                    self._fetch()
                except BlockingIOError:
                    if data:
                        break
                    raise
                continue
            except ssl.SSLError:
                more = b""  # an end, with TLS's own farewell or without, or bytes that cannot be read
            data += more
            if not more:
                break
        return data

    def fileno(self) -> int:
        """The descriptor."""
        return self._sock.fileno()

    def setsockopt(self, level: int, name: int, value: bytes) -> None:
        """As socket.setsockopt."""
        self._sock.setsockopt(level, name, value)

    def close(self) -> None:
        """Closes without TLS's own farewell, as a client that leaves does."""
        self._sock.close()

    def _flush(self) -> None:
        """Sends all that is to go out, or raises BlockingIOError."""
        self._unsent += self._going.read()
        while self._unsent:
            self._unsent = self._unsent[self._sock.send(self._unsent) :]

    def _fetch(self) -> None:
        """Takes in what has come, or raises BlockingIOError."""
        data = self._sock.recv(RECEIVE_BYTES)
        if data:
            self._coming.write(data)
        else:
            self._coming.write_eof()


class TlsConnections(Connections):
    """As `Connections`, over TLS."""

    def __init__(
        self,
        address: str,
        port: int,
        head_of: Callable[[int], bytes],
        columns: Columns,
        sources: Sequence[str] = (),
        *,
        tls: Tls,
    ) -> None:
        super().__init__(address, port, head_of, columns, sources)
        self._host = tls.host
        self._context = ssl.create_default_context()
        self._context.set_alpn_protocols(["http/1.1"])
        if not tls.verify:
            self._context.check_hostname = False
            self._context.verify_mode = ssl.CERT_NONE

    def _begin(self, connection: Connection) -> None:
        if not hasattr(connection.sock, "shaken"):
            connection.sock = cast("socket.socket", TlsSocket(connection.sock, self._context, self._host))
        super()._begin(connection)

    def _send(self, connection: Connection) -> None:
        sock = cast("TlsSocket", connection.sock)
        if not sock.shaken:
            try:
                sock.shake()
            except BlockingIOError:
                return
            except ssl.SSLEOFError:
                self._move(connection, Event.EOF)
                return
            except ssl.SSLError as error:
                self.replies[0].malformed = self.replies[0].malformed or f"{NO_TLS}: {words_of(error)}"
                self._move(connection, Event.NOT_HTTP)
                return
            except OSError as error:
                self._move(connection, event_of_errno(error.errno or 0))
                return
            self._columns.sent[connection.row] = time.monotonic_ns()
        super()._send(connection)


def words_of(error: ssl.SSLError) -> str:
    """What OpenSSL said, without its own line numbers."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate was not accepted ({error.verify_message}); --insecure accepts any"
    return (error.reason or str(error)).replace("_", " ").lower()
