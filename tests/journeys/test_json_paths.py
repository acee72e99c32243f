"""JSON paths find what JMeter's library finds: each line was asked of json-path 2.7.0, with its option for lists."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.journeys.json_filters import PathError
from holdfast.journeys.json_paths import as_json, as_text, by_hash, called, path_of, read_json, values_at

DOCUMENT = r"""{"store":{"book":[{"category":"reference", "author":"Nigel Rees", "title":"Sayings", "price":8.95},
{"category":"fiction", "author":"Evelyn Waugh", "title":"Sword", "price":12.99},
{"category":"fiction", "author":"Herman", "title":"Moby Dick", "isbn":"0-553", "price":8.99,"n":"5"},
{"category":"fiction", "author":"Tolkien", "title":"Lord", "isbn":"0-395", "price":22.99,"tags":["a", "b"],"e":[]}],
"bicycle":{"color":"red", "price":19.95}},
"expensive":10,"nul":null,"big":12345678901234567890,"f":100.0,"e7":1e7,
"small":0.0001,"s/l":"a/b\u20ac é", "t":true,"a.b":1,"arr":[1,2,3,4],"empty":[],"x-y":2,"deep":{"price":1}}"""

FOUND = [
    ("$.store.book[0].title", '["Sayings"]'),
    ("$.store.book[*].author", '["Nigel Rees","Evelyn Waugh","Herman","Tolkien"]'),
    ("$..author", '["Nigel Rees","Evelyn Waugh","Herman","Tolkien"]'),
    ("$.store..price", "[8.95,12.99,8.99,22.99,19.95]"),
    (
        "$..book[2]",
        '[{"category":"fiction","author":"Herman","title":"Moby Dick","isbn":"0-553","price":8.99,"n":"5"}]',
    ),
    ("$..book[1:2]", '[{"category":"fiction","author":"Evelyn Waugh","title":"Sword","price":12.99}]'),
    ("$..book[?(@.price<10)].title", '["Sayings","Moby Dick"]'),
    ("$.store.book[?(@.price < $.expensive)].title", '["Sayings","Moby Dick"]'),
    ("$.store.book[?(@.category=='fiction')].price", "[12.99,8.99,22.99]"),
    ('$.store.book[?(@.category=="fiction" && @.price>10)].title', '["Sword","Lord"]'),
    ("$.store.book[?(@.category=='reference' || @.price>20)].title", '["Sayings","Lord"]'),
    ("$.store.book[?(@.author =~ /.*REES/i)].title", '["Sayings"]'),
    ("$.store.book[?(@.author =~ /REES/i)].title", "[]"),
    ("$.store.book[?(@.author in ['Herman','Tolkien'])].title", '["Moby Dick","Lord"]'),
    ("$.store.book[?(@.author nin ['Herman','Tolkien'])].title", '["Sayings","Sword"]'),
    ("$.store.book[?(@.tags contains 'a')].title", '["Lord"]'),
    ("$.store.book[?(@.title contains 'or')].title", '["Sword","Lord"]'),
    ("$.store.book[?(@.e empty true)].title", '["Lord"]'),
    ("$.store.book[?(@.tags size 2)].title", '["Lord"]'),
    ("$.store.book[?(!(@.price<10))].title", '["Sword","Lord"]'),
    ("$.store.book[?(@.n == 5)].title", '["Moby Dick"]'),
    ("$.store.book[?(@.n == '5')].title", '["Moby Dick"]'),
    ("$.store.book[?(@.price == 8.95)].title", '["Sayings"]'),
    ("$.store.book[?(@.price != 8.95)].title", '["Sword","Moby Dick","Lord"]'),
    ("$.store.book[?(@.isbn != 'x')].title", '["Sayings","Sword","Moby Dick","Lord"]'),
    ("$.store.book[?(@['price'] < 9)].title", '["Sayings","Moby Dick"]'),
    ("$.store.book[?(@.nope == null)].title", "[]"),
    ("$.nul", "[null]"),
    ("$.big", "[12345678901234567890]"),
    ("$.f", "[100.0]"),
    ("$.e7", "[1.0E7]"),
    ("$.small", "[1.0E-4]"),
    ("$['s/l']", '["a\\/b\\u20AC é"]'),
    ("$.s/l", '["a\\/b\\u20AC é"]'),
    ("$.t", "[true]"),
    ("$['a.b']", "[1]"),
    ('$["a.b"]', "[1]"),
    ("$['t','f']", '[{"t":true,"f":100.0}]'),
    ("$['t','nope']", '[{"t":true}]'),
    ("$.nope", "[]"),
    ("$.store.nope.x", "[]"),
    ("$.arr", "[[1,2,3,4]]"),
    ("$.arr[0]", "[1]"),
    ("$.arr[9]", "[]"),
    ("$.arr[-9]", "[]"),
    ("$.arr[0,9]", "[1]"),
    ("$.arr[?(@ > 2)]", "[3,4]"),
    ("$.arr[?(@>=2 && @<4)]", "[2,3]"),
    ("$.empty", "[[]]"),
    ("$.empty[*]", "[]"),
    ("$..nope", "[]"),
    ("store.bicycle.color", '["red"]'),
    ("$.store.bicycle", '[{"color":"red","price":19.95}]'),
    ("$.x-y", "[2]"),
    ("$..[0]", '[{"category":"reference","author":"Nigel Rees","title":"Sayings","price":8.95},"a",1]'),
    ("$..['price']", "[8.95,12.99,8.99,22.99,19.95,1]"),
    ("$.store[?(@.color=='red')]", "[]"),
    ("$.store.bicycle[?(@.color=='red')]", '[{"color":"red","price":19.95}]'),
    ("$[0]", "[]"),
    ("$.store.book[1]['title','price']", '[{"title":"Sword","price":12.99}]'),
    ("$.store.book[?(@.price > 'a')].title", "[]"),
    ("$.arr[1:]", "[2,3,4]"),
    ("$.arr[:-1]", "[1,2,3]"),
    ("$.arr[ 1 ]", "[2]"),
    ("$.arr[*]", "[1,2,3,4]"),
    ("$.store.book[?('fiction' == @.category)].title", '["Sword","Moby Dick","Lord"]'),
    ("$.store.book[?(@.category==$.nul)].title", "[]"),
    ("$.store['book'][0]['title']", '["Sayings"]'),
]


@pytest.mark.parametrize(("path", "found"), FOUND, ids=[path for path, _ in FOUND])
def test_paths_find_what_jmeter_finds(path: str, found: str) -> None:
    assert as_json(values_at(path_of(path), read_json(DOCUMENT))) == found


@pytest.mark.parametrize(
    "path", ["$.", "$..", "$.store.book[?(@.price]", "$.store.book[a]", "$.store.book[(@.length-1)]"]
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(PathError):
        path_of(path)


def test_values_become_the_texts_that_java_writes() -> None:
    values = values_at(
        path_of("$.*"), read_json('{"a": 1.50, "b": 1e7, "c": true, "d": null, "e": {"f": "/é"}, "g": [1, "x"]}')
    )

    assert [as_text(each) for each in values] == ["1.5", "1.0E7", "true", None, '{"f":"\\/é"}', '[1,"x"]']


def test_members_of_an_object_are_in_the_order_of_a_java_hash_map() -> None:
    """As JMeter 5.5 has them (tests/oracle, json-objects); Aa and BB have one hash, and what is within stays so."""
    value = read_json('{"number": 1, "id": {"zz": 1, "aa": 2}, "BB": 6, "Aa": 7, "\u00fc": 8, "\U0001f600": 9}')

    assert isinstance(value, dict)
    assert [*by_hash({"zeta": 1, "alpha": 2, "beta": 3})] == ["zeta", "beta", "alpha"]
    assert [*by_hash({"k2": 1, "k1": 2})] == ["k1", "k2"]
    assert [each for each in by_hash(value) if each in ("BB", "Aa")] == ["BB", "Aa"]
    assert by_hash(value)["id"] is value["id"]
    assert by_hash([value]) == [value]


def test_a_function_at_the_end_works_on_what_is_before_it() -> None:
    path = path_of("$.arr.length()")

    (value,) = values_at(path, read_json(DOCUMENT))

    assert (path.call, called(path.call, value)) == ("length", 4)


@given(st.text("$.[]*'?(@)ab01,:=<&|! ", max_size=14))
def test_any_text_is_a_path_or_is_refused(text: str) -> None:
    assert found_or_refused(f"${text}")


def found_or_refused(text: str) -> bool:
    try:
        return isinstance(values_at(path_of(text), {"a": [1, {"b": 2}], "b": None}), list)
    except PathError as error:
        return bool(str(error))


def test_json_that_is_nested_deeply_is_refused() -> None:
    with pytest.raises(ValueError, match="nested"):
        read_json("[" * 100_000)


def test_json_without_end_is_refused() -> None:
    with pytest.raises(json.JSONDecodeError):
        read_json('{"a": ')
