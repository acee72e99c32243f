"""References in texts, and where the keys of a TOML file are."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

import pytest

from holdfast.api import toml_places
from holdfast.api.references import names_in, template
from holdfast.model.answers import Variable


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("/a/{id}?b={c}", ("/a/", Variable("id", "{id}"), "?b=", Variable("c", "{c}"))),
        ("{{id}} {id}", ("{id} ", Variable("id", "{id}"))),
        ('{"a": {"b": 1}} {} { id } {a-b}', ('{"a": {"b": 1}} {} { id } {a-b}',)),
        ('{"a":{id}}', ('{"a":', Variable("id", "{id}"), "}")),
        ("", ()),
    ],
)
def test_a_name_in_braces_is_a_reference_and_other_braces_are_themselves(text: str, parts: tuple[Any, ...]) -> None:
    assert template(text) == parts
    assert list(names_in(text)) == [each.name for each in parts if isinstance(each, Variable)]


def test_where_only_some_names_are_known_braces_around_others_stay() -> None:
    assert template("{a} {b} {{a}} {{b}}", known=("a",)) == (Variable("a", "{a}"), " {b} {a} {{b}}")


ODD = '''\
# a = 1
"quoted \\" key" = "a#b" # c
'li.teral' = \'\'\'
[[group]]
x = 1\'\'\'
a.b."c d" = """
\\"""[no]
"""
dates = [1979-05-27, 07:32:00] # ] here
inline = { a = [1, { b = "}" }], "c" = 2.5 }
empty = []
nested = [ [1, 2],
  # a remark, with ]
  [ 3 ], ]
[table.inner]
x = true
[[list]]
x = 1
[[list.inner]]
y = 1
[[list.inner]]
y = 2
[list.table]
z = 1
[[list]]
x = 2
[[list.inner]]
y = 3
'''


def paths(value: Any, before: toml_places.Path = ()) -> Any:
    """Every key and item in what `tomllib` reads."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*before, key)
        yield from paths(inner, (*before, key))


def test_each_key_of_a_document_has_its_place() -> None:
    places = toml_places.places(ODD)
    lines = ODD.splitlines()

    for path in paths(tomllib.loads(ODD)):
        # A table that only a longer name mentions is at no place of its own.
        assert path in places or any(each[: len(path)] == path for each in places), path
    for path, (line, column) in places.items():
        key = path[-1] if isinstance(path[-1], str) else None
        if key is not None:
            rest = lines[line - 1][column - 1 :]
            assert rest.startswith("[") or key.replace('"', '\\"') in rest, (path, line, column)
    assert places["li.teral",] == (3, 1)
    assert places["a", "b", "c d"] == (6, 1)
    assert places["inline", "a", 1, "b"] == (10, 22)
    assert places["nested", 1, 0] == (14, 5)
    assert places["list", 1, "inner", 0, "y"] == (28, 1)
    assert places["list", 0, "inner", 1, "y"] == (22, 1)
