"""What all processes of a server know about the way from an entry to the view, kept in the record.

The first request is watched in one process. The others learn from here which function is the view.
"""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

from . import layout, recorder


class View(NamedTuple):
    """The code of a view.

    Attributes:
        line: its first line.
        returns: what it returned, as a place in RETURNED, or A_RESPONSE; 0 for anything else.
        qualname: the qualified name of the function, for people.
        response: the class of that response, as module:name; "" for anything else.
        brought: whether its request came through a queue to the thread that calls it.
    """

    line: int
    returns: int
    file: str
    name: str
    qualname: str
    response: str = ""
    brought: bool = False


LIBRARIES = View(0, 0, "", "", "")
"""In the place of the view, where libraries alone answer behind a server that is not known."""

RETURNED = (object, type(None), str, bytes, dict)
"""Types whose values any framework that takes one takes again: none of them belongs to one request."""


A_RESPONSE = len(RETURNED)
"""An object of a library's class that is called so, of which another one can be made."""


def place_of(result: object) -> int:
    """What a function returned, as `View.returns` has it."""
    if type(result) in RETURNED:
        return RETURNED.index(type(result))
    return A_RESPONSE if type(result).__name__.endswith("Response") else 0


def state() -> Tuple[int, int]:
    """What is known, one of layout.NOT_ASKED and so on, and at which entry."""
    found: Tuple[int, int] = layout.FINDING.unpack_from(recorder.record().data, layout.FINDING_OFFSET)
    return found


def view() -> View:
    """The view, where `state` says that it was found."""
    at = layout.FINDING_OFFSET + layout.FINDING.size
    line, returns, *texts, brought = layout.FOUND.unpack_from(recorder.record().data, at)
    view = View(line, returns, *(each.rstrip(b"\0").decode("utf-8", "surrogateescape") for each in texts))
    return view._replace(brought=brought)


def publish(known: int, depth: int, found: Optional[View] = None) -> None:
    """Tells all processes.

    Args:
        known: one of layout.INSIDE, IN_VIEW, AT_ENTRY, AT_WHOLE, AT_LIBRARIES, ASKED_AGAIN, MADE_ANEW, IN_FRONT.
        depth: the entry at which requests are held or given to the view; 1 is the one that the server calls.
        found: the view, where it was found.
    """
    data = recorder.record().data
    if found is not None:
        texts = [each.encode("utf-8", "surrogateescape") for each in found[2:6]]
        layout.FOUND.pack_into(data, layout.FINDING_OFFSET + layout.FINDING.size, *found[:2], *texts, found.brought)
    layout.FINDING.pack_into(data, layout.FINDING_OFFSET, known, depth)


def fits(found: View) -> bool:
    """Whether the record has room for its texts."""
    return all(
        len(each.encode("utf-8", "surrogateescape")) <= most for each, most in zip(found[2:6], (1024, 128, 256, 256))
    )
