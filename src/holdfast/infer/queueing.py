"""How many places a load needs: Little's law, and the queue in front of several servers.

Sources
-------
* Little, J. D. C. (1961): the mean number in a system is arrival rate x mean time in it, whatever the distributions.
* Erlang C, for arrivals at random (Poisson) and service times that vary as much (exponential): the probability that a
  request waits is C(c, a), and it waits longer than t with C(c, a) x exp(-(c - a) t / s), for c places, a = rate x s.
  Service times that vary less wait less, so this errs on the safe side.
"""

from __future__ import annotations

import math

_UTILISATION = 0.8
"""Of the places, where no percentile was asked for: beyond that, small bursts make long queues."""
_TAIL = 0.01
_MOST = 1_000_000


def busy_places(rate_per_s: float, service_s: float) -> float:
    """Requests in service on average (Little's law)."""
    return rate_per_s * service_s


def places_for(rate_per_s: float, service_s: float, p99_s: float | None) -> int:
    """Fewest places that take a load.

    Args:
        p99_s: a response, waiting included, may take longer than this in one of a hundred cases; None keeps the places
            busy for 80 % of the time.

    Raises:
        ValueError: the service alone takes as long as that.
    """
    busy = busy_places(rate_per_s, service_s)
    if p99_s is None:
        return max(1, math.ceil(busy / _UTILISATION))
    patience = p99_s - service_s
    if patience <= 0:
        raise ValueError(f"no number of places answers within {p99_s:g} s what takes {service_s:g} s to serve")
    places = math.floor(busy) + 1
    while places < _MOST and waits_longer(places, busy, service_s, patience) > _TAIL:
        places += 1
    return places


def waits_longer(places: int, busy: float, service_s: float, than_s: float) -> float:
    """Probability that a request waits longer than `than_s`; 1 where the load is more than the places take."""
    if busy >= places:
        return 1.0
    return erlang_c(places, busy) * math.exp(-(places - busy) * than_s / service_s)


def erlang_c(places: int, busy: float) -> float:
    """Probability that a request waits, by the recursion of Erlang B, which does not overflow."""
    blocked = 1.0
    for number in range(1, places + 1):
        blocked = busy * blocked / (number + busy * blocked)
    return blocked / (1 - busy / places * (1 - blocked))
