"""A server behind a supervisor: gunicorn with the application `app`, and first what the supervisor listens on itself.

    python supervisor.py PORT WORKERS [OWN ...]

Each OWN is a port, or the path of a Unix socket. As supervisord has it, its own commands are served before it starts a
program, after a wait of a second at most.
"""

from __future__ import annotations

import http.server
import socketserver
import subprocess
import sys
import threading
import time


class Commands(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def address_string(self) -> str:
        return "client"


def commands_at(own: str) -> socketserver.BaseServer:
    if own.isdecimal():
        return http.server.HTTPServer(("127.0.0.1", int(own)), Commands)
    return socketserver.UnixStreamServer(own, Commands)


def main(port: str, workers: str, *owns: str) -> None:
    for own in owns:
        threading.Thread(target=commands_at(own).serve_forever, args=(60,), daemon=True).start()
    time.sleep(1)
    subprocess.Popen([sys.executable, "-m", "gunicorn", "-w", workers, "-b", f"127.0.0.1:{port}", "app"]).wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
