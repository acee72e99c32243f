"""A real server with the recorder inside it, and its clients."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support.commandline import COMPILED

from holdfast.model.experiment import View
from holdfast.observe.record_reader import RecorderSettings, Recording

TOKEN = "secret-of-this-run"
APPLICATIONS = Path(__file__).parent / "applications"
# Another interpreter, which has Flask, may be tried: the server's need not be ours.
SERVER_PYTHON = os.environ.get("HOLDFAST_TEST_SERVER_PYTHON", sys.executable)
TARGET = "holdfast_inside.target:application"
FLASK = (SERVER_PYTHON, "-m", "holdfast_inside.flask_server", "--host", "127.0.0.1", "--port", "{port}")
UWSGI = (str(Path(sys.executable).with_name("uwsgi")), "--http-socket", "127.0.0.1:{port}", "--die-on-term")
UWSGI = (*UWSGI, "--module", TARGET)
UVICORN = (SERVER_PYTHON, "-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}", TARGET)
HYPERCORN = (SERVER_PYTHON, "-m", "hypercorn", "--bind", "127.0.0.1:{port}", TARGET)
LONGEST_WAIT_S = 30.0
ALIKE = {
    # Replies that are made of a set are alike in all processes.
    "PYTHONHASHSEED": "0",
    **COMPILED,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """One response; `headers` without those that differ from run to run."""

    status: int
    headers: tuple[str, ...]
    body: bytes


@dataclass(slots=True)
class Server:
    process: subprocess.Popen[bytes]
    port: int
    recording: Recording
    trouble: Path
    log: Path
    clients: list[socket.socket] = field(default_factory=list)

    def send(self, id: int | str | None = None, path: str = "/", headers: Sequence[str] = (), token: str = TOKEN):
        """Sends one request and returns its socket; with an id it is one of the run's own."""
        own = [] if id is None else [f"X-Holdfast: {token}/{id}"]
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close", *own, *headers, "", ""]
        client = socket.create_connection(("127.0.0.1", self.port), LONGEST_WAIT_S)
        self.clients.append(client)
        client.sendall("\r\n".join(lines).encode())
        return client

    def get(self, path: str, headers: Sequence[str] = (), id: int | str | None = None, token: str = TOKEN) -> Reply:
        return reply(self.send(id, path, headers, token))

    def hold(self, *ids: int, path: str = "/", headers: Sequence[str] = ()) -> list[socket.socket]:
        """Sends these, and returns when each of them is in its handler."""
        clients = [self.send(id, path, headers) for id in ids]
        for id in ids:
            wait_until(lambda id=id: self.recording.is_entered(id), f"request {id} in its handler", self.log)
        return clients

    def release(self, *ids: int) -> None:
        for id in ids:
            self.recording.release(id)

    def entry(self, id: int):
        return self.recording.entries(id, id + 1)[0]

    def troubles(self) -> dict[str, str]:
        wait_until(self.trouble.exists, "the words about the trouble", self.log)
        return json.loads(self.trouble.read_text())


def reply(client: socket.socket) -> Reply:
    received = b""
    while chunk := client.recv(65536):
        received += chunk
    client.close()
    head, _, body = received.partition(b"\r\n\r\n")
    status, *headers = head.decode().split("\r\n")
    if any(line.lower() == "transfer-encoding: chunked" for line in headers):
        body = b"".join(body.split(b"\r\n")[1::2])
    kept = tuple(line for line in headers if not line.lower().startswith(("date:", "server:")))
    return Reply(int(status.split()[1]), kept, body)


def wait_until(condition: Callable[[], bool], what: str, log: Path | None = None) -> None:
    patience = threading.Event()
    deadline = time.monotonic() + LONGEST_WAIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"no {what} within {LONGEST_WAIT_S} s\n" + (log.read_text() if log else ""))
        patience.wait(0.002)


@contextlib.contextmanager
def started(command: Sequence[str], directory: Path, variables: dict[str, str], cwd: Path = APPLICATIONS):
    """A process with `{port}` in its command replaced by a free port; ended at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = directory / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [part.format(port=port) for part in command],
            env={**os.environ, **ALIKE, **variables},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process, port, log
    finally:
        process.terminate()
        try:
            process.wait(LONGEST_WAIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def listens(port: int) -> bool:
    # By looking, not by connecting: a connection without a request is one more that the server has to serve.
    wanted = f"0100007F:{port:04X} 00000000:0000 0A"
    return wanted in Path("/proc/net/tcp").read_text()


@contextlib.contextmanager
def serving(
    directory: Path,
    *arguments: str,
    command: Sequence[str] = FLASK,
    app: str | None = None,
    framework: str = "flask",
    view: View | None = None,
    interface: str = "",
    path: str = "/",
    owner_pid: int | None = None,
) -> Iterator[Server]:
    """A server that records into a file in `directory`, ready for requests; all is released at the end."""
    with Recording.create(directory / "record", 64, owner_pid, look_ns=2_000_000) as recording:
        trouble = directory / "trouble.json"
        variables = RecorderSettings(
            record=recording.path,
            token=TOKEN,
            trouble=trouble,
            path=path,
            app=app,
            framework=framework,
            view=view,
            interface=interface,
        ).environment()
        with started([*command, *arguments], directory, variables) as (process, port, log):
            wait_until(lambda: listens(port) or process.poll() is not None, "listening server", log)
            server = Server(process, port, recording, trouble, log)
            try:
                yield server
            finally:
                for slot in range(recording.slots):
                    recording.release(slot)
                for client in server.clients:
                    client.close()
