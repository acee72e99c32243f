"""`holdfast load --cluster local:N`, which needs no set-up; and clusters that are not there."""

from __future__ import annotations

import csv
import os
import signal
import socket
import threading
from collections import Counter

import pytest
from hosts import until

ANSWERED, FAILED, USAGE, INCONCLUSIVE, ENVIRONMENT = range(5)


def test_two_workers_send_each_request_once_with_the_data_that_is_its_own(holdfast, counting, tmp_path):
    (tmp_path / "rows.csv").write_text("user\n" + "".join(f"u{number}\n" for number in range(7)))
    (tmp_path / "body.json").write_text('{"number": {id}}')

    ended = holdfast.run(
        *("load", counting.url + "/{id}/{user}", "--rate", "200", "--for", "1500ms", "--cluster", "local:2"),
        *("-X", "POST", "--data", f"@{tmp_path / 'body.json'}", "--data-rows", tmp_path / "rows.csv"),
        *("--csv", tmp_path / "out.csv", "--json", "-"),
    )

    result, seen = ended.json(), counting.seen()
    assert ended.exit == ANSWERED or result["generator_limited"], ended.err
    assert result["offered"] == result["outcomes"]["answered"] == 300
    assert seen["paths"] == {f"POST /{number}/u{number % 7}": 1 for number in range(300)}
    assert seen["bodies"] == {f'{{"number": {number}}}': 1 for number in range(300)}
    assert [(each["share"], each["begun"], each["lost"]) for each in result["hosts"]] == [
        ([1, 2], 150, None),
        ([2, 2], 150, None),
    ]
    assert all(abs(each["clock_offset_ms"]) <= each["clock_uncertainty_ms"] + 0.001 for each in result["hosts"])
    assert [line.partition(",")[0] for line in (tmp_path / "out.csv").read_text().splitlines()[1:]] == [
        str(number) for number in range(300)
    ]


PLAN = """<jmeterTestPlan version="1.2" properties="5.0" jmeter="5.5"><hashTree><TestPlan/><hashTree>
<ThreadGroup testname="{group}">
<elementProp name="ThreadGroup.main_controller" elementType="LoopController">
<stringProp name="LoopController.loops">3</stringProp>
<boolProp name="LoopController.continue_forever">false</boolProp></elementProp>
<stringProp name="ThreadGroup.num_threads">7</stringProp></ThreadGroup><hashTree>{elements}</hashTree>
</hashTree></hashTree></jmeterTestPlan>"""
SAMPLER = """<HTTPSamplerProxy testname="{path}"><stringProp name="HTTPSampler.domain">127.0.0.1</stringProp>
<stringProp name="HTTPSampler.port">{port}</stringProp><stringProp name="HTTPSampler.path">{path}</stringProp>
<stringProp name="HTTPSampler.method">GET</stringProp>
<boolProp name="HTTPSampler.follow_redirects">true</boolProp></HTTPSamplerProxy><hashTree>{below}</hashTree>"""
EXTRACT = """<RegexExtractor testname="word"><stringProp name="RegexExtractor.refname">word</stringProp>
<stringProp name="RegexExtractor.regex">(count)ed</stringProp>
<stringProp name="RegexExtractor.template">$1$</stringProp></RegexExtractor><hashTree/>"""
MEETING = """<SyncTimer testname="together"><intProp name="groupSize">7</intProp>
<longProp name="timeoutInMs">1000</longProp></SyncTimer><hashTree/>"""
COUNTER = """<CounterConfig testname="numbers"><stringProp name="CounterConfig.start">1</stringProp>
<stringProp name="CounterConfig.incr">1</stringProp><stringProp name="CounterConfig.name">n</stringProp>
<boolProp name="CounterConfig.per_user">false</boolProp></CounterConfig><hashTree/>"""


def plan_for(counting, *extra: str) -> str:
    first = SAMPLER.format(path="/first/${__threadNum}", port=counting.port, below=EXTRACT)
    return PLAN.format(
        group="visitors",
        elements="".join((*extra, first, SAMPLER.format(path="/${word}/${__threadNum}", port=counting.port, below=""))),
    )


