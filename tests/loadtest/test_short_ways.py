"""What a journey is told of replies, and what it sends, where both are mostly the same as before."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from travelling import answering, carried_out, crew, experiment_of, labels_of, sending

import holdfast.model.journey as journeys
from holdfast.journeys.client import Client, Shared
from holdfast.journeys.sending import sending_of
from holdfast.journeys.steps import Walk
from holdfast.model.answers import Variable
from holdfast.model.journey import Crew
from holdfast.model.journey_request import Request, TextBody

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX: y\r\n\r\n"
# What a server writes for one reply, piece by piece, and the body that a client is to be told of.
REPLIES = [
    ([HEAD + b"first!"], b"first!"),
    ([HEAD], b""),  # to HEAD
    ([HEAD + b"second"], b"second"),
    ([HEAD, b"thir", b"d!"], b"third!"),
    ([HEAD + b"fou", b"rth"], b"fourth"),
    ([HEAD[:20], HEAD[20:] + b"fifth!"], b"fifth!"),
    ([b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"sixth!"], b"sixth!"),
    ([HEAD.replace(b"200 OK", b"404 Gone") + b"absent"], b"absent"),
    ([HEAD + b"eighth"], b"eighth"),
]
STATUSES = [200] * 7 + [404, 200]


@contextlib.contextmanager
def scripted() -> Iterator[str]:
    """A server that gives one connection after the other these replies in turn, at the origin that it yields."""
    left = iter(REPLIES)

    def serve(listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with connection:
                    while connection.recv(65536):
                        for piece in next(left)[0]:
                            connection.sendall(piece)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_replies_with_a_head_that_is_known_have_their_own_bodies_however_they_come(tmp_path: Path):
    told_in = tmp_path / "told"

    def walk(_crew: Crew, _number: int) -> Walk:
        with told_in.open("w") as file:
            for number in range(len(REPLIES)):
                method = "HEAD" if number == 1 else "GET"
                answer = (yield sending("each", origin, method=method)).answer
                assert answer is not None
                told = [answer.status, answer.body.decode(), answer.size, answer.message, answer.head]
                print(json.dumps(told), file=file)

    with scripted() as origin:
        finished = carried_out(experiment_of(crew()), walk)

    told = [json.loads(line) for line in told_in.read_text().splitlines()]
    assert [status for status, *_ in told] == STATUSES
    assert [body.encode() for _, body, *_ in told] == [body for _, body in REPLIES]
    assert [size for _, _, size, *_ in told] == [sum(map(len, pieces)) for pieces, _ in REPLIES]
    assert [message for *_, message, _ in told] == ["Gone" if status == 404 else "OK" for status in STATUSES]
    assert {head.partition("\r\n")[2] for *_, head in told} == {"Content-Length: 6\r\nX: y\r\n"}
    assert finished.result.outcomes["answered"] == STATUSES.count(200)
    assert finished.result.statuses == {"200": STATUSES.count(200), "404": 1}


def test_a_request_that_is_mostly_answered_at_once_is_followed_once_it_is_redirected():
    served = iter(range(9))

    def answer(_method: str, path: str, _fields: dict[str, str], _body: bytes) -> tuple[int, dict[str, str], bytes]:
        if path == "/there":
            return 200, {}, b"there"
        return (302, {"Location": "/there"}, b"") if next(served) in (3, 6) else (200, {}, b"here")

    def walk(_crew: Crew, _number: int) -> Walk:
        step = sending("start", origin, "/start", follow=5, made={})
        for _ in range(9):
            yield step

    with answering(answer) as (origin, seen):
        finished = carried_out(experiment_of(crew()), walk)

    assert seen.paths == ["/start"] * 4 + ["/there"] + ["/start"] * 3 + ["/there"] + ["/start"] * 2
    assert labels_of(finished) == ["start, redirected" if path == "/there" else "start" for path in seen.paths]
    assert finished.result.redirects == 2


def test_cookies_that_come_late_or_change_are_sent_from_then_on():
    served = iter(range(8))
    sets = {2: {"Set-Cookie": "a=1"}, 5: {"Set-Cookie": "a=2"}}

    def answer(*_: object) -> tuple[int, dict[str, str], bytes]:
        return 200, sets.get(next(served), {}), b""

    def walk(_crew: Crew, _number: int) -> Walk:
        step = sending("each", origin, headers=(("A", "b"),), made={})
        for _ in range(8):
            yield step

    with answering(answer) as (origin, seen):
        carried_out(experiment_of(crew(keeps_cookies=True)), walk)

    assert [fields.get("cookie") for _, _, fields, _ in seen.requests] == [None] * 3 + ["a=1"] * 3 + ["a=2"] * 2
    assert {fields["a"] for _, _, fields, _ in seen.requests} == {"b"}


def test_clients_with_cookies_of_their_own_do_not_send_those_of_others():
    shared: dict[str, object] = {}  # what is kept of the request is the same for all clients

    def answer(_method: str, path: str, _fields: dict[str, str], _body: bytes) -> tuple[int, dict[str, str], bytes]:
        return 200, {"Set-Cookie": f"who={path[-1]}; Path=/"} if path.startswith("/in") else {}, b""

    def walk(_crew: Crew, number: int) -> Walk:
        yield sending("in", origin, f"/in/{number}")
        for _ in range(5):
            yield sending("page", origin, "/page", made=shared)

    with answering(answer) as (origin, seen):
        carried_out(experiment_of(crew(clients=3, keeps_cookies=True)), walk)

    sent = Counter(fields["cookie"] for _, path, fields, _ in seen.requests if path == "/page")
    assert sent == {"who=1": 5, "who=2": 5, "who=3": 5}


def test_a_request_is_put_together_once_only_if_it_is_the_same_each_time():
    value = (Variable("v"),)
    fixed = Request(("one",), ("http://h",), ("/p",), headers=((("A",), ("b",)),), body=TextBody(("text",)))
    others = [
        Request(value, ("http://h",), ("/p",)),
        Request(("one",), value, ("/p",)),
        Request(("one",), ("http://h",), ("/", *value)),
        Request(("one",), ("http://h",), ("/p",), method=value),
        Request(("one",), ("http://h",), ("/p",), headers=((("A",), value),)),
        Request(("one",), ("http://h",), ("/p",), body=TextBody(value)),
    ]
    own = Crew("crew", journeys.Sequence((fixed, *others)), (journeys.Stay(0),) * 2)
    shared = Shared(journeys.Journeys((own,)))
    clients = [Client(own, number, shared) for number in range(2)]
    for number, client in enumerate(clients):
        client.variables["v"] = str(number)
        client.labels((str(number),))

    first, second = ([sending_of(each, at, client) for at, each in enumerate((fixed, *others))] for client in clients)

    assert first[0] is second[0]
    assert first[0].made is not None
    for mine, yours in zip(first[1:], second[1:], strict=True):
        assert mine != yours
        assert mine.made is None
