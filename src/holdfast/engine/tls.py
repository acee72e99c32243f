"""Connections that speak TLS: the same engine, with a handshake between "connected" and "sent".

Facts
-----
* TLS is read in records, so a short read does not mean that nothing is left: only "want read" does.
* A handshake waits for the peer to accept and to compute. `sent` is stamped when it is over, so that it does not
  count as part of the request's service, and a request that was never sent shows by it.
* In TLS 1.3 the client is done first: that the server wants a certificate of it shows only in the alert that comes
  instead of a reply (RFC 8446, 4.4.2.4 and 6.2).
* The plain engine hands a readable socket to `_send` first while something is unsent, which is also what a
  handshake needs: its next flight goes out when the peer's has come.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from typing import cast

from holdfast.engine.columns import Columns
from holdfast.engine.connection import Connection
from holdfast.engine.endpoint import NO_TLS, Tls
from holdfast.engine.epoll import RECEIVE_BYTES
from holdfast.engine.exchange import Event, event_of_errno
from holdfast.engine.http1 import NO_ALPN
from holdfast.engine.kept import KeptConnections
from holdfast.model.places import Outcome


class TlsSocket:
    """A non-blocking TLS socket that behaves like a plain one: it waits with BlockingIOError and ends with b"".

    The plain socket stays as it is, and with it its descriptor, which the engine knows it by; TLS is worked out
    in memory (ssl.SSLObject).

    Attributes:
        shaken: the handshake is over.
        alert: why the peer ended the connection after the handshake, in words; "" if it did not say.
    """

    __slots__ = ("_coming", "_going", "_sock", "_ssl", "_taken", "_unsent", "alert", "shaken")

    def __init__(self, sock: socket.SocketType, context: ssl.SSLContext, host: str) -> None:
        self._sock = sock
        self._coming, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ssl = context.wrap_bio(self._coming, self._going, server_hostname=host)
        self._unsent = b""
        self._taken = 0
        self.shaken = False
        self.alert = ""

    @property
    def alpn(self) -> str:
        """The protocol that the server chose of those that were offered; "" if it chose none, or not yet."""
        return self._ssl.selected_alpn_protocol() or ""

    @property
    def holds(self) -> bool:
        """Whether something has been taken from the kernel and not yet received from here."""
        return bool(self._coming.pending or self._ssl.pending())

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
            except ssl.SSLError as error:
                more = b""  # an end, with TLS's own farewell or without, or bytes that cannot be read
                if not isinstance(error, ssl.SSLZeroReturnError | ssl.SSLEOFError):
                    self.alert = words_of(error)
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

    def say_farewell(self) -> None:
        """Sends close_notify, without which some servers take an end for a broken connection (RFC 8446, 6.1)."""
        if self.shaken and not self._taken:
            # Nothing is done about a connection that is broken already.
            with contextlib.suppress(OSError):
                with contextlib.suppress(ssl.SSLWantReadError):
                    self._ssl.unwrap()
                self._flush()

    def close(self) -> None:
        """Closes without TLS's own farewell."""
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


# Something, and never sent: until the handshake is over, `_send` continues with it.
_NOT_SHAKEN = b" "


class TlsConnections(KeptConnections):
    """As `KeptConnections`, over TLS."""

    _sends_plainly = False
    _protocol = "http/1.1"

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
        self._context = context_for(tls, self._protocol)

    def _begin(self, connection: Connection) -> None:
        if hasattr(connection.sock, "shaken"):
            super()._begin(connection)
            return
        connection.sock = cast("socket.SocketType", TlsSocket(connection.sock, self._context, self._host))
        # While something is unsent, what comes is taken to `_send` first.
        connection.unsent = _NOT_SHAKEN
        self._shake(connection)

    def _send(self, connection: Connection) -> None:
        if cast("TlsSocket", connection.sock).shaken:
            super()._send(connection)
        else:
            self._shake(connection)

    def give_up(self, rows: Iterable[int], *, reset: bool = False) -> None:
        """As of `Connections`; a FIN comes with TLS's farewell before it."""
        rows = tuple(rows)
        for row in () if reset else rows:
            if (connection := self._rows().get(row)) is not None:
                getattr(connection.sock, "say_farewell", _say_nothing)()
        super().give_up(rows, reset=reset)

    def _shake(self, connection: Connection) -> None:
        """The handshake as far as it goes now, and the request once it is over."""
        sock = cast("TlsSocket", connection.sock)
        try:
            sock.shake()
        except BlockingIOError:
            return
        except ssl.SSLEOFError:
            self._move(connection, Event.EOF)
        except ssl.SSLError as error:
            self._note(words_of(error))
            self._move(connection, Event.NOT_HTTP)
        except OSError as error:
            self._move(connection, event_of_errno(error.errno or 0))
        else:
            if self._protocol == "h2" != sock.alpn:
                # HTTP/2 over TLS is what ALPN agrees on (RFC 9113, 3.2): no other client would speak it here.
                self.replies[0].malformed = self.replies[0].malformed or NO_ALPN
                self._move(connection, Event.NOT_HTTP)
            else:
                super()._begin(connection)

    def _receive(self, connection: Connection) -> None:
        super()._receive(connection)
        # Of a connection that was never open, it is the plain socket still.
        alert = getattr(connection.sock, "alert", "")
        if alert and self._columns.outcome[connection.row] == Outcome.CLOSED:
            self._note(alert)

    def _note(self, words: str) -> None:
        self.replies[0].malformed = self.replies[0].malformed or f"{NO_TLS}: {words}"


def _say_nothing() -> None:
    """Of a connection that is not open yet."""


def context_for(tls: Tls, protocol: str) -> ssl.SSLContext:
    """A client's context; without the system's certificates, which take 20 ms to load, where none is looked at.

    Args:
        protocol: the one that is offered (ALPN, RFC 7301).
    """
    if tls.verify:
        context = ssl.create_default_context()
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    return context


def words_of(error: ssl.SSLError) -> str:
    """What OpenSSL said, without its own line numbers."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate was not accepted ({error.verify_message}); --insecure accepts any"
    if "CERTIFICATE_REQUIRED" in (error.reason or ""):
        return "the server asks its clients for a certificate, and holdfast has none"
    words = (error.reason or str(error)).replace("_", " ").lower()
    version, _, what = words.partition(" ")
    # What the peer's alerts are called begins so, and only that; some are called without the word (sslerr.h, 1000 on).
    is_alert = version in {"sslv3", "tlsv1", "tlsv13"} and not what.startswith("alert ")
    return f"{version} alert {what}" if is_alert else words
