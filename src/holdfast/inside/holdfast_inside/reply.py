"""What a held request is answered with once it is released: 200, and a short body or one of the length asked for."""

from __future__ import annotations

import os

from . import layout

_SHORT = b"held\n"

_bytes = int(os.environ.get(layout.REPLY_BYTES_VARIABLE) or len(_SHORT))
# One object for all replies of a process, however long.
BODY = (_SHORT * (_bytes // len(_SHORT) + 1))[:_bytes]
HEADERS = (
    ("Content-Type", "text/plain"),
    ("Content-Length", str(len(BODY))),
    # Otherwise a cache between the view and the client would serve it to others.
    ("Cache-Control", "private, no-store"),
)
