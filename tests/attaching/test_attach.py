"""`holdfast attach` as a person runs it: what it says of a server with five places, and of every mistake."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest
from support.waiting import until

from holdfast import store
from holdfast.infer.estimate import judge_outside

HERE = Path(__file__).parent
PEM = HERE.parent / "engine" / "localhost.pem"
PLACES = 5
ANSWERED, USAGE, INCONCLUSIVE, ENVIRONMENT = 0, 2, 3, 4


@dataclass(frozen=True)
class Served:
    port: int
    tls_port: int
    socket: Path
    process: subprocess.Popen

    def filled(self, text):
        names = {"{port}": self.port, "{tls}": self.tls_port, "{socket}": self.socket}
        for name, value in names.items():
            text = text.replace(name, str(value))
        return text


@contextlib.contextmanager
def odd_server(path):
    """Runs the server, on a Unix socket at `path` too."""
    command = [sys.executable, str(HERE / "odd_server.py"), str(PLACES), str(PEM), str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        plain, tls = process.stdout.readline().split()
        yield Served(int(plain), int(tls), path, process)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def serve(tmp_path):
    """Starts the server; its Unix socket is in a directory of the test."""
    with contextlib.ExitStack() as running:
        yield lambda: running.enter_context(odd_server(tmp_path / "s"))


# Each has a server of its own; most of their time is waiting for it, so they run together.
FROM_OUTSIDE = {
    "TCP": ("http://127.0.0.1:{port}/wait",),
    "Unix socket": ("unix:{socket}:/wait",),
    "TLS": ("https://127.0.0.1:{tls}/wait", "--insecure"),
    "header": ("http://localhost:{port}/secret", "-H", "X-Key: 1"),
}


@pytest.fixture(scope="module")
def from_outside(workshop):
    """The URL and the end of each."""
    with contextlib.ExitStack() as running:
        servers = [running.enter_context(odd_server(workshop.directory / f"s{at}")) for at in range(len(FROM_OUTSIDE))]
        filled = [
            [served.filled(word) for word in words]
            for served, words in zip(servers, FROM_OUTSIDE.values(), strict=True)
        ]
        ended = workshop.run_together([("attach", *words, "--json", "-") for words in filled])
        return {name: (words[0], end) for name, words, end in zip(FROM_OUTSIDE, filled, ended, strict=True)}


def verdict_of(ended):
    assert ended.exit == ANSWERED, ended
    return msgspec.json.decode(ended.out)


def check_five_places(verdict):
    """What is true of every server with five places."""
    ceiling, places = verdict["ceiling"], verdict["places"]
    assert verdict["confidence"] == "estimated"
    assert (ceiling["in_service"], ceiling["bounded"]) == (PLACES, True)
    assert ceiling["interval"][0] <= PLACES <= ceiling["interval"][1]
    assert sum(value or 0 for value in places.values()) == verdict["offered"]
    # It has a thread for each connection, so that whoever waits has been accepted.
    assert places["in_service"] + (places["userspace_queue"] or 0) + places["unplaced"] == verdict["offered"]


@pytest.mark.parametrize("name", ["TCP", "Unix socket"])
def test_the_places_of_a_running_server_are_found_from_outside(from_outside, name):
    url, ended = from_outside[name]
    verdict = verdict_of(ended)

    check_five_places(verdict)
    assert verdict["target"]["app"] == url
    assert verdict["target"]["path"] == "/wait"
    assert verdict["ceiling"]["accept_queue_limit"] == 128
    assert verdict["model"]["listen_queues"] == "shared"


def test_over_tls_with_a_certificate_that_is_taken_as_it_is(from_outside):
    _, ended = from_outside["TLS"]

    check_five_places(verdict_of(ended))


def test_the_run_is_saved_and_judged_again_to_the_same_verdict(workshop, from_outside):
    url, ended = from_outside["header"]
    verdict = verdict_of(ended)
    (run,) = [line for line in workshop.run("runs", env={"COLUMNS": "200"}).out.splitlines() if url in line]
    number = run.split()[0]

    check_five_places(verdict)
    assert msgspec.json.decode(workshop.run("show", number, "--json", "-").out) == verdict
    shown = workshop.run("show", number).out
    assert f"about {PLACES} requests at once" in shown
    assert "estimated" in shown


def test_the_request_during_which_holdfast_looks_around_says_nothing_of_the_service_time(workshop, from_outside):
    url, _ = from_outside["TCP"]
    saved = next(each for each in store.saved_runs(workshop.runs) if each.arguments == url)
    record = store.load(saved.id, workshop.runs)
    kinds = [each.kind for each in record.rounds]
    watched = record.rounds[kinds.index("watched")].first
    late = tuple(
        replace(each, done_ns=each.done_ns + 1_000_000_000) if each.id == watched else each for each in record.requests
    )

    assert kinds.count("watched") == 1
    assert judge_outside(replace(record, requests=late)) == judge_outside(record)


def test_few_requests_meet_no_bound_and_say_so(holdfast, serve):
    served = serve()

    verdict = verdict_of(
        holdfast.run("attach", served.filled("http://127.0.0.1:{port}/wait"), "--max-offered", "3", "--json", "-")
    )

    assert verdict["ceiling"]["in_service"] == 3
    assert verdict["ceiling"]["bounded"] is False
    assert verdict["offered"] == 3
    assert "--max-offered" in verdict["warnings"][0]


MISTAKES = {
    "redirect": (("http://127.0.0.1:{port}/redirect",), INCONCLUSIVE, "redirected (HTTP 302)", "{port}/login"),
    "no header": (("http://127.0.0.1:{port}/secret",), INCONCLUSIVE, "HTTP 401", "-H 'Authorization"),
    "no such path": (("http://127.0.0.1:{port}/gone",), INCONCLUSIVE, "HTTP 404", "path that exists"),
    "it fails": (("http://127.0.0.1:{port}/broken",), INCONCLUSIVE, "HTTP 500", "log"),
    "answers at once": (("http://127.0.0.1:{port}/quick",), INCONCLUSIVE, "too quick", "path that answers by itself"),
    "never answers": (
        ("http://127.0.0.1:{port}/never", "--timeout", "0.5"), INCONCLUSIVE, "not answered within 0.5 s", "--timeout",
    ),
    "closes": (("http://127.0.0.1:{port}/close",), INCONCLUSIVE, "closed the connection", "https://127.0.0.1:{port}"),
    "not HTTP": (("http://127.0.0.1:{port}/banner",), INCONCLUSIVE, "does not speak HTTP/1", "SSH-2.0"),
    "plain for TLS": (
        ("https://127.0.0.1:{port}/wait", "--timeout", "0.5"), INCONCLUSIVE, "not answered", "http://127.0.0.1:{port}/wait",
    ),
    "TLS for plain": (("http://127.0.0.1:{tls}/wait",), INCONCLUSIVE, "without an answer", "https://127.0.0.1:{tls}/wait"),
    "self-signed": (("https://127.0.0.1:{tls}/wait",), INCONCLUSIVE, "not trusted", "--insecure"),
    "name unknown": (("https://localhost:{tls}/wait",), INCONCLUSIVE, "speaks TLS, but", "give its name in the URL"),
    "no such host": (("http://holdfast.invalid/",), USAGE, "is not this machine's loopback", "--allow-remote"),
    "no URL": (("127.0.0.1:{port}/wait",), USAGE, "not a valid URL", "Did you mean http://127.0.0.1:{port}/wait"),
    "another scheme": (("ftp://127.0.0.1/",), USAGE, "not a valid URL", "ftp:"),
    "no URL at all": ((), USAGE, "Usage", "Missing argument 'URL'"),
    "elsewhere": (("http://192.0.2.1/",), USAGE, "not this machine's loopback", "--allow-remote 192.0.2.1"),
    "another one allowed": (
        ("http://192.0.2.1/", "--allow-remote", "192.0.2.2"), USAGE, "not this machine's loopback", "192.0.2.1",
    ),
    "no socket": (("unix:{socket}x",), ENVIRONMENT, "no Unix socket", "unix:/run/shop.sock:/orders"),
    "a file": (("unix:" + __file__,), USAGE, "not a socket", "Name the server's socket"),
    "a header without a name": (("http://127.0.0.1:{port}/", "-H", "x"), USAGE, "Usage", "'Name: value'"),
}  # fmt: skip


@pytest.fixture(scope="module")
def said(workshop, tmp_path_factory):
    """What came of each mistake, all tried on one server."""
    path = tmp_path_factory.mktemp("odd") / "s"
    command = [sys.executable, str(HERE / "odd_server.py"), str(PLACES), str(PEM), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            plain, tls = process.stdout.readline().split()
            served = Served(int(plain), int(tls), path, process)
            lines = [("attach", *map(served.filled, mistake[0])) for mistake in MISTAKES.values()]
            yield dict(zip(MISTAKES, workshop.run_together(lines), strict=True)), served
        finally:
            process.kill()


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_said_with_its_cause_and_what_to_do(said, mistake):
    answers, served = said
    _, code, what, remedy = MISTAKES[mistake]
    ended = answers[mistake]

    assert ended.exit == code, ended
    assert what in ended.what, ended.err
    assert served.filled(remedy) in ended.err
    assert ended.out == ""


def test_attach_says_that_nobody_listens_at_the_address(holdfast):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    ended = holdfast.run("attach", f"http://127.0.0.1:{port}/")

    assert ended.exit == ENVIRONMENT
    assert ended.what == f"holdfast: Nothing is listening on 127.0.0.1:{port}: the connection was refused."


def test_a_server_that_dies_under_load_gets_no_verdict(holdfast, serve):
    ended = holdfast.run("attach", serve().filled("http://127.0.0.1:{port}/dies"))

    assert ended.exit == INCONCLUSIVE
    assert "no longer answers" in ended.what
    assert ended.out == ""


def test_after_ctrl_c_nobody_is_left_waiting_and_the_exit_code_says_inconclusive(holdfast, serve):
    served = serve()
    running = holdfast.start("attach", served.filled("http://127.0.0.1:{port}/never"))
    until(lambda: connections(running.pid), "its first connection")

    os.kill(running.pid, signal.SIGINT)

    ended = running.ended()
    assert ended.exit == INCONCLUSIVE
    assert "before two requests" in ended.err
    running.nothing_is_left()


def connections(pid):
    """Established TCP connections of a process's network, as far as there are sockets in it."""
    links = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            links.append(os.readlink(f"/proc/{pid}/fd/{name}"))
        except OSError:
            continue
    # A netlink socket and one connection.
    return sum(link.startswith("socket:") for link in links) >= 2


@contextlib.contextmanager
def forwarding_to(port):
    """Passes connections on to that port; gives the port on which it listens."""
    command = [sys.executable, str(HERE / "forwarder.py"), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def test_what_only_passes_connections_on_is_not_taken_for_the_server(holdfast, serve):
    served = serve()
    with forwarding_to(served.port) as port:
        ended = holdfast.run("attach", f"http://127.0.0.1:{port}/wait", "--max-offered", "8", "--json", "-")

    verdict = msgspec.json.decode(ended.out)
    # The backlog of the one in front is 7.
    assert (verdict["ceiling"]["accept_queue_limit"], verdict["ceiling"]["accept_queue"]) == (None, None)
    assert verdict["places"]["accept_queue"] is None
    said = f"forwarder.py (pid PID), passes connections on to 127.0.0.1:{served.port}."
    assert any(said in re.sub(r"pid \d+", "pid PID", each) for each in verdict["warnings"])
