"""Connections of a load: plain ones, or over TLS."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from holdfast.load.columns import Columns
from holdfast.load.endpoint import Tls
from holdfast.load.epoll import Connections


def connections_to(
    address: str,
    port: int,
    head_of: Callable[[int], bytes],
    columns: Columns,
    sources: Sequence[str] = (),
    tls: Tls | None = None,
) -> Connections:
    """Connections over TLS, or plain ones if `tls` is None."""
    if tls is None:
        return Connections(address, port, head_of, columns, sources)
    # OpenSSL takes 5 MB (measured), a quarter of what ten thousand connections without it take.
    from holdfast.load.tls import TlsConnections  # noqa: PLC0415

    return TlsConnections(address, port, head_of, columns, sources, tls=tls)