@pytest.mark.parametrize(
    "where", [("--cluster", "local:2"), ("--cluster", "local:2", "--processes", "2"), ("--processes", "3")]
)
def test_clients_that_remember_are_dealt_out_and_keep_their_numbers(holdfast, counting, tmp_path, where):
    (tmp_path / "plan.jmx").write_text(plan_for(counting))

    ended = holdfast.run("load", "--jmx", tmp_path / "plan.jmx", *where, "--json", "-", "--jtl", tmp_path / "out.jtl")

    result, seen = ended.json(), counting.seen()
    assert ended.exit == ANSWERED or result["generator_limited"], ended.err
    assert seen["paths"] == {f"GET /{step}/{number}": 3 for step in ("first", "count") for number in range(1, 8)}
    assert result["outcomes"]["answered"] == result["offered"] == 42
    with (tmp_path / "out.jtl").open(newline="") as file:
        rows = [*csv.DictReader(file)]
    # What a row says is what was sent for it.
    assert Counter(row["URL"].removeprefix(counting.url) for row in rows) == {
        path.removeprefix("GET "): many for path, many in seen["paths"].items()
    }
    assert all(row["threadName"] == f"visitors 1-{row['URL'].rpartition('/')[2]}" for row in rows)
    assert {row["label"] for row in rows} == {
        f"/{step}/{number}" for step in ("first", "count") for number in range(1, 8)
    }


def test_a_session_and_a_scenario_that_look_at_no_number_are_dealt_out(holdfast, counting, tmp_path):
    (tmp_path / "a.toml").write_text(
        f'url = "{counting.url}"\nclients = 4\npasses = 2\n[[group]]\n[[group.step]]\nrequest = "/of-a-file"\n'
    )
    session = (counting.url + "/of-a-session", "--clients", "4", "--requests", "8", "--cookies")

    ended = [
        holdfast.run("load", *what, "--cluster", "local:2", "--json", "-").json()
        for what in (session, (tmp_path / "a.toml",))
    ]

    assert [(each["offered"], each["outcomes"]["answered"], len(each["hosts"])) for each in ended] == [(8, 8, 2)] * 2
    assert counting.seen()["paths"] == {"GET /of-a-file": 8, "GET /of-a-session": 8}


def test_clients_that_share_something_stay_on_one_host_and_the_reason_is_told(holdfast, counting, tmp_path):
    (tmp_path / "plan.jmx").write_text(plan_for(counting, COUNTER))

    refused = holdfast.run("load", "--jmx", tmp_path / "plan.jmx", "--cluster", "local:2")
    assert refused.exit == USAGE
    why = "because the counter n is one for all clients"
    assert f"--cluster does not go with this load, {why}. Leave it out." in refused.err
    assert counting.seen()["requests"] == 0

    # Processes of one host share numbers, and nothing else.
    ended = holdfast.run("load", "--jmx", tmp_path / "plan.jmx", "--processes", "2", "--json", "-")
    assert not any("One process had all clients" in each for each in ended.json()["warnings"])
    (tmp_path / "plan.jmx").write_text(plan_for(counting, MEETING))
    ended = holdfast.run("load", "--jmx", tmp_path / "plan.jmx", "--processes", "2", "--json", "-")
    together = "because clients wait for each other"
    assert f"One process had all clients, and not 2, {together}." in ended.json()["warnings"]
    assert counting.seen()["requests"] == 2 * 42


@pytest.mark.parametrize("how", ["ctrl-c", "kill"])
def test_no_agent_outlives_whoever_asked_for_the_load(holdfast, counting, how):
    running = holdfast.start("load", counting.url + "/silent", "--rate", "50", "--for", "60s", "--cluster", "local:2")
    until(lambda: counting.seen()["requests"] >= 10, "ten requests")

    if how == "kill":
        running.signal(signal.SIGKILL)
        running.ended()
        until(lambda: not running.processes(), "the end of its agents")
        # What it had in memory the next one takes away.
        holdfast.run("load", counting.url, "--burst", "1", "--cluster", "local:1")
    else:
        running.press_ctrl_c()
        before, pause = -1, threading.Event()
        while (now := counting.seen()["requests"]) > before:
            before = now
            pause.wait(0.5)
        running.press_ctrl_c()
        ended = running.ended()
        assert ended.exit == INCONCLUSIVE, ended.err
        assert f"{now} requests" in ended.out
        assert f"{now} given-up" in ended.out

    running.nothing_is_left(10)


