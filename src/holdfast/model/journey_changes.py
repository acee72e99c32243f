"""Changes every request of journeys alike; pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from holdfast.model.journey import Journeys
from holdfast.model.journey_request import Request


def with_requests(journeys: Journeys, change: Callable[[Request], Request]) -> Journeys:
    """The same journeys with other requests; what was one node at several places stays one."""
    changed: dict[int, Any] = {}

    def node_of(node: Any) -> Any:  # noqa: ANN401 - any node of a journey
        if id(node) not in changed:
            if isinstance(node, Request):
                changed[id(node)] = change(node)
            elif hasattr(node, "nodes"):
                changed[id(node)] = replace(node, nodes=tuple(node_of(each) for each in node.nodes))
            else:
                return node
        return changed[id(node)]

    return replace(journeys, crews=tuple(replace(crew, journey=node_of(crew.journey)) for crew in journeys.crews))
