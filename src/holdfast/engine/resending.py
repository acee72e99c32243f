"""Which requests may be sent again, on another connection, when the peer has ended a kept one; pure.

Facts
-----
* A server may close a kept connection at any time, also while a request is on its way to it (RFC 9112, 9.3.1 and 9.5).
  What comes back is then a FIN or an RST without a byte of a reply, and whether the request was read cannot be seen.
* A client may send such a request again by itself if its method is idempotent (RFC 9110, 9.2.2), or if it can tell
  that the request was never applied. It should not do so a second time.

Decisions
---------
* It is sent again on a new connection, which the server has not kept for long. What ends there is the server's answer:
  nothing is sent a third time.
* A request of another method is sent again only if no byte of it left: the server cannot have read any.
* A byte of a reply, also of an interim one, says that the server has begun: then nothing is sent again.
"""

from __future__ import annotations

from holdfast.model.places import Outcome

ENDED_BY_PEER = frozenset({Outcome.RESET, Outcome.CLOSED})
IDEMPOTENT = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"})
"""Source: RFC 9110, 9.2.2, and 9.2.1 for the safe ones among them."""


def may_be_sent_again(request: bytes, *, untouched: bool) -> bool:
    """Whether a request that met the end of a kept connection, and got no byte of a reply, may be sent again.

    Args:
        request: all of its bytes.
        untouched: none of them was sent.
    """
    return untouched or request.partition(b" ")[0] in IDEMPOTENT
