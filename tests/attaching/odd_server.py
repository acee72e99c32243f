"""A server with a fixed number of places that treats each path in its own way; prints its ports, plain and TLS.

    python odd_server.py PLACES PEM SOCKET

/wait answers after 300 ms, SOCKET (a Unix socket) too; /redirect, /secret, /quick, /never, /gone, /broken, /close,
/banner do as they say, and /dies ends the server at the twelfth request. Over TLS it has no certificate for `localhost`
as a name, as nginx with `ssl_reject_handshake` for names that it does not know.
"""

from __future__ import annotations

import os
import socket
import ssl
import sys
import threading
import time

WAIT_S = 0.3
DIES_AT = 12

places = threading.Semaphore(int(sys.argv[1]))
dies_at = [DIES_AT]


def reply(connection, status, more=""):
    head = f"HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n{more}\r\nok"
    connection.sendall(head.encode())


def wait(connection):
    with places:
        time.sleep(WAIT_S)
    reply(connection, "200 OK")


def dies(connection):
    dies_at[0] -= 1
    if not dies_at[0]:
        os._exit(1)
    wait(connection)


def never(connection):
    connection.recv(1)


PATHS = {
    "/redirect": lambda connection: reply(connection, "302 Found", "Location: /login\r\n"),
    "/quick": lambda connection: reply(connection, "200 OK"),
    "/never": never,
    "/gone": lambda connection: reply(connection, "404 Not Found"),
    "/broken": lambda connection: reply(connection, "500 Oops"),
    "/close": lambda _connection: None,
    "/banner": lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "/dies": dies,
}


def serve(connection):
    with connection:
        if isinstance(connection, ssl.SSLSocket):
            try:
                connection.do_handshake()
            except OSError:
                return
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(65536)
            if not piece:
                return
            head += piece
        path = head.split(b" ")[1].decode()
        if path == "/secret" and b"X-Key: 1" not in head:
            reply(connection, "401 Unauthorized")
        else:
            PATHS.get(path, wait)(connection)


def accept(listener):
    while True:
        connection = listener.accept()[0]
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


plain = socket.create_server(("127.0.0.1", 0), backlog=128)
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(sys.argv[2])
context.sni_callback = lambda _socket, name, _context: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME if name else None
tls = context.wrap_socket(
    socket.create_server(("127.0.0.1", 0), backlog=128), server_side=True, do_handshake_on_connect=False
)
local = socket.socket(socket.AF_UNIX)
local.bind(sys.argv[3])
local.listen(128)
for listener in (plain, tls, local):
    threading.Thread(target=accept, args=(listener,), daemon=True).start()
sys.stdout.write(f"{plain.getsockname()[1]} {tls.getsockname()[1]}\n")
sys.stdout.flush()
threading.Event().wait()
