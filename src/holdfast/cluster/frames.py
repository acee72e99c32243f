"""What a load agent and the worker process that keeps it say to each other; pure.

Both directions are pipes of `multiprocessing.connection`, which frames messages. A message is one letter, followed by
its content. The worker's first message is the assignment, without a letter. Its later ones are shorter than PIPE_BUF,
so each is written and read in one piece (pipe(7)): the agent never waits for the rest of one while it sends a load.
"""

from __future__ import annotations

import struct
from dataclasses import field

from holdfast.model.frozen import frozen

# To the agent, after its assignment. BEGIN is followed by an instant.
ALIVE, BEGIN, DRAIN, QUIT = b"a", b"b", b"d", b"q"
INSTANT = struct.Struct(">q")

# From the agent: it is ready, how far it is, why it cannot take part, what has ended since it last said so, what it
# recorded.
READY, PROGRESS, FAILURE, ROWS, REPORT = b"r", b"p", b"f", b"w", b"o"


@frozen
class Progress:
    """How far a host is.

    Attributes:
        begun: requests of each plan that were begun.
        ended, unanswered: requests of all plans that ended, and those of them that were not answered.
        ending: how a client of a journey has ended the load, as `Stop`.
    """

    begun: list[int] = field(default_factory=list)
    ended: int = 0
    unanswered: int = 0
    ending: int = 0


@frozen
class Failure:
    """Why a host cannot take part, as the words of a HoldfastError."""

    what: str
    why: str = ""
    remedy: str = ""
