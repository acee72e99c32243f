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


class JavaRandom:
    """The whole numbers of java.util.Random for a seed.

    Source: its documentation, which says by which formula (docs.oracle.com, java.util.Random, next and nextInt).
    """

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        self._state = (seed ^ 0x5DEECE66D) & ((1 << 48) - 1)

    def below(self, bound: int) -> int:
        """A number from 0 and less than `bound`, which fits into 31 bits."""
        drawn = self._next_31()
        if bound & (bound - 1) == 0:
            return (bound * drawn) >> 31
        while drawn - drawn % bound + bound - 1 >= 1 << 31:
            drawn = self._next_31()
        return drawn % bound

    def _next_31(self) -> int:
        self._state = (self._state * 0x5DEECE66D + 0xB) & ((1 << 48) - 1)
        return self._state >> 17
