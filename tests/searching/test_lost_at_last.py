"""A server that answers nothing any more once the search has ended, as one does that has lost its last thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from holdfast.api.asked_search import asked_search
from holdfast.api.searching import searched
from holdfast.interrupts import Interrupts


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    lost = False
    over = threading.Event()


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        if self.server.lost:
            self.server.over.wait()
            return
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[_Server]:
    found = _Server(("127.0.0.1", 0), _Answers)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        found.over.set()
        found.shutdown()
        found.server_close()


def test_a_rate_is_not_that_of_a_server_that_answers_nothing_after_the_last_load(server: _Server) -> None:
    told = []

    def tell(line: str) -> None:
        told.append(line)
        server.lost = len(told) == 2  # the second one makes it sure

    asked = asked_search(
        f"http://127.0.0.1:{server.server_address[1]}/",
        {"threshold": ["p99<2s"], "from_": 100, "up_to": 100, "for_": "1s", "timeout": "1s"},
    )
    found = searched(asked, Interrupts(), tell, save=False).found

    assert len(told) == 2
    assert (found.status, found.rate_per_s, found.interval.low) == ("unknown", None, 100.0)
    assert found.ended_by is not None
    assert found.ended_by.startswith("After a load, the server no longer answered single requests")
    assert "no longer answered" in found.words
