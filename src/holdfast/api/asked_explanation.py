"""From the arguments of `holdfast.explain` to what is explained, and what is asked besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec

from holdfast.api import option_values
from holdfast.api.asked import started_experiment
from holdfast.api.explaining import asked_besides
from holdfast.api.option_layers import Source, plain, read_options
from holdfast.api.python_words import in_python
from holdfast.engine.quantities import rate_per_s, some_time_s
from holdfast.errors import UsageError
from holdfast.explaining.run import Asked
from holdfast.model.experiment import Experiment
from holdfast.model.sizes import size_of

_CALL = "holdfast.explain()"


class _Besides(msgspec.Struct, kw_only=True):
    up_to: Annotated[int, msgspec.Meta(ge=0, le=option_values.MOST_OFFERED)] | None = None
    want: Annotated[int, msgspec.Meta(ge=1, le=option_values.MOST_OFFERED)] | None = None
    rate: float | str | None = None
    service_time: float | str | None = None
    p99: float | str | None = None
    memory: int | str | None = None
    overload: bool | None = None
    health: str | None = None
    silent: bool | None = None
    patience: float | str | None = None


# What `asked_besides` calls it, and what makes its value of a text.
_OTHERWISE: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "rate": ("rate_per_s", rate_per_s),
    "service_time": ("service_s", some_time_s),
    "p99": ("p99_s", some_time_s),
    "memory": ("memory_bytes", size_of),
    "health": ("health_path", str),
    "patience": ("patience_s", some_time_s),
}


def asked_explanation(app: str | None, given: Mapping[str, Any]) -> tuple[Experiment, Asked]:
    """What is explained, and what is asked besides.

    Args:
        given: the arguments by name, as `options.ExplainOptions` has them without `save`.

    Raises:
        UsageError: an argument is unknown or cannot be used, or two exclude each other.
        EnvironmentFailure: as `started_experiment`.
    """
    source = Source(None, _CALL)
    names = _Besides.__struct_fields__
    read = read_options(plain({name: value for name, value in given.items() if name in names}), _Besides, source)
    values: dict[str, Any] = {}
    for name in names:
        value, (called, check) = getattr(read, name), _OTHERWISE.get(name, (name, None))
        try:
            values[called] = value if value is None or check is None else check(str(value))
        except ValueError as error:
            raise source.wrong(name, str(error)) from error
    try:
        asked = asked_besides(values)
    except ValueError as error:
        raise UsageError(f"{_CALL} cannot be carried out as written.", in_python(str(error))) from error
    return started_experiment(app, {name: each for name, each in given.items() if name not in names}, _CALL), asked
