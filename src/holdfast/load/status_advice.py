"""What an HTTP status that turns a request away usually means, and what to send instead. Pure.

Source: RFC 9110 section 15.5; RFC 6585 for 429 and 431.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

START_IT = "Start the server, or check the port (ss -tln shows who listens where)."
"""What to do where nothing listens."""


class Advice(NamedTuple):
    """Two sentences for a person.

    Attributes:
        why: what the server objects to.
        remedy: what to do about it.
    """

    why: str
    remedy: str


_CREDENTIALS = "Send what a logged-in client sends: -H 'Authorization: Bearer ...' or -H 'Cookie: ...'."

ADVICE: Mapping[int, Advice] = {
    400: Advice("The server finds the request wrong, perhaps its Host.", "Send the Host it expects: -H 'Host: NAME'."),
    401: Advice("It asks for a login.", _CREDENTIALS),
    403: Advice("Access is denied without credentials.", f"{_CREDENTIALS} It may also expect -H 'Host: NAME'."),
    404: Advice("There is nothing at this path.", "Name a path that exists."),
    405: Advice("The path takes no GET, and holdfast sends no other method.", "Name a path that answers a GET."),
    407: Advice("A proxy in between asks for a login.", "Bypass it, or send -H 'Proxy-Authorization: ...'."),
    429: Advice("Something limits the rate of requests.", "Exempt holdfast's requests from that limit."),
    431: Advice("The headers are too large for it.", "Send fewer with -H."),
}
OF_THE_SERVER = Advice("The server failed to handle it.", "Look at its log.")
OF_THE_REQUEST = Advice("It does not take this request.", "Name another path, or send the headers it needs (-H).")


def advice_on(status: int) -> Advice:
    """What to tell a person whose request got this status, 400 or above."""
    return ADVICE.get(status, OF_THE_SERVER if status >= 500 else OF_THE_REQUEST)
