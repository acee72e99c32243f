"""Pauses of a recording, and transactions of a plan, in a load as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from writing import element, group, http, plan

PLANS = Path(__file__).parent
ANSWERED = 0


@pytest.mark.parametrize("more", [(), ("--cookies",)], ids=["fixed beforehand", "with memory"])
def test_recorded_pauses_are_kept_if_that_is_asked_for_and_as_much_longer_or_shorter(
    holdfast, counting, tmp_path, more
):
    recording = PLANS / "har" / "01-icons-outnumber-the-page.har"
    arguments = ("load", counting.url, "--har", recording, "--pauses", "0.1", "--jsonl", tmp_path / "rows", *more)
    ended = holdfast.run(*arguments)

    assert ended.exit == 0, ended.err
    assert "pauses" not in ended.err
    first, second = map(json.loads, (tmp_path / "rows").read_text().splitlines())
    # Recorded: the first ends after 70 ms, the second begins at 1.7 s.
    assert 163_000_000 <= second["due_ns"] - first["done_ns"] < 1_630_000_000


def test_pauses_go_with_a_recording_and_not_with_other_pauses(holdfast, counting):
    recording = PLANS / "har" / "01-icons-outnumber-the-page.har"
    without = holdfast.run("load", counting.url, "--burst", "1", "--pauses", "1")
    both = holdfast.run("load", "--har", recording, "--pauses", "1", "--think", "1s")

    assert (without.exit, "--pauses goes with --har" in without.err) == (2, True), without.err
    assert (both.exit, "--think and --pauses exclude each other" in both.err) == (2, True), both.err
    assert counting.seen()["requests"] == 0


def test_transactions_have_rows_of_their_own_in_a_jtl_as_jmeter_writes_them(holdfast, counting, tmp_path):
    def transaction(name: str, *paths: str) -> str:
        sent = "".join(http(path, port=str(counting.port)) for path in paths)
        return element("TransactionController", name, below=sent)

    inside = transaction('both, "quoted"', "/a", "/b") + transaction("=bad", "/busy", "/c")
    (tmp_path / "plan.jmx").write_bytes(plan(group(inside)))

    ended = holdfast.run("load", "--jmx", "plan.jmx", "--jtl", "rows.jtl", "--json", "-")

    result = json.loads(ended.out)
    *sent, both, bad = (tmp_path / "rows.jtl").read_text().splitlines()[1:]
    assert (result["offered"], len(sent)) == (4, 4)
    # What JMeter 5.5 wrote for such controllers, apart from times and bytes: code, message, thread, type and success.
    head = "Number of samples in transaction : 2, number of failing samples : "
    assert f',"both, ""quoted""",200,"{head}0",Group 1-1,,true,,' in both
    assert f',\'=bad,,"{head}1",Group 1-1,,false,,' in bad
    assert all(each.split(",")[-5:-3] == ["null", "0"] for each in (both, bad))
    again = holdfast.run("report", str(result["run"]), "--jtl", "again.jtl")
    assert again.exit == ANSWERED, again.err
    assert (tmp_path / "again.jtl").read_text() == (tmp_path / "rows.jtl").read_text()
