"""What servers and command lines say is shown, and never obeyed, by the commands that print it."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

ANSWERED, USAGE, INCONCLUSIVE = 0, 2, 3


class _Redirects(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: http://x/\x9b31m\x9d0;t\x9c\r\nContent-Length: 0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def redirecting() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Redirects) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def has_no_controls(text: str) -> bool:
    return all(each.isprintable() or each == "\n" for each in text)


def test_what_a_server_sends_does_not_reach_the_terminal(holdfast, redirecting):
    attached = holdfast.run("attach", f"{redirecting}/")
    loaded = holdfast.run("load", f"{redirecting}/?a[/b]", "--burst", "2")
    listed = holdfast.run("runs")

    assert attached.exit == INCONCLUSIVE
    assert r"http://x/\x9b31m\x9d0;t\x9c" in attached.err
    assert "/?a[/b]" in loaded.out
    assert "/?a[/b]" in listed.out
    for ended in (attached, loaded, listed):
        assert has_no_controls(ended.out + ended.err)


@pytest.mark.parametrize("styled", ["0", ""])
def test_what_a_command_line_holds_is_shown_as_it_is(holdfast, styled):
    env = {"FORCE_COLOR": styled or None, "NO_COLOR": None}

    refused = holdfast.run("probe", "\x1b]0;t\x07", "--max-offered", "1", env=env)
    unknown = holdfast.run("\x1b]0;t\x07", env=env)
    started = holdfast.run("exec", "--", "sh", "-c", "echo '[/info] \x1b]0;t\x07'; exit 3", env=env)

    assert unknown.exit == USAGE
    assert "[/info]" in started.err
    for ended in (refused, unknown, started):
        assert "\x07" not in ended.err
        assert "\x1b]" not in ended.err
