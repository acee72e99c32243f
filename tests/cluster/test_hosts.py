"""`holdfast load --cluster` over hosts in network namespaces of their own, some far away, some with another clock."""

from __future__ import annotations

import csv
import io
import os
import signal
import sys
import threading

import pytest
from hosts import until

ANSWERED, FAILED, USAGE, INCONCLUSIVE, ENVIRONMENT = range(5)

pytestmark = pytest.mark.cluster


def agents(hosts):
    return [pid for host in hosts for pid in host.pids("holdfast.cluster.agent")]


def test_three_hosts_send_each_request_once_and_know_their_clocks(site, tmp_path):
    hosts = [site.network.host(name, **how) for name, how in (("a", {}), ("b", {}), ("far", {"delay_ms": 20}))]
    ahead_s = (0, 1000, 0)
    for host, seconds in zip(hosts, ahead_s, strict=True):
        site.network.worker(host, site.scheduler, seconds)

    code, result, words = site.load(
        "--rate", "300", "--for", "3s", "--csv", str(tmp_path / "rows.csv"), path="/orders?number={id}"
    )

    assert code == ANSWERED or result["generator_limited"], words
    assert result["offered"] == result["outcomes"]["answered"] == 900
    assert site.counting.seen()["paths"] == {f"GET /orders?number={number}": 1 for number in range(900)}
    assert [(each["share"], each["begun"]) for each in result["hosts"]] == [([n, 3], 300) for n in (1, 2, 3)]
    by_address = {each["name"].partition(":")[0]: each for each in result["hosts"]}
    for host, seconds in zip(hosts, ahead_s, strict=True):
        told = by_address[host.address]
        # Of one machine: the clocks differ by what the time namespace adds, and by nothing else.
        assert abs(told["clock_offset_ms"] - seconds * 1000) <= told["clock_uncertainty_ms"] + 0.001, told
    assert 20 <= by_address[hosts[2].address]["clock_uncertainty_ms"] < 100
    rows = list(csv.DictReader(io.StringIO((tmp_path / "rows.csv").read_text())))
    uncertainty_ns = 1e6 * max(each["clock_uncertainty_ms"] for each in result["hosts"])
    first_ns = int(rows[0]["due_ns"])
    for number, row in enumerate(rows):
        assert abs(int(row["due_ns"]) - first_ns - number * 1e9 / 300) <= 2 * uncertainty_ns + 1000
    assert "begun" in words


def test_a_host_that_loses_frames_still_sends_what_it_is_to(site):
    for name in ("a", "b"):
        site.network.worker(site.network.host(name, delay_ms=5, lost=0.02), site.scheduler)

    _, result, words = site.load("--rate", "100", "--for", "3s")

    assert result["outcomes"]["answered"] == result["offered"] == site.counting.seen()["requests"] == 300, words
    for told in result["hosts"]:
        assert abs(told["clock_offset_ms"]) <= told["clock_uncertainty_ms"] + 0.001


def test_clients_of_the_closed_model_are_shared_out(site):
    for name in ("a", "b"):
        site.network.worker(site.network.host(name), site.scheduler)

    code, result, words = site.load("--clients", "5", "--requests", "1001", path="/{id}")

    assert code == ANSWERED or result["generator_limited"], words
    assert site.counting.seen()["paths"] == {f"GET /{number}": 1 for number in range(1001)}
    assert result["peak_in_flight"] <= 5
    assert sum(each["begun"] for each in result["hosts"]) == 1001


