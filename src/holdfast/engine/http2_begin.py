"""How a connection must begin on which a server speaks HTTP/2; pure."""

from __future__ import annotations

import re

from holdfast.engine.frames import FRAME_HEAD, GOAWAY, SETTINGS
from holdfast.engine.http1 import IS_HTTP1, NOT_HTTP2, SHOWN_BYTES, ProtocolError

_TEXT = re.compile(rb"HTTP/\d[^\r\n]{0,40}")


class Begin:
    """The first bytes of a connection: SETTINGS (RFC 9113, 3.4), or GOAWAY from a server that ends it at once."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = b""

    def is_over(self, data: bytes) -> bool:
        """Whether enough has come to tell, with these next bytes.

        Raises:
            ProtocolError: it is not HTTP/2.
        """
        self._data = begun = (self._data + data)[:SHOWN_BYTES]
        if found := _TEXT.match(begun):
            # The version is that of the request where a server answers in its words.
            raise ProtocolError(f"{IS_HTTP1}: {found[0].decode('latin-1').strip()!r}")
        if len(begun) < FRAME_HEAD:
            return False
        if begun[3] not in (SETTINGS, GOAWAY) or any(begun[5:9]):
            raise ProtocolError(f"{NOT_HTTP2}: it begins with {begun!r}")
        return True
