"""Random numbers that follow from a seed; pure, and small enough for each client to have its own.

Source: Steele, Lea and Flood, Fast splittable pseudorandom number generators (2014), SplitMix64.
"""

from __future__ import annotations

import math
from hashlib import blake2b

_WORD = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15


class Chance:
    """A source of random numbers; those of one seed are always the same."""

    __slots__ = ("_state",)

    def __init__(self, seed: str) -> None:
        self._state = int.from_bytes(blake2b(seed.encode(errors="surrogatepass"), digest_size=8).digest(), "big")

    def random(self) -> float:
        """A number in [0, 1), uniformly distributed."""
        self._state = mixed = (self._state + _GAMMA) & _WORD
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _WORD
        return ((mixed ^ (mixed >> 31)) >> 11) * 2.0**-53

    def expovariate(self, lambd: float, /) -> float:
        """A number with the mean 1 / `lambd`, exponentially distributed."""
        return -math.log(1.0 - self.random()) / lambd

    def normal(self) -> float:
        """A number with mean 0 and deviation 1, normally distributed (Box and Muller)."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self.random()))
        return radius * math.cos(2.0 * math.pi * self.random())
