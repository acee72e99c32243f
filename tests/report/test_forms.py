"""Forms that people know, Markdown that is text, and the command that makes a run again."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from recorded.saved import RUNS, put_run, record_of

from holdfast import store
from holdfast.model.experiment import CommandTarget, Experiment, OutsideExperiment, ProbeTarget, UrlTarget
from holdfast.model.timeline import Listener, Snapshot, Timeline
from holdfast.report.command import command_of
from holdfast.report.forms import listen_queues, processes
from holdfast.report.marking import block, paragraph, table


def test_a_listening_socket_has_its_queue_and_its_backlog_where_ss_has_them() -> None:
    tcp = Listener(inode=7, address="127.0.0.1", port=8000, depth=17, limit=16, pids=(41, 42))
    unix = Listener(inode=8, address="/run/app.sock", port=0, depth=None, limit=None)

    lines = listen_queues(Snapshot(1, 2, still=True, listeners=(tcp, unix), sockets=())).splitlines()

    assert [line.split() for line in lines] == [
        ["State", "Recv-Q", "Send-Q", "Local", "Address:Port", "Held", "by"],
        ["LISTEN", "17", "16", "127.0.0.1:8000", "pid=41,pid=42"],
        ["LISTEN", "*", "*", "unix:/run/app.sock", "-"],
    ]


def test_every_process_has_its_threads_with_what_they_hold_and_have_served(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    timeline = store.load(put_run(path, "x", record_of(RUNS, "gunicorn-gthread")), path)
    assert isinstance(timeline, Timeline)
    assert timeline.placed is not None

    rows = [line.split(maxsplit=4) for line in processes(timeline).splitlines()[1:]]

    own = [row for row in rows if row[-1].startswith("process") or "process" in row]
    served = timeline.entries
    assert sum(int(row[2]) for row in own) == len(served)
    assert {int(row[0]) for row in own} >= {entry.pid for entry in served}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# no heading", "\\# no heading"),
        ("- no item", "\\- no item"),
        ("1. no item", "\\1. no item"),
        ("@octocat #12", "@\u200boctocat #\u200b12"),
        ("<script>*x*</script>", "&lt;script>\\*x\\*&lt;/script>"),
        ("two\nlines", "two lines"),
    ],
)
def test_a_sentence_from_outside_begins_nothing_mentions_nobody_and_refers_to_nothing(text: str, shown: str) -> None:
    assert paragraph(text) == shown


def test_a_block_ends_where_it_ends_and_a_cell_is_one_cell() -> None:
    assert block("a\n```\nb\x1b[1m").splitlines() == ["````text", "a", "```", "b\\x1b[1m", "````"]
    assert table(("a", "b"), [("x|y", "1\n2")], right=(1,)) == ["| a | b |", "| :-- | --: |", "| x\\|y | 1 2 |"]


def test_the_command_of_a_run_has_its_options_and_no_value_of_a_header() -> None:
    experiment = Experiment(
        ProbeTarget("gunicorn", "shop:app", arguments=("-w", "2")),
        path="/orders",
        headers=(("Authorization", "Bearer secret"),),
        nofile=64,
        call=True,
    )

    assert shlex.join(command_of(experiment)) == (
        "holdfast probe shop:app --server gunicorn -H 'Authorization: ...' --path /orders --nofile 64 --call -- -w 2"
    )
    own = replace(experiment, target=CommandTarget(("gunicorn", "shop:app")), headers=(), call=False)
    assert shlex.join(command_of(own)) == "holdfast exec --path /orders --nofile 64 -- gunicorn shop:app"
    assert command_of(own, "explain")[1] == "explain"
    outside = OutsideExperiment(UrlTarget("http://x/", allowed_host="x"), headers=(("Cookie", "secret"),))
    assert shlex.join(command_of(outside)) == "holdfast attach http://x/ --allow-remote x -H 'Cookie: ...'"