@pytest.mark.parametrize("who", ["worker", "agent"])
def test_a_host_that_is_lost_takes_its_share_along_and_totals_stay_true(site, who):
    hosts = [site.network.host(name) for name in ("a", "b")]
    workers = [site.network.worker(host, site.scheduler) for host in hosts]
    running = site.start("--rate", "100", "--for", "10s")
    until(lambda: site.counting.seen()["requests"] >= 350, "three seconds of the load")

    if who == "worker":
        os.kill(workers[1].pid, signal.SIGKILL)
    else:
        # The first is the agent itself, which has forked the one that sends.
        signal_agent(hosts[1])
    ended = running.ended()

    result = ended.json()
    assert ended.exit == INCONCLUSIVE
    assert result["offered"] == sum(result["outcomes"].values()) == 1000
    lost = [each for each in result["hosts"] if each["lost"]]
    failed = result["outcomes"]["failed"]
    assert [each["failed"] for each in lost] == [failed]
    # Of its half, what had ended a second before or earlier is known.
    assert 0 < failed < 500
    assert result["outcomes"]["answered"] == 1000 - failed
    assert lost[0]["begun"] >= 500 - failed > 0
    (warning,) = (each for each in result["warnings"] if " was lost: " in each)
    assert lost[0]["address"] in warning
    assert f"{failed} requests count as failed" in warning
    assert f"The rows of {500 - failed} had been passed on" in warning
    until(lambda: not agents(hosts), "the end of all agents")


def signal_agent(host):
    os.kill(min(host.pids("holdfast.cluster.agent")), signal.SIGKILL)


def test_a_host_that_nobody_reaches_any_more_counts_as_lost(site):
    hosts = [site.network.host(name) for name in ("a", "b")]
    for host in hosts:
        site.network.worker(host, site.scheduler)
    running = site.start("--rate", "100", "--for", "5s")
    until(lambda: site.counting.seen()["requests"] >= 300, "three seconds of the load")

    site.network.cut_off(hosts[1])
    result = running.ended().json()

    assert result["offered"] == sum(result["outcomes"].values()) == 500
    answered, failed = result["outcomes"]["answered"], result["outcomes"]["failed"]
    assert (answered + failed, 0 < failed < 250) == (500, True)


def test_a_worker_that_goes_before_the_start_ends_the_run_before_it_begins(site):
    hosts = [site.network.host(name) for name in ("a", "b")]
    workers = [site.network.worker(host, site.scheduler) for host in hosts]
    running = site.start("--rate", "100", "--for", "10s")
    until(lambda: hosts[1].pids("holdfast.cluster.agent"), "an agent")

    os.kill(workers[1].pid, signal.SIGKILL)
    ended = running.ended()

    assert ended.exit == ENVIRONMENT, ended.err
    assert "was lost before the load began" in ended.err
    assert site.counting.seen()["requests"] == 0
    until(lambda: not agents(hosts), "the end of all agents")


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_drains_all_hosts_the_second_gives_up_on_all(site, presses):
    hosts = [site.network.host(name) for name in ("a", "b")]
    for host in hosts:
        site.network.worker(host, site.scheduler)
    running = site.start("--rate", "100", "--for", "60s", path="/" if presses == 1 else "/silent")
    until(lambda: site.counting.seen()["requests"] >= 20, "twenty requests")

    running.signal(signal.SIGINT)
    if presses == 2:
        before, pause = -1, threading.Event()
        while (now := site.counting.seen()["requests"]) > before:
            before = now
            pause.wait(1)
        running.signal(signal.SIGINT)
    ended = running.ended()

    result = ended.json()
    assert ended.exit == INCONCLUSIVE
    seen = site.counting.seen()["requests"]
    assert result["offered"] == sum(result["outcomes"].values()) == seen < 1000
    assert result["outcomes"]["answered"] == (seen if presses == 1 else 0)
    assert not agents(hosts)


def test_loopback_is_refused_where_it_means_another_server_on_each_host(site):
    site.network.worker(site.network.host("a"), site.scheduler)
    there = ("ip", "netns", "exec", site.asking.namespace, sys.executable, "-m", "holdfast")

    ended = site.holdfast.run("load", "http://127.0.0.1:9/", "--burst", "1", "--cluster", site.scheduler, program=there)

    assert ended.exit == USAGE
    assert "is a different server on each host" in ended.err


def test_one_agent_is_started_on_a_host_with_several_workers(site):
    host = site.network.host("a")
    for _ in range(2):
        site.network.worker(host, site.scheduler)

    code, result, words = site.load("--burst", "10")

    assert (code, len(result["hosts"])) == (ANSWERED, 1), words
    assert site.counting.seen()["requests"] == 10
