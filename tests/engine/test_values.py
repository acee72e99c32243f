"""Steps and values -> the bytes of each request."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.engine.values import Numbering, by_chance, request_bytes
from holdfast.model.scenario import Chance, ClientNumber, Counter, DataRows, Slot, Step

PEOPLE = DataRows(("user", "city"), (("ann", "Köln"), ("bob", "a b")), origin="people.csv")
ONE = Numbering()


def made(step, values=(), numbering=ONE, row=0):
    content = request_bytes([step], values, "shop", numbering)
    return content if isinstance(content, bytes) else content(row)


def read(content: bytes) -> tuple[h11.Request, bytes]:
    """What an independent reader of HTTP/1.1 says that these bytes are."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(content)
    request = server.next_event()
    body = b""
    while isinstance(event := server.next_event(), h11.Data):
        body += bytes(event.data)
    assert isinstance(event, h11.EndOfMessage)
    assert server.trailing_data == (b"", False)
    return request, body


def test_a_step_without_slots_is_the_same_bytes_for_all_rows():
    assert request_bytes([Step("", "/a")], (), "shop", Numbering()) == b"GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"


@given(st.integers(0, 10**9), st.text(), st.text(), st.binary())
def test_values_of_any_text_leave_the_request_whole(row, value, before, tail):
    data = DataRows(("v",), ((value,),))
    step = Step("", ("/x?", Slot("v")), "POST", body=(before.encode("utf-8", "ignore").decode(), Slot("v"), Slot("id")))
    try:
        value.encode()
        before.encode()
    except UnicodeEncodeError:
        return

    _, body = read(made(step, (data,), row=row))

    assert body == f"{before}{value}{row}".encode()


def test_values_come_into_path_header_and_body():
    step = Step(
        "",
        ("/", Slot("city"), "?u=", Slot("user")),
        "PUT",
        (("X-User", (Slot("user"), "!")),),
        ("{", Slot("city"), "}"),
    )

    request, body = read(made(step, (PEOPLE,), row=1))

    assert request.target == b"/a%20b?u=bob"
    assert dict(request.headers)[b"x-user"] == b"bob!"
    assert body == b"{a b}"
    assert read(made(step, (PEOPLE,), row=2))[0].target == b"/K%C3%B6ln?u=ann"


def test_a_value_that_is_encoded_already_stays_as_it_is():
    data = DataRows(("v",), (("a%20b&c=d",),))

    assert read(made(Step("", ("/?q=", Slot("v"))), (data,)))[0].target == b"/?q=a%20b&c=d"


@pytest.mark.parametrize(
    ("counter", "numbers"),
    [
        (Counter("n"), ["1", "2", "3", "4", "5", "6"]),
        (Counter("n", 10, 5), ["10", "15", "20", "25", "30", "35"]),
        (Counter("n", 0, 1, last=1), ["0", "1", "0", "1", "0", "1"]),
        (Counter("n", 7, digits=3), ["007", "008", "009", "010", "011", "012"]),
        (Counter("n", per_client=True), ["1", "1", "2", "2", "3", "3"]),
        (ClientNumber("n"), ["1", "2", "1", "2", "1", "2"]),
    ],
)
def test_a_counters_value_follows_from_the_row_of_its_request(counter, numbers):
    content = request_bytes([Step("", ("/", Slot("n")))] * 2, (counter,), "shop", Numbering(steps=2, clients=2))

    assert [content(row)[5:].split(b" ")[0].decode() for row in range(0, 12, 2)] == numbers
    assert [content(row)[5:].split(b" ")[0].decode() for row in range(1, 12, 2)] == numbers


@given(st.integers(), st.integers(0, 10**9), st.integers(-5, 5), st.integers(0, 9))
def test_what_comes_by_chance_lies_within_its_bounds_and_comes_again(seed, row, first, more):
    step = Step("", ("/", Slot("r")))
    numbering = Numbering(seed=seed)

    one, other = (made(step, (Chance("r", first, first + more),), numbering, row) for _ in range(2))

    assert one == other
    assert first <= int(one[5:].split(b" ")[0]) <= first + more


def test_values_drawn_by_chance_are_spread_evenly():
    drawn = [by_chance(1, row, "r") for row in range(10_000)]

    for tenth in range(10):
        assert 900 < sum(tenth / 10 <= each < (tenth + 1) / 10 for each in drawn) < 1100


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ((), "no value named 'user'"),
        ((DataRows(("user",), (), origin="empty.csv"),), "empty.csv has no rows"),
        ((DataRows(("user",), (("ok",), ("a\r\nX-Evil: 1",)), origin="evil.csv"),), "evil.csv: user in row 2"),
    ],
)
def test_values_that_cannot_be_sent_are_told_beforehand(values, says):
    with pytest.raises(ValueError, match=says):
        request_bytes([Step("", "/", headers=(("X-User", (Slot("user"),)),))], values, "shop", Numbering())


def test_rows_of_each_client_begin_with_the_first():
    data = DataRows(("v",), (("a",), ("b",)), per_client=True)
    two = Numbering(steps=2, clients=2)
    content = request_bytes([Step("", ("/", Slot("v"))), Step("", "/x")], [data], "shop", two)

    assert not isinstance(content, bytes)
    assert [content(row).split()[1] for row in range(0, 10, 2)] == [b"/a", b"/a", b"/b", b"/b", b"/a"]
