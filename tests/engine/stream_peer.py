"""The server's end of one HTTP/2 connection, played by hand."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import h2.settings
from driving import PATIENCE_S
from h2.settings import SettingCodes

PEM = Path(__file__).parent / "localhost.pem"


class Peer:
    """An accepted connection.

    Attributes:
        h2: the server's side of it.
        streams: whose requests have come, in order.
    """

    def __init__(self, connection: socket.socket, limit: int = 100) -> None:
        self.socket = connection
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
        self.h2.local_settings = h2.settings.Settings(
            client=False, initial_values={SettingCodes.MAX_CONCURRENT_STREAMS: limit}
        )
        self.streams: list[int] = []
        self.h2.initiate_connection()
        self.send()

    def send(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def read(self, requests: int) -> None:
        """Reads until so many requests have come."""
        while len(self.streams) < requests:
            data = self.socket.recv(65536)
            assert data, "the client has closed the connection"
            events = self.h2.receive_data(data)
            self.streams += [each.stream_id for each in events if isinstance(each, h2.events.RequestReceived)]
            self.send()

    def answer(self, stream: int, status: bytes = b"200", body: bytes = b"ok") -> None:
        self.h2.send_headers(stream, [(b":status", status)])
        self.h2.send_data(stream, body, end_stream=True)
        self.send()

    def refuse(self, stream: int, code: int) -> None:
        self.h2.reset_stream(stream, code)
        self.send()

    def go_away(self, last: int, code: int) -> None:
        self.h2.close_connection(code, last_stream_id=last)
        self.send()


def accepted(listener: socket.socket, limit: int = 100) -> Peer:
    """The next connection in plain text."""
    connection = listener.accept()[0]
    connection.settimeout(PATIENCE_S)
    return Peer(connection, limit)


def tls_context(*protocols: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    context.set_alpn_protocols(list(protocols))
    return context
