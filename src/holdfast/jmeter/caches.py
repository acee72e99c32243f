"""Turns JMeter's Cache Managers into what clients remember of answers; pure.

Source: apache/jmeter, protocol/http/control/CacheManager.java (testIterationStart clears it).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.jmeter.scope import Reading, Scope
from holdfast.model.journey_request import Cache
from holdfast.plans.jmx_tree import Node

_KIND = "CacheManager"
_MOST = 5000


def cache_of(scope: Scope) -> Cache | None:
    """What a request asks before it is sent; None where nothing is remembered.

    Args:
        scope: whose first level is what is below the HTTP Request.
    """
    managers = [*scope.nearest(_KIND)]
    if not managers:
        return None
    if len(managers) > 1:
        scope.reading.refuse(managers[1], "a request would have two of them", "Keep one of them.")
    return _made(managers[0], scope.reading)


def cleared_caches(group: Node, common: Sequence[Node], reading: Reading, *, same_user: bool) -> tuple[int, ...]:
    """The numbers of the caches that each pass of a thread group's clients begins without.

    Args:
        common: the elements beside the thread groups.
        same_user: the client stays the same from one pass to the next.
    """
    return tuple(_cleared((*group.descendants(), *common), reading, same_user=same_user))


def _cleared(nodes: Sequence[Node], reading: Reading, *, same_user: bool) -> Iterator[int]:
    for node in nodes:
        if node.kind != _KIND:
            continue
        by_group = reading.flag(node, "CacheManager.controlledByThread")
        if not same_user if by_group else reading.flag(node, "clearEachIteration"):
            yield _made(node, reading).number


def _made(node: Node, reading: Reading) -> Cache:
    def make() -> Cache:
        reading.caches += 1
        most = reading.number(node, node.text("maxSize"), "its number of elements", _MOST)
        return Cache(reading.caches, reading.flag(node, "useExpires"), most)

    return reading.once(node, make)
