"""What a client remembers of answers.

Expected values follow from JMeter 5.5's CacheManager.java; `make oracle` compares the whole with JMeter itself.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from holdfast.engine.answer_cache import AnswerCache
from holdfast.model.journey_request import Cache

URL = "http://127.0.0.1:8000/a"
NOW = 1_800_000_000.0
OLD, DATE, NEW = "Mon, 01 Jan 2024 00:00:00 GMT", "Thu, 11 Jan 2024 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
DAY = 86_400.0


def cache(*, keeps_fresh: bool = True, most: int = 10) -> AnswerCache:
    return AnswerCache(Cache(1, keeps_fresh, most))


def head(**fields: str) -> str:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join(["HTTP/1.1 200 OK", *lines, ""])


@pytest.mark.parametrize(
    ("fields", "fresh_s"),
    [
        ({"Cache_Control": "max-age=60"}, 60),
        ({"Cache_Control": "public, max-age=60, must-revalidate"}, 60),
        ({"Cache_Control": "max-age=60", "Expires": OLD}, 60),
        ({"Cache_Control": "no-cache, max-age=60"}, 0),
        ({"Cache_Control": "no-store", "ETag": '"a"'}, 0),
        ({"Expires": OLD}, 0),
        ({"Expires": "0"}, 0),
        ({"ETag": '"a"'}, 365 * DAY),
        ({"Last_Modified": OLD}, 365 * DAY),
        ({"Last_Modified": OLD, "Date": DATE}, DAY),  # a tenth of ten days
        ({"Last_Modified": "yesterday", "Date": DATE}, 0),
        ({"Cache_Control": "max-age=never"}, 0),
        ({"Cache_Control": "max-age=" + "9" * 400}, 0),
        ({"Content_Type": "text/html"}, 0),
    ],
)
def test_how_long_an_answer_is_fresh(fields: dict[str, str], fresh_s: float) -> None:
    known = cache()

    known.take(URL, (), 200, head(**fields), NOW)

    assert known.has(URL, (), NOW + fresh_s - 1) is (fresh_s > 1)
    assert not known.has(URL, (), NOW + fresh_s)


def test_a_date_to_come_is_one() -> None:
    known = cache()

    known.take(URL, (), 200, head(Expires=NEW), NOW)

    assert known.has(URL, (), NOW)


def test_dates_and_tags_ask_whether_the_answer_has_changed() -> None:
    known = cache(keeps_fresh=False)
    assert known.conditions(URL, ()) == ()

    known.take(URL, (), 200, head(ETag='"a"', Last_Modified=OLD, Cache_Control="max-age=60"), NOW)

    assert not known.has(URL, (), NOW)
    assert known.conditions(URL, ()) == (("If-Modified-Since", OLD), ("If-None-Match", '"a"'))


def test_a_later_answer_makes_the_first_no_younger() -> None:
    known = cache()
    known.take(URL, (), 200, head(Cache_Control="max-age=1", ETag='"a"'), NOW)

    known.take(URL, (), 304, head(Cache_Control="max-age=60", ETag='"b"'), NOW + 2)

    assert not known.has(URL, (), NOW + 3)
    assert known.conditions(URL, ()) == (("If-None-Match", '"a"'),)


@pytest.mark.parametrize("status", [301, 302, 404, 500])
def test_other_answers_are_not_kept(status: int) -> None:
    known = cache()

    known.take(URL, (), status, head(Cache_Control="max-age=60"), NOW)

    assert not known.has(URL, (), NOW)


def test_an_answer_that_varies_is_one_for_each_value() -> None:
    known = cache()
    for_a, for_b = (("X-Lane", "A"), ("Cookie", "c=1")), (("X-Lane", "B"),)

    known.take(URL, for_a, 200, head(Vary="X-Lane", Cache_Control="max-age=60"), NOW)

    assert known.has(URL, for_a, NOW)
    assert not known.has(URL, for_b, NOW)
    known.take(URL, for_b, 200, head(Vary="*", Cache_Control="max-age=60"), NOW)
    assert not known.has(URL, for_b, NOW)


@given(some.lists(some.integers(0, 20), max_size=60), some.integers(1, 8))
def test_so_many_are_kept_those_that_were_used_last(numbers: list[int], most: int) -> None:
    known, used = cache(most=most), list[int]()
    for number in numbers:
        if not known.has(f"{URL}{number}", (), NOW):
            known.take(f"{URL}{number}", (), 200, head(Cache_Control="max-age=60"), NOW)
        used = [*(each for each in used if each != number), number]

    assert [known.has(f"{URL}{each}", (), NOW) for each in used] == [at >= len(used) - most for at in range(len(used))]


@given(some.text(max_size=60))
def test_whatever_a_head_says_it_is_read(text: str) -> None:
    known = cache()

    known.take(URL, (), 200, f"HTTP/1.1 200 OK\r\nCache-Control: {text}\r\nExpires: {text}\r\nDate: {text}\r\n", NOW)

    assert known.has(URL, (), NOW) in (True, False)
