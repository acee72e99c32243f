"""What the machine's other users may not see: the values of headers, bodies and properties."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.counting import Counting
from support.waiting import until

KEY, BODY = "Bearer hunter2", "the pass phrase"


@pytest.mark.parametrize("processes", ["1", "2"])
def test_ps_does_not_show_the_values_of_headers_and_bodies(holdfast, counting: Counting, processes: str):
    running = holdfast.start(
        *("load", counting.url, "--rate", "50", "--for", "60s", "--processes", processes),
        *("-H", f"Authorization: {KEY}", f"--header=X-Key: {KEY}", "--data", BODY),
    )
    until(lambda: len(counting.each()) > 1, "requests")

    shown = [Path("/proc", str(pid), "cmdline").read_bytes().decode() for pid in running.processes()]
    running.press_ctrl_c()
    running.ended()

    assert any("Authorization: ***" in each for each in shown)
    assert not any(KEY in each or BODY in each for each in shown)
    assert counting.each()[0]["headers"] | {"authorization": KEY, "x-key": KEY} == counting.each()[0]["headers"]
    assert counting.each()[0]["body"] == BODY


def test_ps_does_not_show_what_clients_log_in_with(holdfast, counting: Counting):
    running = holdfast.start(
        "load", counting.url, "--rate", "50", "--for", "60s", "--first", "POST /log-in key=hunter2"
    )
    until(lambda: len(counting.each()) > 1, "requests")

    shown = [Path("/proc", str(pid), "cmdline").read_bytes().decode() for pid in (running.pid, *running.processes())]
    running.press_ctrl_c()
    running.ended()

    assert any("POST /log-in ***" in each for each in shown)
    assert not any("hunter2" in each for each in shown)
    assert counting.each()[0]["body"] == "key=hunter2"


def test_headers_are_read_from_a_file(holdfast, counting: Counting, tmp_path: Path):
    (tmp_path / "headers").write_text(f"Authorization: {KEY}\n\nAccept: text/plain\n")

    ended = holdfast.run("load", counting.url, "--burst", "1", "-H", f"@{tmp_path / 'headers'}", "-H", "X-Third: 3")

    assert ended.exit == 0, ended.err
    headers = counting.each()[0]["headers"]
    assert (headers["authorization"], headers["accept"], headers["x-third"]) == (KEY, "text/plain", "3")


@pytest.mark.parametrize("command", ["probe", "attach", "load"])
def test_a_file_of_headers_that_is_not_there_is_a_mistake_in_the_command_line(holdfast, command: str):
    url = [] if command == "probe" else ["http://127.0.0.1:9/"]

    ended = holdfast.run(command, *url, "-H", "@nowhere")

    assert ended.exit == 2
    assert "nowhere cannot be read: No such file or directory." in ended.err
