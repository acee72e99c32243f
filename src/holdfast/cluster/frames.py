"""What a load agent and the process that keeps it say to each other, as bytes; pure.

To the agent: its assignment as one frame, then single letters. From the agent: frames, each a letter, the length of
what follows, and that.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

# Said to the agent after its assignment. BEGIN is followed by an instant.
ALIVE, BEGIN, DRAIN, QUIT = b"a", b"b", b"d", b"q"
INSTANT = struct.Struct(">q")

# Said by the agent: it is ready (how many rows its plans have), how far it is, why it cannot, what it recorded.
READY, PROGRESS, FAILURE, REPORT = b"r", b"p", b"f", b"o"

_HEAD = struct.Struct(">cQ")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a host is: requests of each plan that were begun, and of all plans that ended, and ended unanswered."""

    begun: list[int] = field(default_factory=list)
    ended: int = 0
    unanswered: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a host cannot take part, as the words of a HoldfastError."""

    what: str
    why: str = ""
    remedy: str = ""


def framed(kind: bytes, content: bytes) -> bytes:
    """One frame."""
    return _HEAD.pack(kind, len(content)) + content


class Unframed:
    """Bytes in any pieces -> frames."""

    def __init__(self) -> None:
        self._taken = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The frames that are whole with this."""
        self._taken += data
        while len(self._taken) >= _HEAD.size:
            kind, length = _HEAD.unpack_from(self._taken)
            end = _HEAD.size + length
            if len(self._taken) < end:
                return
            yield kind, bytes(self._taken[_HEAD.size : end])
            del self._taken[:end]
