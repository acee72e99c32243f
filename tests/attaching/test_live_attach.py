"""What is seen on a terminal while `holdfast attach` looks at a server with five places, between its rounds."""

from __future__ import annotations

import re

from support.terminal import Terminal
from test_attach import ANSWERED, PLACES, odd_server

PHASES = ["one request at a time", "burst", "saturation"]


def test_the_screen_shows_each_kind_of_round_and_what_came_of_those_before(holdfast, tmp_path):
    terminal = Terminal(60, 24)
    try:
        with odd_server(tmp_path / "s") as served:
            url = f"http://127.0.0.1:{served.port}/wait"
            ended = terminal.start(holdfast, "attach", url, "--max-offered", "40").ended()

        assert ended.exit == ANSWERED
        screens = [screen for screen in terminal.screens() if screen and screen[0] == url]
        phases = list(dict.fromkeys(screen[1].strip().partition("  ")[0] for screen in screens))
        assert [each for each in PHASES if each in phases] == phases
        assert {"one request at a time", "burst"} <= {*phases}
        for screen in screens:
            offered = re.search(r"offered +(\d+) so far", "\n".join(screen))
            counts = re.findall(r"· (\d+) [a-z]", "\n".join(screen))
            # Between two rounds, every request has ended.
            assert offered is None or sum(map(int, counts)) == int(offered[1])
            assert all(len(line) < 60 for line in screen)
        assert f"about {PLACES} requests at once" in terminal.after_the_view()
        terminal.is_left_as_it_was()
    finally:
        terminal.close()
