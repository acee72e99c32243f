"""What is seen while a load runs on a cluster: a view on a terminal, lines in a pipe, nothing with --quiet."""

from __future__ import annotations

import re
import signal

from support.terminal import Terminal
from support.waiting import until

ANSWERED, FAILED, USAGE, INCONCLUSIVE = range(4)


def test_a_load_on_a_cluster_is_seen_on_the_terminal_and_gone_when_its_result_is_shown(holdfast, counting):
    terminal = Terminal()
    try:
        load = ("load", f"{counting.url}/silent", "--burst", "30", "--cluster", "local:2")
        running = terminal.start(holdfast, *load)
        shown = "30 begun  0 ended  30 in flight"
        until(lambda: any(shown in "\n".join(frame) for frame in terminal.frames()), "all that was begun")
        running.signal(signal.SIGINT)
        until(lambda: "press Ctrl-C again" in "\n".join(terminal.frames()[-1]), "what Ctrl-C does")
        running.signal(signal.SIGINT)

        assert running.ended().exit == INCONCLUSIVE
        seen = next("\n".join(frame) for frame in terminal.frames() if shown in "\n".join(frame))
        assert seen.startswith(counting.url)
        assert "2 of 2" in seen
        assert [re.findall(rf"{name} +\S+ +(\d+) +(\d+) +(\d+)", seen) for name in ("local-1", "local-2")] == [
            [("15", "0", "15")],
            [("15", "0", "15")],
        ]
        terminal.is_left_as_it_was()
        assert "30 given-up" in terminal.after_the_view()
    finally:
        terminal.close()


def test_in_a_pipe_there_are_lines_and_with_quiet_there_are_none(holdfast, counting):
    load = ("load", counting.url, "--rate", "20", "--for", "3s", "--cluster", "local:2")

    lines, nothing = holdfast.run(*load), holdfast.run(*load, "--quiet")

    assert re.search(r"^ +\d\.\d s: \d+ begun, \d+ ended \(local-1 \d+, local-2 \d+\)$", lines.err, re.MULTILINE)
    assert " s: " not in nothing.err
