"""Ctrl-C once and twice in loads of every kind, under --quiet, on a server that does not answer."""

from __future__ import annotations

import json
import re
import signal

import pytest
from support.waiting import until

INCONCLUSIVE = 3

PLAN = """\
<jmeterTestPlan version="1.2"><hashTree><TestPlan testname="p"/><hashTree>
<ThreadGroup testname="g"><stringProp name="ThreadGroup.num_threads">3</stringProp>
<elementProp name="ThreadGroup.main_controller" elementType="LoopController">
<stringProp name="LoopController.loops">5</stringProp>
<boolProp name="LoopController.continue_forever">false</boolProp></elementProp></ThreadGroup><hashTree>
%s<HTTPSamplerProxy testname="s"><stringProp name="HTTPSampler.domain">127.0.0.1</stringProp>
<stringProp name="HTTPSampler.port">{port}</stringProp><stringProp name="HTTPSampler.path">/silent</stringProp>
</HTTPSamplerProxy><hashTree/></hashTree></hashTree></hashTree></jmeterTestPlan>
"""
SCENARIO = """\
url = "{url}"
clients = 3
for = "60s"
[[group]]
[[group.step]]
request = "/silent"
"""
ENDLESS = """\
<WhileController testname="w"><stringProp name="WhileController.condition">true</stringProp></WhileController><hashTree>
{below}</hashTree>
"""
NOTHING = """\
<IfController testname="i"><boolProp name="IfController.useExpression">true</boolProp>
<stringProp name="IfController.condition">false</stringProp></IfController><hashTree>
<HTTPSamplerProxy testname="n"><stringProp name="HTTPSampler.domain">127.0.0.1</stringProp>
<stringProp name="HTTPSampler.path">/no</stringProp></HTTPSamplerProxy><hashTree/></hashTree>
"""
TRANSACTION = """\
<TransactionController testname="t"><boolProp name="TransactionController.parent">true</boolProp>
</TransactionController><hashTree>{below}</hashTree>
"""
SENT = """\
<HTTPSamplerProxy testname="s"><stringProp name="HTTPSampler.domain">127.0.0.1</stringProp>
<stringProp name="HTTPSampler.port">{port}</stringProp></HTTPSamplerProxy><hashTree/>
"""
CLOSED = ("--clients", "3", "--for", "60s")


def recording(url: str) -> str:
    request = {"method": "GET", "url": f"{url}/silent", "headers": [], "httpVersion": "HTTP/1.1"}
    response = {"status": 200, "headers": [], "content": {}}
    entry = {"startedDateTime": "2026-01-01T00:00:00Z", "time": 1, "request": request, "response": response}
    return json.dumps({"log": {"version": "1.2", "entries": [entry]}})


LOADS = {
    "closed": ("URL/silent", *CLOSED),
    "open": ("URL/silent", "--rate", "100/s", "--requests", "3"),
    "few": ("URL/silent", "--burst", "3"),
    "with cookies": ("URL/silent", *CLOSED, "--cookies"),
    "hook": ("URL/silent", *CLOSED, "--hook", "own.py:own"),
    "events": ("URL/silent", *CLOSED, "--events"),
    "recording": ("--har", "a.har", *CLOSED),
    "recording with cookies": ("--har", "a.har", *CLOSED, "--cookies"),
    "scenario": ("a.toml",),
    "plan": ("--jmx", "fixed.jmx"),
    "plan with cookies": ("--jmx", "memory.jmx"),
    "cluster": ("URL/silent", *CLOSED, "--cluster", "local:2"),
}
NO_TIMEOUT = {"plan", "plan with cookies"}


def test_the_first_ctrl_c_says_what_is_waited_for_and_the_second_ends_it_at_once(holdfast, counting, tmp_path):
    cookies = '<CookieManager testname="c"/><hashTree/>'
    files = {
        "a.har": recording(counting.url),
        "a.toml": SCENARIO.format(url=counting.url),
        "fixed.jmx": (PLAN % "").format(port=counting.url.rpartition(":")[2]),
        "memory.jmx": (PLAN % cookies).format(port=counting.url.rpartition(":")[2]),
        "own.py": "def own(answer, values):\n    return {}\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    running = {
        name: holdfast.start("load", "--quiet", *(each.replace("URL", counting.url) for each in arguments))
        for name, arguments in LOADS.items()
    }
    said = dict.fromkeys(running, "")
    until(lambda: counting.seen()["requests"] == 3 * len(LOADS), "three requests of each")
    for each in running.values():
        each.press_ctrl_c()

    for name, each in running.items():
        said[name] = each.process.stderr.readline()
        each.press_ctrl_c()

    for name, each in running.items():
        ended = each.ended()
        assert (ended.exit, ended.err) == (INCONCLUSIVE, "\nStopped. Nothing is left running.\n"), (name, ended)
        bound = "without a timeout" if name in NO_TIMEOUT else "for 60 s at most"
        line = rf"holdfast: Ctrl-C: \d+ in flight {bound}; press Ctrl-C again to give them up\.\n"
        assert re.fullmatch(line, said[name]), (name, said[name])
        assert re.search(r"(\d+) requests in .*: \1 given-up", ended.out), (name, ended.out)
        each.nothing_is_left(10)
    saved = json.loads(holdfast.run("runs", "--json", "-").out)
    assert len(saved["runs"]) == len(LOADS)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("below", [NOTHING, TRANSACTION.format(below=NOTHING)], ids=["loop", "transactions"])
def test_a_plan_that_sends_nothing_in_an_endless_loop_ends_when_it_is_asked_to(
    holdfast, counting, tmp_path, below, number
):
    endless = ENDLESS.format(below=below)
    sent = SENT.format(port=counting.url.rpartition(":")[2])
    (tmp_path / "endless.jmx").write_text(
        f'<jmeterTestPlan version="1.2"><hashTree><TestPlan testname="p"/><hashTree><ThreadGroup testname="g">'
        f'<stringProp name="ThreadGroup.num_threads">1</stringProp></ThreadGroup><hashTree>{sent}{endless}'
        "</hashTree></hashTree></hashTree></jmeterTestPlan>"
    )
    running = holdfast.start("load", "--quiet", "--jmx", "endless.jmx")
    until(lambda: counting.seen()["requests"] == 1, "its request")

    running.signal(number)

    ended = running.ended()
    assert re.search(r"1 request in .*: 1 answered", ended.out), ended
    assert "was killed" not in " ".join((ended.out + ended.err).split()), ended
    running.nothing_is_left()