@pytest.mark.parametrize("which", [0, -1], ids=["agent", "load process"])
def test_a_host_whose_load_is_stopped_is_lost_after_ten_seconds(holdfast, counting, which):
    load = ("load", counting.url + "/{id}", "--rate", "50", "--for", "4s", "--cluster", "local:2")
    running = holdfast.start(*load, "--json", "-")
    until(lambda: counting.seen()["requests"] >= 50, "a second of the load")

    os.kill(running.processes()[which], signal.SIGSTOP)
    ended = running.ended(60)

    result = ended.json()
    assert ended.exit == INCONCLUSIVE, ended.err
    assert result["offered"] == sum(result["outcomes"].values()) == 200
    (lost,) = (each for each in result["hosts"] if each["lost"])
    assert "has been stopped" in lost["lost"]
    assert lost["failed"] == result["outcomes"]["failed"] > 0
    running.nothing_is_left(10)


def test_ctrl_c_before_the_start_sends_nothing(holdfast, counting):
    running = holdfast.start("load", counting.url, "--rate", "50", "--for", "60s", "--cluster", "local:2")
    until(running.processes, "an agent")

    running.press_ctrl_c()
    ended = running.ended()

    assert ended.exit == INCONCLUSIVE, ended.err
    assert counting.seen()["requests"] == 0
    assert "0 requests" in ended.out


def test_a_rule_that_stops_the_load_stops_it_on_all_workers(holdfast, counting):
    ended = holdfast.run(
        *("load", counting.url + "/busy", "--rate", "50", "--for", "60s", "--cluster", "local:2"),
        *("--stop", "errors>10%", "--json", "-"),
    )

    result = ended.json()
    assert result["stopped"]
    assert result["offered"] == result["outcomes"]["rejected"] == counting.seen()["requests"] < 1000


@pytest.mark.parametrize(
    "where",
    [
        "tcp://127.0.0.1:{port}",
        # Each takes the seconds for which Dask tries.
        pytest.param("127.0.0.1:{port}", marks=pytest.mark.cluster),
        pytest.param("tcp://no-such-host.invalid:8786", marks=pytest.mark.cluster),
    ],
)
def test_a_scheduler_that_is_not_there_is_said_within_seconds(holdfast, counting, where):
    with socket.socket() as mine:
        mine.bind(("127.0.0.1", 0))

        where = where.format(port=mine.getsockname()[1])
        ended = holdfast.run("load", counting.url, "--burst", "1", "--cluster", where)

    assert ended.exit == ENVIRONMENT
    assert f"The Dask scheduler at {where} cannot be reached." in ended.err
    assert counting.seen()["requests"] == 0


@pytest.mark.cluster
def test_something_that_is_no_scheduler_is_said_within_seconds(holdfast, counting):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = f"127.0.0.1:{silent.getsockname()[1]}"
        ended = holdfast.run("load", counting.url, "--burst", "1", "--cluster", where)

    assert ended.exit == ENVIRONMENT
    assert f"The Dask scheduler at {where} cannot be reached." in ended.err


@pytest.mark.parametrize(
    ("where", "code", "says"),
    [
        ("local:0", USAGE, "local:N takes a number"),
        ("local:", USAGE, "local:N takes a number"),
        ("somewhere", USAGE, "'somewhere' is not a cluster"),
        ("/no/such/file", USAGE, "scheduler file /no/such/file does not exist"),
    ],
)
def test_an_address_without_a_dask_scheduler_is_refused(holdfast, where, code, says):
    ended = holdfast.run("load", "http://127.0.0.1:9/", "--burst", "1", "--cluster", where)

    assert ended.exit == code
    assert says in ended.err


def test_without_dask_the_extra_is_named(holdfast, tmp_path):
    (tmp_path / "distributed.py").write_text("raise ImportError('no distributed here')")

    ended = holdfast.run(
        *("load", "http://127.0.0.1:9/", "--burst", "1", "--cluster", "local:2"), env={"PYTHONPATH": str(tmp_path)}
    )

    assert ended.exit == ENVIRONMENT
    assert "pip install 'holdfast-probe[cluster]'" in ended.err
