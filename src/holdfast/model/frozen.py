"""`@frozen`: a frozen dataclass with slots that is quick to import.

`dataclass(frozen=True, slots=True)` compiles six methods of each class, which takes 0.43 ms; it was 25 of the 135 ms of
CPU of a small load, and half of the time that the imports of a probe took (measured, Python 3.11). Here all classes
share five of these methods, and `__init__` is compiled when its class is first used. In all else the result is the
standard library's dataclass: `fields`, `replace`, `asdict`, patterns by position and msgspec take it for what it is.

It does without what none of these classes needs: `__post_init__`, `InitVar`, and fields that have no part in
`__init__`, in a comparison or in `repr`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from reprlib import recursive_repr
from typing import Any, NoReturn, TypeVar, dataclass_transform

_Own = TypeVar("_Own")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(own: type[_Own], /) -> type[_Own]:
    """Makes this class a frozen dataclass with slots."""
    if own.__doc__ is None:
        own.__doc__ = own.__name__  # else the standard library writes the signature there, with `inspect`
    made: Any = dataclass(init=False, repr=False, eq=False, slots=True)(own)
    made._values_ = _values_of(tuple(each.name for each in fields(made)))
    made.__init__ = _compiled_when_used(made)
    made.__eq__, made.__hash__, made.__repr__ = _is_equal, _hash, _shown
    made.__setattr__, made.__delattr__ = _refuse_to_set, _refuse_to_delete
    made.__reduce__ = _reduced
    done: type[_Own] = made
    return done


def _compiled_when_used(own: Any) -> Callable[..., None]:  # noqa: ANN401 - a class with what is added to it here
    def first_init(self: Any, /, *given: Any, **named: Any) -> None:  # noqa: ANN401 - its fields'
        own.__init__ = init = _init_of(own.__qualname__, fields(own))
        init(self, *given, **named)

    return first_init


def _init_of(name: str, of: tuple[Field[Any], ...]) -> Callable[..., None]:
    """The `__init__` of these fields, which takes them in their order, and those after `KW_ONLY` by name."""
    names: dict[str, Any] = {"_set": object.__setattr__, "_missing": MISSING}
    parameters, lines = ["self"], ["pass"]
    for each in sorted(of, key=lambda each: bool(each.kw_only)):
        value, default = each.name, ""
        if each.default is not MISSING:
            names[f"_of_{each.name}"], default = each.default, f"=_of_{each.name}"
        elif each.default_factory is not MISSING:
            names[f"_of_{each.name}"], default = each.default_factory, "=_missing"
            value = f"_of_{each.name}() if {each.name} is _missing else {each.name}"
        if each.kw_only and "*" not in parameters:
            parameters.append("*")
        parameters.append(each.name + default)
        lines.append(f"_set(self, {each.name!r}, {value})")
    body = "\n ".join(lines)
    text = f"def __init__({', '.join(parameters)}):\n {body}"
    exec(compile(text, f"<fields of {name}>", "exec"), names)  # noqa: S102 - as `dataclass` does
    init: Callable[..., None] = names["__init__"]
    init.__qualname__ = f"{name}.__init__"
    return init


def _values_of(names: tuple[str, ...]) -> Callable[[object], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return staticmethod(lambda own: tuple(getattr(own, each) for each in names))


def _is_equal(self: Any, other: Any) -> Any:  # noqa: ANN401 - any of these classes, as below
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self._values_(self) == self._values_(other)


def _hash(self: Any) -> int:  # noqa: ANN401
    return hash(self._values_(self))


@recursive_repr()
def _shown(self: Any) -> str:  # noqa: ANN401
    own = ", ".join(f"{each.name}={getattr(self, each.name)!r}" for each in fields(self))
    return f"{self.__class__.__qualname__}({own})"


def _refuse_to_set(_self: object, name: str, _value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_self: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _reduced(self: Any) -> tuple[Any, ...]:  # noqa: ANN401
    return _again, (self.__class__, {each.name: getattr(self, each.name) for each in fields(self)})


def _again(own: type[_Own], named: Mapping[str, Any]) -> _Own:
    """Makes a copy, or what was pickled."""
    return own(**named)
