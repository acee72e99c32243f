"""The load that options mean: arguments of a command line -> a group of the model; pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping

from holdfast.api.load_arguments import ConnectionArguments, LoadArguments, ShapeArguments
from holdfast.model.load import MOST_REQUESTS
from holdfast.model.scenario import DataRows, Group, Pause, Pieces, Slot, Step, Text
from holdfast.model.shapes import Burst, Clients, Rise, Shape, Spread, Stages

SHAPES = (
    "--rate RATE --for DURATION, --requests N --over DURATION, --ramp RATE:RATE/DURATION, "
    "--stages RATE:DURATION,..., --burst N or --clients N --for DURATION"
)
_STREAMS = 100
"""At once on a connection in the open model: a server is not to allow fewer (RFC 9113, 6.5.2)."""
_NOTHING = "This load would send no requests."
_SLOT = re.compile(r"\{(\w+)\}")


def group_of(path: str, arguments: LoadArguments, *, body: bytes | None, data: DataRows | None) -> Group:
    """The one group of clients that the arguments describe.

    Args:
        path: of the URL.
        body: of each request; None sends none.
        data: values of slots that have the names of its columns; None if there are none.

    Raises:
        ValueError: the arguments do not go together.
    """
    shape = shape_of(arguments.shape)
    names = ("id", *(data.names if data else ()))
    if unknown := [name for name in _SLOT.findall(path) if name not in names]:
        raise ValueError(
            f"{{{unknown[0]}}} in the path has no value: there is {', '.join(f'{{{name}}}' for name in names)}. "
            "A literal brace is written %7B."
        )
    url, request, check = arguments.url or "", arguments.request, arguments.check
    method = request.method or ("GET" if body is None else "POST")
    step = Step(
        label=f"{method} {path}",
        path=slotted(path, names),
        method=method,
        headers=tuple((name, slotted(value, names)) for name, value in request.headers),
        body=_slotted_body(body, names),
        expected=check.expected,
        checks=check.checks,
        pause=arguments.shape.think or Pause(),
    )
    keep_alive, streams = arguments.connection.keep_alive, streams_of(arguments.connection, shape)
    return Group(
        name=url,
        url=url,
        steps=(step,),
        shape=shape,
        values=(data,) if data else (),
        timeouts=arguments.timeouts,
        keep_alive=shape.clients is not None or streams is not None if keep_alive is None else keep_alive,
        events=arguments.connection.events,
        streams=streams,
    )


def streams_of(connection: ConnectionArguments, shape: Shape) -> int | None:
    """How many streams a connection has at once; None speaks HTTP/1.1.

    Raises:
        ValueError: the arguments do not go together.
    """
    if not connection.http2:
        if connection.streams is not None:
            raise ValueError("--streams goes with --http2: a connection of HTTP/1.1 carries one request at a time.")
        return None
    if connection.keep_alive is False:
        raise ValueError(
            "--no-keep-alive does not go with --http2: its connections carry one request after the other, and several "
            "at once. For one at a time on each give --streams 1."
        )
    if connection.streams is not None:
        return connection.streams
    # In the closed model a client has one request at a time, unless it is told otherwise.
    return _STREAMS if shape.clients is None else 1


def slotted(text: str, names: Collection[str]) -> Text:
    """A text in which each `{name}` with a known name is a slot; other braces stay as they are."""
    parts: list[str | Slot] = []
    end = 0
    for found in _SLOT.finditer(text):
        if found[1] in names:
            parts += [text[end : found.start()], Slot(found[1])]
            end = found.end()
    return (*parts, text[end:]) if parts else text


def _slotted_body(body: bytes | None, names: Collection[str]) -> bytes | Pieces | None:
    if body is None:
        return None
    try:
        text = slotted(body.decode(), names)
    except UnicodeDecodeError:
        return body
    return body if isinstance(text, str) else text


def shape_of(arguments: ShapeArguments) -> Shape:
    """The shape that the arguments mean.

    Raises:
        ValueError: they mean none or several, or one that lacks an argument.
    """
    chosen = [name for name in ("rate", "ramp", "stages", "burst", "clients") if getattr(arguments, name) is not None]
    if arguments.over_s is not None or (arguments.requests is not None and not chosen):
        chosen.append("over")
    if len(chosen) != 1:
        excluded = ", ".join(f"--{name}" for name in chosen)
        what = f"These exclude each other: {excluded}."
        raise ValueError(
            f"{what if chosen else 'Say how much load to send, for example --rate 50/s --for 10s.'} Choices: {SHAPES}."
        )
    _check_company(chosen[0], arguments)
    shape = _SHAPES[chosen[0]](arguments)
    if shape.passes is not None and shape.passes > MOST_REQUESTS:
        raise ValueError(f"That is {shape.passes:,} requests, more than {MOST_REQUESTS:,}.")
    if shape.passes is not None and shape.passes <= 0:
        raise ValueError(_NOTHING)
    return shape


def _check_company(shape: str, arguments: ShapeArguments) -> None:
    """Raises ValueError for an argument that does not go with the shape."""
    if arguments.poisson and shape not in ("rate", "stages"):
        raise ValueError("--poisson goes with --rate or --stages.")
    if arguments.think is not None and shape != "clients":
        raise ValueError("--think goes with --clients: in the open model no request waits for another.")
    if arguments.requests is not None and shape not in ("over", "clients", "rate"):
        raise ValueError(f"--requests does not go with --{shape}, which says how many.")
    if arguments.for_s is not None and shape not in ("rate", "clients"):
        raise ValueError(f"--for does not go with --{shape}, which says how long.")


def _over(arguments: ShapeArguments) -> Spread:
    if arguments.requests is None or arguments.over_s is None:
        raise ValueError("--requests N and --over DURATION go together.")
    return Spread(arguments.requests, arguments.over_s)


def _rate(arguments: ShapeArguments) -> Stages:
    rate, for_s, requests = arguments.rate, arguments.for_s, arguments.requests
    if for_s is None and requests is None:
        raise ValueError("Say when to stop: add --for (10s) or --requests (100) to --rate.")
    if not rate:
        raise ValueError(_NOTHING)
    if for_s is None:
        # Random arrivals may take longer than their number at the mean rate does.
        expected = requests or 0
        for_s = (2 if arguments.poisson else 1) * (expected + 10 * math.sqrt(expected)) / rate
    return Stages(((rate, for_s),), arguments.poisson, requests)


def _ramp(arguments: ShapeArguments) -> Rise:
    assert arguments.ramp is not None
    return Rise(*arguments.ramp)


def _stages(arguments: ShapeArguments) -> Stages:
    assert arguments.stages is not None
    return Stages(arguments.stages, arguments.poisson)


def _burst(arguments: ShapeArguments) -> Burst:
    assert arguments.burst is not None
    return Burst(arguments.burst)


def _clients(arguments: ShapeArguments) -> Clients:
    assert arguments.clients is not None
    if arguments.requests is None and arguments.for_s is None:
        raise ValueError("Say when to stop: add --for (10s) or --requests (100) to --clients.")
    if arguments.for_s == 0:
        raise ValueError(_NOTHING)
    return Clients(arguments.clients, arguments.requests, arguments.for_s)


_SHAPES: Mapping[str, Callable[[ShapeArguments], Shape]] = {
    "over": _over,
    "rate": _rate,
    "ramp": _ramp,
    "stages": _stages,
    "burst": _burst,
    "clients": _clients,
}
"""What makes each shape of its arguments, by the option that chooses it."""
