"""A class that is made `@frozen` behaves as the one that the standard library makes of it."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable
from dataclasses import KW_ONLY, FrozenInstanceError, asdict, dataclass, field, fields, replace
from typing import Any

import msgspec
import pytest

from holdfast.model.frozen import frozen


def classes(make: Any) -> tuple[Any, Any, Any]:
    """The same three classes, made by this decorator."""

    @make
    class Point:
        """Somewhere."""

        x: int
        y: int = 0
        names: dict[str, int] = field(default_factory=dict)

    @make
    class Named(Point):  # type: ignore[misc, valid-type] - any decorator
        _: KW_ONLY
        name: str
        of: Any = None

    @make
    class Single:
        only: tuple[int, ...]

    return Point, Named, Single


OURS = classes(frozen)
THEIRS = classes(dataclass(frozen=True, slots=True))


@frozen
class Known:
    """As pickle finds it."""

    x: int
    names: tuple[str, ...] = ()
    _: KW_ONLY
    of: Known | None = None


@pytest.mark.parametrize(
    "use",
    [
        lambda point, *_: repr(point(1, names={"a": 2})),
        lambda _, named, __: repr(named(1, 2, name="b", of=named(3, name="c"))),
        lambda point, *_: asdict(point(1)),
        lambda point, *_: (point(1) == point(1), point(1) == point(2), point(1) == (1, 0, {})),
        lambda point, *_: point(1).names is point(1).names,
        lambda point, named, _: named(1, name="b") == point(1),
        lambda *made: hash(made[2]((1, 2))),
        lambda *made: repr(made[2](only=())),
        lambda *made: [[(each.name, each.kw_only) for each in fields(own)] for own in made],
        lambda *made: [own.__match_args__ for own in made],
        lambda *made: [own.__slots__ for own in made],
        lambda _, named, __: repr(replace(named(1, name="b"), y=7, name="c")),
        lambda _, named, __: msgspec.json.encode(named(1, name="b")),
        lambda point, *_: repr(msgspec.convert({"x": 3}, point)),
        lambda _, named, __: list(inspect.signature(named(1, name="b").__init__).parameters),
    ],
)
def test_it_does_what_the_class_of_the_standard_library_does(use: Callable[..., object]) -> None:
    assert use(*OURS) == use(*THEIRS)


@pytest.mark.parametrize(
    "misuse",
    [
        lambda point, *_: setattr(point(1), "x", 2),
        lambda point, *_: delattr(point(1), "x"),
        lambda point, *_: hash(point(1)),
        lambda point, *_: point(),
        lambda point, *_: point(1, z=2),
        lambda _, named, __: named(1, 2, {}, "b"),
    ],
)
def test_it_refuses_what_the_class_of_the_standard_library_refuses(misuse: Callable[..., object]) -> None:
    with pytest.raises((FrozenInstanceError, TypeError)) as theirs:
        misuse(*THEIRS)
    with pytest.raises(type(theirs.value)) as ours:
        misuse(*OURS)

    assert str(ours.value) == str(theirs.value)


def test_a_copy_is_equal_to_it_and_so_is_what_was_pickled() -> None:
    known = Known(1, ("a",), of=Known(2))

    assert copy.copy(known) == copy.deepcopy(known) == pickle.loads(pickle.dumps(known)) == known
