"""Names, colours and patterns of the places on a page: those of the terminal, told apart without colour too.

Source: Okabe and Ito, Color Universal Design (2008): eight colours that people who see colours differently tell apart.
"""

from __future__ import annotations

from holdfast.model.frozen import frozen
from holdfast.picture.probe import LEFT, REPLYING
from holdfast.report.lanes import LANES

_OTHERS = {
    REPLYING: "handler over, reply not read",
    LEFT: "client left",
    "connect-timeout": "no connection in time",
    "unanswered": "no reply in time",
    "given-up": "given up at the end",
    "malformed": "a reply that is not HTTP",
    "no-room": "no room in the accept queue",
    "wrong-body": "a body that was not expected",
    "unsent": "could not be put together",
}


@frozen
class Look:
    """How a place is drawn.

    Attributes:
        colour: as CSS has it.
        pattern: what is drawn over the colour, by the name that the script has for it; "" is nothing.
        ended: its requests have ended.
    """

    label: str
    colour: str
    pattern: str
    ended: bool


_LOOKS = {
    "in_service": ("#009e73", "", False),
    "before_view": ("#f0e442", "dots", False),
    "userspace_queue": ("#e69f00", "", False),
    "accept_queue": ("#f0e442", "diagonal", False),
    "unplaced": ("#9a9a9a", "cross", False),
    "syn": ("#d55e00", "dots", False),
    "replying": ("#0072b2", "back", False),
    "answered": ("#56b4e9", "", True),
    "rejected": ("#cc79a7", "", True),
    "refused": ("#cc79a7", "diagonal", True),
    "reset": ("#d55e00", "back", True),
    "closed": ("#d55e00", "cross", True),
    "failed": ("#5d5d5d", "", True),
    "left": ("#bdbdbd", "diagonal", True),
    # Of a load, which knows how each request ended.
    "connect-timeout": ("#d55e00", "dots", True),
    "unanswered": ("#e69f00", "cross", True),
    "given-up": ("#bdbdbd", "diagonal", True),
    "malformed": ("#cc79a7", "back", True),
    "no-room": ("#cc79a7", "dots", True),
    "wrong-body": ("#cc79a7", "cross", True),
    "unsent": ("#5d5d5d", "cross", True),
}


def looks() -> dict[str, Look]:
    """All of them, by place."""
    return {
        place: Look((_OTHERS.get(place) or LANES[place][0]).strip(), colour, pattern, ended)
        for place, (colour, pattern, ended) in _LOOKS.items()
    }
