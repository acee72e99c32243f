"""Where a server listens, as text: an address and a port, or a Unix socket in place of both.

A Unix socket is its absolute path, or "@" and the name of an abstract one (unix(7)), with the port 0. No host
begins like that, so an address says by itself which it is.
"""

from __future__ import annotations

NO_PORT = 0


def is_unix(address: str) -> bool:
    """Whether this is a Unix socket."""
    return address.startswith(("/", "@"))


def shown(address: str, port: int) -> str:
    """As a person writes it: `127.0.0.1:8000`, `[::1]:8000`, `unix:/run/shop.sock`."""
    if is_unix(address):
        return f"unix:{address}"
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def url_of(address: str, port: int, path: str, *, tls: bool = False) -> str:
    """A path there, as `holdfast attach` takes it: `http://127.0.0.1:8000/orders`, `unix:/run/shop.sock:/orders`."""
    scheme = "https" if tls else "http"
    return f"{shown(address, port)}:{path}" if is_unix(address) else f"{scheme}://{shown(address, port)}{path}"
