"""Results in files that were made or changed by hand: whatever they hold is compared, or named."""

from __future__ import annotations

import contextlib
import json
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.errors import UsageError
from holdfast.infer.difference import difference_of
from holdfast.report.difference import render_difference
from holdfast.report.layout import rendered

RECORDED = Path(__file__).parents[1] / "recorded"
RESULTS = {
    name: json.loads((RECORDED / name).with_suffix(".json").read_text())
    for name in ("runs/gunicorn-gthread", "runs/attach", "loads/open")
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def paths_of(value, stem=()):
    yield stem
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths_of(inner, (*stem, name))


@pytest.mark.parametrize("name", RESULTS)
def test_whatever_a_file_holds_is_compared_and_shown_or_named(name):
    result = RESULTS[name]
    places = [each for each in paths_of(result) if each]

    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.tuples(st.sampled_from(places), JSON), min_size=1, max_size=4))
    def compare(changes):
        other = deepcopy(result)
        for path, value in changes:
            part = other
            for step in path[:-1]:
                part = part[step] if isinstance(part, dict) and step in part else {}
            if isinstance(part, dict):
                part[path[-1]] = value
        for pair in ((result, other), (other, result), (other, other)):
            with contextlib.suppress(UsageError):
                found = difference_of(*pair)
                assert rendered(render_difference(found, everything=True), 80, styled=False)

    compare()


def nested(depth, wrapped):
    found = wrapped(None)
    for _ in range(depth):
        found = wrapped(found)
    return found


@pytest.mark.parametrize("wrapped", [lambda inner: {"a": inner}, lambda inner: [inner]], ids=["objects", "lists"])
def test_a_file_that_is_nested_too_deeply_is_named(wrapped):
    one, other = ({**RESULTS["loads/open"], "x": nested(50_000, wrapped)} for _ in range(2))

    with pytest.raises(UsageError, match="cannot be compared"):
        difference_of(one, other)
