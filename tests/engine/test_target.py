"""Which of a name's addresses is loaded."""

from __future__ import annotations

import socket

from holdfast.engine.target import Target, prefer_listening
from holdfast.engine.url import parse_url


def test_of_a_name_with_two_addresses_the_one_is_taken_at_which_somebody_listens():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = parse_url(f"http://localhost:{listener.getsockname()[1]}/")

        assert prefer_listening(Target(url, ("::1", "127.0.0.1"), None)).addresses == ("127.0.0.1", "::1")
        assert prefer_listening(Target(url, ("127.0.0.1", "::1"), None)).addresses == ("127.0.0.1", "::1")


def test_where_nobody_listens_the_order_stays():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    target = Target(parse_url(f"http://localhost:{port}/"), ("::1", "127.0.0.1"), None)

    assert prefer_listening(target) == target
