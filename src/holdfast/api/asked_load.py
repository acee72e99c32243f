"""From the arguments of `holdfast.load` to the load that they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from holdfast.api import option_values
from holdfast.api.checked_arguments import checked, several
from holdfast.api.extract_syntax import named_extract
from holdfast.api.input_files import read_data_rows
from holdfast.api.load_arguments import (
    SHAPE_NAMES,
    CheckArguments,
    ConnectionArguments,
    LoadArguments,
    MemoryArguments,
    RequestArguments,
    RunArguments,
    ShapeArguments,
    has_memory,
)
from holdfast.api.load_shape import group_of
from holdfast.api.option_layers import Source, plain, read_options
from holdfast.api.python_words import in_python
from holdfast.api.scenario_name import is_scenario
from holdfast.engine import quantities
from holdfast.engine.quantities import Threshold
from holdfast.engine.url import parse_url
from holdfast.errors import UsageError
from holdfast.model.load import MOST_PROCESSES, MOST_REQUESTS, LoadExperiment, StopRule
from holdfast.model.scenario import DEFAULT_TIMEOUT_S, Group, Timeouts
from holdfast.model.shapes import MOST_CLIENTS

if TYPE_CHECKING:
    from holdfast.model.journey import Journeys

_CALL = "holdfast.load()"

_Count = Annotated[int, msgspec.Meta(ge=1, le=MOST_REQUESTS)]
_Status = Annotated[int, msgspec.Meta(ge=100, le=599)]
_Amount = float | str


class _Load(msgspec.Struct, kw_only=True):
    rate: _Amount | None = None
    for_: _Amount | None = None
    requests: _Count | None = None
    over: _Amount | None = None
    ramp: str | None = None
    stages: str | None = None
    burst: _Count | None = None
    clients: Annotated[int, msgspec.Meta(ge=1, le=MOST_CLIENTS)] | None = None
    think: _Amount | None = None
    poisson: bool = False
    seed: int = 0
    stop: str | None = None
    method: str | None = None
    headers: list[str] = []
    data: Any = None
    data_rows: str | None = None
    once: bool = False
    first: list[str] = []
    then: list[str] = []
    extract: list[str] = []
    cookies: bool = False
    follow: Annotated[int, msgspec.Meta(ge=0, le=option_values.MOST_HOPS)] = 0
    hook: list[str] = []
    values: dict[str, str | int | float] = {}
    expect_status: list[_Status] = []
    expect_body: list[str] = []
    expect_match: list[str] = []
    threshold: list[str] = []
    keep_alive: bool | None = None
    events: bool = False
    http2: bool = False
    streams: Annotated[int, msgspec.Meta(ge=1, le=option_values.MOST_STREAMS)] | None = None
    connect_timeout: _Amount | None = None
    first_byte_timeout: _Amount | None = None
    timeout: _Amount = DEFAULT_TIMEOUT_S
    source: list[str] = []
    processes: Annotated[int, msgspec.Meta(ge=1, le=MOST_PROCESSES)] | None = None
    allow_remote: list[str] = []
    insecure: bool = False


_SEVERAL = (
    "first",
    "then",
    "extract",
    "hook",
    "expect_status",
    "expect_body",
    "expect_match",
    "threshold",
    "source",
    "allow_remote",
)
"""Arguments that may also be one value."""
_BESIDE_A_SCENARIO = ("values", "hook", "seed", "stop", "threshold", "source", "processes", "allow_remote", "insecure")
# What makes the value of a text, or of each of several.
_CHECKS: Mapping[str, Callable[[str], Any]] = {
    "rate": quantities.rate_per_s,
    "for_": quantities.duration_s,
    "over": quantities.duration_s,
    "ramp": quantities.ramp,
    "stages": quantities.stages,
    "think": quantities.pause,
    "stop": quantities.stop_rule,
    "headers": option_values.header_of_a_load,
    "extract": named_extract,
    "expect_match": quantities.pattern,
    "threshold": quantities.threshold,
    "connect_timeout": quantities.some_time_s,
    "first_byte_timeout": quantities.some_time_s,
    "timeout": quantities.some_time_s,
    "source": quantities.source,
}


def asked_load(url: str, given: Mapping[str, Any]) -> tuple[LoadExperiment, tuple[str, ...], tuple[Threshold, ...]]:
    """The load, the hosts that it may go to although they are not loopback, and what is to hold of it.

    Args:
        given: the arguments by name, as `options.LoadOptions` has them without `save`.

    Raises:
        UsageError: an argument is unknown or cannot be used, or two exclude each other.
        EnvironmentFailure: the file of values may not be read.
    """
    source = Source(None, _CALL)
    table = plain({name: several(name, value, _SEVERAL) for name, value in given.items()})
    read = read_options(table, _Load, source)
    asked = checked(read, _CHECKS, source)
    if is_scenario(url):
        return _of_scenario(Path(url), read, asked, source)
    if asked["values"]:
        raise source.wrong("values", f"They are those of a scenario, and {url} is not one.")
    group, journeys = _of_url(url, asked, source)
    return _experiment(asked, group, journeys), asked["allow_remote"], asked["threshold"]


def _of_url(url: str, asked: Mapping[str, Any], source: Source) -> tuple[tuple[Group, ...], Journeys | None]:
    """The group, or the journeys, that the arguments mean."""
    path = parse_url(url).path
    if asked["once"] and asked["data_rows"] is None:
        raise source.wrong("once", "It ends the load with the last of data_rows, which are not there.")
    rows = read_data_rows(None if asked["data_rows"] is None else Path(asked["data_rows"]), again=not asked["once"])
    body = asked["data"].encode() if isinstance(asked["data"], str) else asked["data"]
    if not isinstance(body, bytes | None):
        raise source.wrong("data", f"Expected `str` or `bytes`, got `{type(body).__name__}`.")
    arguments = _arguments(url, asked)
    try:
        if has_memory(arguments.memory):
            from holdfast.api.journey_options import journeys_of  # noqa: PLC0415 - most loads do without

            return (), journeys_of(arguments, body=body, data=rows)
        return (group_of(path, arguments, body=body, data=rows),), None
    except ValueError as error:
        raise UsageError(f"{_CALL} cannot be carried out as written.", in_python(str(error))) from error


def _of_scenario(
    file: Path, read: _Load, asked: Mapping[str, Any], source: Source
) -> tuple[LoadExperiment, tuple[str, ...], tuple[Threshold, ...]]:
    """The load that a scenario file describes."""
    from holdfast.api.scenario_file import read_scenario  # noqa: PLC0415 - most loads do without

    usual = _Load()
    for name in read.__struct_fields__:
        if name not in _BESIDE_A_SCENARIO and getattr(read, name) != getattr(usual, name):
            raise source.wrong(name, f"{file.name} says this itself.", "Leave it out, or change it in the file.")
    values = {name: str(value) for name, value in asked["values"].items()}
    scenario = read_scenario(file, values, asked["seed"], asked["hook"])
    experiment = _experiment({**asked, "stop": asked["stop"] or scenario.stop}, (), scenario.journeys)
    return experiment, asked["allow_remote"], (*scenario.thresholds, *asked["threshold"])


def _experiment(asked: Mapping[str, Any], groups: tuple[Group, ...], journeys: Journeys | None) -> LoadExperiment:
    return LoadExperiment(
        groups,
        not asked["insecure"],
        asked["seed"],
        asked["source"],
        asked["stop"] or StopRule(),
        asked["processes"],
        journeys,
        asked["allow_remote"],
    )


def _arguments(url: str, asked: Mapping[str, Any]) -> LoadArguments:
    shape = {name: asked[name] for name in SHAPE_NAMES if name != "over_s"}
    return LoadArguments(
        url=url,
        shape=ShapeArguments(**shape, over_s=asked["over"], for_s=asked["for_"], think=asked["think"]),
        request=RequestArguments(asked["method"], asked["headers"]),
        memory=MemoryArguments(
            asked["first"], asked["then"], asked["extract"], asked["cookies"], asked["follow"], asked["hook"]
        ),
        check=CheckArguments(asked["expect_status"], asked["expect_body"], asked["expect_match"]),
        connection=ConnectionArguments(
            asked["keep_alive"],
            asked["source"],
            not asked["insecure"],
            events=asked["events"],
            http2=asked["http2"],
            streams=asked["streams"],
        ),
        timeouts=Timeouts(asked["connect_timeout"], asked["first_byte_timeout"], asked["timeout"]),
        run=RunArguments(seed=asked["seed"]),
    )
