"""Journeys for the tests, with walks that are written by hand, and a server of the standard library that counts."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import holdfast.model.journey as journeys
from holdfast.engine.plan import Stop
from holdfast.engine.processes import Watched, load_runs
from holdfast.journeys.steps import Sending
from holdfast.loadtest.journey_plans import Walks, journey_plan, with_particulars
from holdfast.loadtest.run import FinishedLoad, finished_load
from holdfast.model.load import LoadExperiment, StopRule
from holdfast.model.scenario import Timeouts

Reply = tuple[int, dict[str, str], bytes]
"""Status, fields and body."""


class Seen:
    """What a server got, in order: method, path with query, headers in lower case, body."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.connections = 0

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _, _ in self.requests]


CERTIFICATE = Path(__file__).parent.parent / "engine" / "localhost.pem"


@contextlib.contextmanager
def answering(
    answer: Callable[[str, str, dict[str, str], bytes], Reply], *, tls: bool = False
) -> Iterator[tuple[str, Seen]]:
    """Serves what the function says, at the origin that it yields."""
    seen, lock = Seen(), threading.Lock()

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Otherwise the second of two writes waits for the ACK of the first, 40 ms.
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            with lock:
                seen.connections += 1

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            fields = {name.lower(): value for name, value in self.headers.items()}
            with lock:
                seen.requests.append((self.command, self.path, fields, body))
            status, more, content = answer(self.command, self.path, fields, body)
            self.send_response(status)
            for name, value in more.items():
                for each in value.split("\n"):
                    self.send_header(name, each)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815 - names of the standard library

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that has given its request up is no fault."""

    server = Server(("127.0.0.1", 0), Answering)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def crew(clients: int = 1, **more: object) -> journeys.Crew:
    """A crew whose clients come at once and stay until their walk ends."""
    stays = more.pop("stays", (journeys.Stay(0),) * clients)
    return journeys.Crew("crew", journeys.Sequence(()), stays, **more)  # type: ignore[arg-type]


def sending(label: str, origin: str, path: str = "/", **more: object) -> Sending:
    """A GET that is followed nowhere, as changed."""
    plain = Sending(
        label=label,
        method="GET",
        origin=origin,
        path=path,
        headers=(),
        body=None,
        expected=None,
        follow=0,
        hops_count=True,
        resources=None,
        keep_alive=True,
        timeouts=Timeouts(),
        number=0,
    )
    return plain._replace(**more)


def experiment_of(*crews: journeys.Crew, **more: object) -> LoadExperiment:
    """A load of these crews."""
    named = {name: more.pop(name) for name in ("one_by_one", "properties") if name in more}
    return LoadExperiment((), journeys=journeys.Journeys(crews, **named), **more)  # type: ignore[arg-type]


def carried_out(
    experiment: LoadExperiment,
    walks: Walks | None,
    stopped: Callable[[], Stop] = lambda: Stop.NOT,
    watch: Callable[[Watched], None] | None = None,
) -> FinishedLoad:
    """The load of these walks, over."""
    plan = journey_plan(experiment, (), walks)
    run = load_runs((plan,), stopped, rule=experiment.stop or StopRule(), watch=watch)
    return finished_load(experiment, with_particulars(run, plan), (), 0)


def labels_of(finished: FinishedLoad) -> list[str]:
    """The label of each row, in order."""
    known = finished.run.particulars
    assert known is not None
    return [str(known.texts[known.label[row]]) for row in finished.run.begun]


def reasons_of(finished: FinishedLoad) -> list[str]:
    """Why each row is not answered, in words."""
    known = finished.run.particulars
    assert known is not None
    return [known.texts[known.why[row]] for row in finished.run.begun]
