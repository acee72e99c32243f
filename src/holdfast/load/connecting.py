"""Connections of a load: plain ones, over TLS, or over HTTP/2."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec

from holdfast.errors import EnvironmentFailure
from holdfast.load.columns import Columns
from holdfast.load.compiled import CompiledConnections, is_compiled
from holdfast.load.endpoint import Tls
from holdfast.load.epoll import Connections
from holdfast.load.kept import KeptConnections


def connections_to(  # parameters: where to, what to send, where to record it, and in which protocol
    address: str,
    port: int,
    head_of: Callable[[int], bytes],
    columns: Columns,
    sources: Sequence[str] = (),
    tls: Tls | None = None,
    *,
    http2: bool = False,
) -> Connections:
    """Connections over TLS, or plain ones if `tls` is None; in HTTP/2 each carries one request on one stream."""
    if http2:
        # The library for it is an extra.
        from holdfast.load.http2_connections import Http2Connections, Http2TlsConnections  # noqa: PLC0415

        if tls is None:
            return Http2Connections(address, port, head_of, columns, sources)
        return Http2TlsConnections(address, port, head_of, columns, sources, tls=tls)
    if tls is None:
        plain = CompiledConnections if is_compiled() else KeptConnections
        return plain(address, port, head_of, columns, sources)
    # OpenSSL takes 5 MB (measured), a quarter of what ten thousand connections without it take.
    from holdfast.load.tls import TlsConnections  # noqa: PLC0415

    return TlsConnections(address, port, head_of, columns, sources, tls=tls)


def check_http2(*, asked: bool) -> None:
    """Checks that HTTP/2 can be spoken, if that is asked for.

    Raises:
        EnvironmentFailure: the library for it is not installed.
    """
    if asked and find_spec("h2") is None:
        raise EnvironmentFailure(
            "HTTP/2 cannot be spoken: the package h2 is not installed.",
            "--http2 needs it, and holdfast does without it otherwise.",
            "pip install 'holdfast-probe[http2]'",
        )
