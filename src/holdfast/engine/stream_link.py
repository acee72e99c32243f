"""One socket of a load over HTTP/2, and the requests that it carries."""

from __future__ import annotations

import socket
import ssl
from collections import deque
from typing import cast

from holdfast.engine.endpoint import NO_TLS
from holdfast.engine.http1 import NO_ALPN, ProtocolError
from holdfast.engine.multiplex import Multiplex
from holdfast.engine.tls import TlsSocket, words_of


class StreamLink:
    """One socket, and the requests that it carries or that wait for it.

    Attributes:
        fd: its descriptor.
        sock: plain, or once it is connected one that speaks TLS.
        client: our end of the protocol.
        waiting: rows that are not sent yet, in order.
        connected_ns: CLOCK_MONOTONIC of the end of TCP's handshake; 0 before.
        source, local_port: as in `Columns`.
        capacity: how many requests it took at once when that was last looked at.
        peer_ended: the peer has ended its side, or the connection.
        aborted: a send has failed, because the peer had ended the connection.
        unsent: bytes that the kernel has not taken yet.
        ended: it is closed.
    """

    __slots__ = (
        "_tls",
        "aborted",
        "capacity",
        "client",
        "connected_ns",
        "ended",
        "fd",
        "local_port",
        "peer_ended",
        "sock",
        "source",
        "unsent",
        "waiting",
    )

    def __init__(self, sock: socket.SocketType, client: Multiplex) -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.client = client
        self.waiting: deque[int] = deque()
        self.connected_ns = 0
        self.source = self.local_port = 0
        self.unsent = b""
        self._tls: TlsSocket | None = None
        self.capacity = 1
        self.aborted = self.peer_ended = self.ended = False

    @property
    def in_flight(self) -> int:
        """Requests that it carries or that wait for it."""
        return self.client.in_flight + len(self.waiting)

    @property
    def is_open(self) -> bool:
        """Whether HTTP/2 can be spoken on it, as far as our side knows."""
        return bool(self.connected_ns) and (self._tls is None or self._tls.shaken)

    @property
    def alert(self) -> str:
        """Why the peer ended TLS after the handshake, in words; "" where it did not say."""
        return "" if self._tls is None else self._tls.alert

    def speak_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Begins TLS on the connected socket."""
        self._tls = TlsSocket(self.sock, context, host)
        self.sock = cast("socket.SocketType", self._tls)

    def shake(self) -> None:
        """TLS's handshake as far as it goes now; of a plain socket there is none.

        Raises:
            BlockingIOError, OSError: as `TlsSocket.shake`.
            ProtocolError: the peer speaks no TLS, or no HTTP/2 over it.
        """
        if self._tls is None:
            return
        try:
            self._tls.shake()
        except ssl.SSLEOFError:
            raise
        except ssl.SSLError as error:
            words = words_of(error)
            raise ProtocolError(NO_ALPN if "application protocol" in words else f"{NO_TLS}: {words}") from error
        if self._tls.alpn != "h2":
            # Without a common protocol a server may also choose none (RFC 7301, 3.2, allows it to end the handshake).
            raise ProtocolError(NO_ALPN)

    def send(self) -> None:
        """Sends what there is to send, as far as the kernel takes it.

        Raises:
            OSError: the connection is broken.
        """
        while True:
            if not self.unsent:
                self.unsent = self.client.to_send()
                if not self.unsent:
                    return
            try:
                count = self.sock.send(self.unsent)
            except BlockingIOError:
                return
            self.unsent = self.unsent[count:]

    def close(self) -> None:
        """Closes the socket."""
        self.ended = True
        self.sock.close()
