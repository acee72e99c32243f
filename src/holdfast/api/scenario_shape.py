"""When the clients of a scenario's groups come: from the keys of a table to a shape, and to the stay of each client."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from holdfast.api.load_arguments import ShapeArguments
from holdfast.api.load_shape import shape_of
from holdfast.api.scenario_table import Table
from holdfast.engine import quantities
from holdfast.model.journey import Stay
from holdfast.model.load import MOST_REQUESTS
from holdfast.model.shapes import MOST_CLIENTS, Burst, Clients, OpenShape, Phases, Rise, Shape, Spread, Stages
from holdfast.model.units import NS_PER_S

KEYS = ("clients", "passes", "ramp-up", "requests", "over", "rate", "for", "ramp", "stages", "burst", "poisson")
"""The keys that are a shape."""


def shape_in(table: Table) -> Shape | None:
    """The shape that a table asks for; None if it says nothing of one.

    Raises:
        UsageError: it says something that is not one.
    """
    said = [key for key in KEYS if key in table.values]
    if not said:
        return None
    if said == ["for"]:
        why = (
            "It says for how long, and nothing in the same table says how much: a group does not share it with its own."
        )
        raise table.wrong("for", why, "Put it beside clients or rate.")
    arguments = ShapeArguments(
        requests=table.whole("requests", 1, MOST_REQUESTS),
        over_s=table.read("over", quantities.duration_s),
        rate=table.read("rate", quantities.rate_per_s),
        for_s=table.duration("for"),
        ramp=table.read("ramp", quantities.ramp),
        stages=table.read("stages", quantities.stages),
        burst=table.whole("burst", 1, MOST_REQUESTS),
        clients=table.whole("clients", 1, MOST_CLIENTS),
        poisson=table.flag("poisson"),
    )
    passes = table.whole("passes", 1, MOST_REQUESTS)
    ramp_s = table.read("ramp-up", quantities.duration_s) or 0.0
    if arguments.clients is None:
        for key in ("passes", "ramp-up"):
            if key in table.values:
                raise table.wrong(key, "It goes with clients.")
    elif passes is not None:
        if arguments.requests is not None:
            raise table.wrong("passes", "passes, of each client, and requests, of all together, exclude each other.")
        table.made("passes", partial(_shape, replace(arguments, requests=1)))  # nothing else that is a shape
        if passes * arguments.clients > MOST_REQUESTS:
            raise table.wrong("passes", f"That is more than {MOST_REQUESTS:,} for all clients.")
        return Clients(arguments.clients, for_s=arguments.for_s, iterations=passes, ramp_s=ramp_s)
    shape = table.made(said[0], partial(_shape, arguments))
    return replace(shape, ramp_s=ramp_s) if isinstance(shape, Clients) else shape


def _shape(arguments: ShapeArguments) -> Shape:
    try:
        return shape_of(arguments)
    except ValueError as error:
        # The options of the command line are the keys of the file.
        raise ValueError(str(error).replace("--", "")) from error


def shared_out(shape: Shape, weights: Sequence[float]) -> tuple[Shape, ...]:
    """Parts of a shape, one for each weight; whole numbers add up.

    Raises:
        ValueError: a part would be empty.
    """
    shares = [weight / sum(weights) for weight in weights]
    requests = None if isinstance(shape, Rise | Phases) else shape.requests
    numbers = _parts(requests, shares)
    clients = _parts(shape.clients, shares)
    if 0 in numbers or 0 in clients:
        raise ValueError(f"A load of {shape.title} is too little for {len(weights)} groups with these weights.")
    return tuple(_part(shape, *each) for each in zip(shares, numbers, clients, strict=True))


def _part(shape: Shape, share: float, requests: int | None, clients: int | None) -> Shape:
    if isinstance(shape, Clients):
        return replace(shape, clients=clients or shape.clients, requests=requests)
    if isinstance(shape, Spread | Burst):
        return replace(shape, requests=requests or shape.requests)
    if isinstance(shape, Rise):
        return replace(shape, from_per_s=shape.from_per_s * share, to_per_s=shape.to_per_s * share)
    assert isinstance(shape, Stages)
    return replace(shape, stages=tuple((rate * share, for_s) for rate, for_s in shape.stages), requests=requests)


def _parts(number: int | None, shares: Sequence[float]) -> list[int] | list[None]:
    """A whole number in parts, by the largest remainder (Hamilton's method); None has only parts that are None."""
    if number is None:
        return [None] * len(shares)
    exact = [number * share for share in shares]
    parts = [int(each) for each in exact]
    most = sorted(range(len(shares)), key=lambda place: parts[place] - exact[place])
    for place in most[: number - sum(parts)]:
        parts[place] += 1
    return parts


def stays_of(shape: Shape, seed: int) -> tuple[Stay, ...]:
    """When each client comes and goes; in the open model each arrival is a client that passes once.

    Raises:
        ValueError: clocks cannot count so far.
    """
    if isinstance(shape, Clients):
        return tuple(_stays(shape))
    return _arrivals(shape, seed)


def _arrivals(shape: OpenShape, seed: int) -> tuple[Stay, ...]:
    try:
        due_ns = shape.due_ns(random.Random(seed))  # noqa: S311 - draws that can be repeated, not a secret
    except OverflowError as error:
        raise ValueError("The last request would be due in more than 292 years, which clocks cannot count.") from error
    return tuple(Stay(each) for each in due_ns)


def _stays(shape: Clients) -> list[Stay]:
    until_ns = None if shape.for_s is None else round(shape.for_s * NS_PER_S)
    most, more = divmod(shape.requests, shape.clients) if shape.requests is not None else (shape.iterations, 0)
    stays = []
    for client in range(shape.clients):
        from_ns = round((shape.delay_s + client * shape.ramp_s / shape.clients) * NS_PER_S)
        passes = None if most is None else most + (client < more)
        if passes != 0:
            stays.append(Stay(from_ns, until_ns, passes))
    return stays
