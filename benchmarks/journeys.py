"""Plans of JMeter that remember something, sent by JMeter and by `holdfast load --jmx`.

Each plan is the same file for both. They load one nginx worker, in turn, for several rounds, each round beginning with
the other one. Ratios are of a round, figures medians over the rounds. CPU and memory are those of the whole program,
start, results file and report included; both write a JTL, as people do. "CPU us/request" is what a program costs for a
request, however many cores it takes for that.

    python -m benchmarks.journeys [ROUNDS] [SECONDS] [PLAN...]

Takes three minutes with the defaults, 3 rounds of 8 s of each plan. JMeter is 5.5, as `make oracle` uses it, or else
what the machine has; HOLDFAST_JMETER names another ApacheJMeter.jar.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers import ADDRESS, Cost, machine, nginx, run, table
from tests.oracle.jmeter_runs import NoJMeterError, jmeter

CLIENTS = 64
_INSTALLED = Path("/usr/share/jmeter/bin/ApacheJMeter.jar")
# JMeter's own default is 1 GB; what it takes of that depends on when it collects.
_JAVA = ("-Xms256m", "-Xmx1g", "-Duser.language=en")

PLAN = """<?xml version="1.0" encoding="UTF-8"?>
<jmeterTestPlan version="1.2" properties="5.0" jmeter="5.5"><hashTree>
<TestPlan guiclass="TestPlanGui" testclass="TestPlan" testname="plan"/>
<hashTree>
<ThreadGroup guiclass="ThreadGroupGui" testclass="ThreadGroup" testname="clients">
<stringProp name="ThreadGroup.on_sample_error">continue</stringProp>
<elementProp name="ThreadGroup.main_controller" elementType="LoopController" guiclass="LoopControlPanel" \
testclass="LoopController"><boolProp name="LoopController.continue_forever">false</boolProp>\
<intProp name="LoopController.loops">-1</intProp></elementProp>
<stringProp name="ThreadGroup.num_threads">{clients}</stringProp>
<stringProp name="ThreadGroup.ramp_time">0</stringProp>
<boolProp name="ThreadGroup.scheduler">true</boolProp>
<stringProp name="ThreadGroup.duration">{seconds}</stringProp>
<stringProp name="ThreadGroup.delay">0</stringProp>
<boolProp name="ThreadGroup.same_user_on_next_iteration">{same_user}</boolProp>
</ThreadGroup>
<hashTree>{samplers}</hashTree>
</hashTree></hashTree></jmeterTestPlan>
"""
SAMPLER = """
<HTTPSamplerProxy guiclass="HttpTestSampleGui" testclass="HTTPSamplerProxy" testname="{name}">
<elementProp name="HTTPsampler.Arguments" elementType="Arguments" guiclass="HTTPArgumentsPanel" \
testclass="Arguments"><collectionProp name="Arguments.arguments"/></elementProp>
<stringProp name="HTTPSampler.domain">{address}</stringProp>
<stringProp name="HTTPSampler.port">{port}</stringProp>
<stringProp name="HTTPSampler.protocol">http</stringProp>
<stringProp name="HTTPSampler.path">{path}</stringProp>
<stringProp name="HTTPSampler.method">GET</stringProp>
<boolProp name="HTTPSampler.follow_redirects">true</boolProp>
<boolProp name="HTTPSampler.auto_redirects">false</boolProp>
<boolProp name="HTTPSampler.use_keepalive">true</boolProp>
</HTTPSamplerProxy>
<hashTree>{below}</hashTree>"""
EXTRACT = """
<RegexExtractor guiclass="RegexExtractorGui" testclass="RegexExtractor" testname="token">
<stringProp name="RegexExtractor.useHeaders">false</stringProp>
<stringProp name="RegexExtractor.refname">token</stringProp>
<stringProp name="RegexExtractor.regex">(o)k</stringProp>
<stringProp name="RegexExtractor.template">$1$</stringProp>
<stringProp name="RegexExtractor.default">none</stringProp>
<stringProp name="RegexExtractor.match_number">1</stringProp>
</RegexExtractor><hashTree/>"""
HEADER = """
<HeaderManager guiclass="HeaderPanel" testclass="HeaderManager" testname="header">
<collectionProp name="HeaderManager.headers"><elementProp name="" elementType="Header">
<stringProp name="Header.name">X-Token</stringProp><stringProp name="Header.value">${token}</stringProp>
</elementProp></collectionProp></HeaderManager><hashTree/>"""

Row = tuple[float, Cost]


def plans(port: int, seconds: str) -> dict[str, str]:
    """The plans by name."""

    def plan(*samplers: tuple[str, str], same_user: bool = True) -> str:
        texts = [
            SAMPLER.format(name=f"step {at}", address=ADDRESS, port=port, path=path, below=below)
            for at, (path, below) in enumerate(samplers, 1)
        ]
        known = {"clients": CLIENTS, "seconds": seconds, "same_user": str(same_user).lower()}
        return PLAN.format(**known, samplers="".join(texts))

    return {
        "one GET that follows redirects": plan(("/", "")),
        "two steps, an extract and a header": plan(("/token", EXTRACT), ("/use", HEADER)),
        "new connections in each pass": plan(("/", ""), same_user=False),
    }


def by_jmeter(jar: Path, plan: Path) -> Row:
    """Requests of one run of JMeter, and its cost."""
    results = plan.with_suffix(".jmeter.jtl")
    results.unlink(missing_ok=True)
    cost = run(["java", *_JAVA, "-jar", str(jar), "-n", "-t", str(plan), "-l", str(results), "-j", os.devnull])
    return _rows(results, cost), cost


def by_holdfast(plan: Path) -> Row:
    """The same of holdfast."""
    holdfast, results = str(Path(sys.executable).with_name("holdfast")), plan.with_suffix(".holdfast.jtl")
    results.unlink(missing_ok=True)
    cost = run([holdfast, "load", "--jmx", str(plan), "--quiet", "--jtl", str(results)])
    return _rows(results, cost), cost


def _rows(results: Path, cost: Cost) -> int:
    if not results.exists():
        raise SystemExit(f"nothing was sent:\n{cost.output}")
    with results.open(encoding="utf-8") as file:
        good = sum(",200," in line for line in file)
    if not good:
        raise SystemExit(f"no request was answered:\n{cost.output}")
    return good


@contextmanager
def jar() -> Iterator[Path]:
    """The file that starts JMeter."""
    given = os.environ.get("HOLDFAST_JMETER")
    try:
        yield Path(given) if given else jmeter()
    except NoJMeterError as error:
        if not _INSTALLED.exists():
            raise SystemExit(f"JMeter cannot be run here: {error}") from error
        yield _INSTALLED


def main() -> None:
    given = dict(enumerate(sys.argv[1:]))
    rounds, seconds, wanted = int(given.get(0, 3)), given.get(1, "8"), sys.argv[3:]
    where = machine()
    lines: list[list[str]] = []
    with nginx() as port, jar() as program, tempfile.TemporaryDirectory() as directory:
        for name, text in plans(port, seconds).items():
            if wanted and not any(each in name for each in wanted):
                continue
            plan = Path(directory, "plan.jmx")
            plan.write_text(text, encoding="utf-8")
            found: dict[str, list[Row]] = {"holdfast": [], "JMeter": []}
            for round_ in range(rounds):
                for generator in sorted(found, reverse=bool(round_ % 2)):
                    row = by_holdfast(plan) if generator == "holdfast" else by_jmeter(program, plan)
                    found[generator].append(row)
            lines += _lines(name, found, float(seconds))
    print(f"{where}; nginx, one worker; {CLIENTS} clients; {rounds} rounds of {seconds} s\n")
    head = ["plan", "generator", "requests/s", "of JMeter's", "CPU us/request", "of JMeter's", "memory MB"]
    print(table(head, lines))


def _lines(name: str, found: dict[str, list[Row]], seconds: float) -> Iterator[list[str]]:
    peers = found["JMeter"]
    for generator, rows in found.items():
        rates = [own[0] / peer[0] for own, peer in zip(rows, peers, strict=True)]
        costs = [(own[1].cpu_s / own[0]) / (peer[1].cpu_s / peer[0]) for own, peer in zip(rows, peers, strict=True)]
        yield [
            name,
            generator,
            f"{statistics.median(many for many, _ in rows) / seconds:,.0f}",
            f"{statistics.median(rates):.2f} ({min(rates):.2f}-{max(rates):.2f})",
            f"{statistics.median(cost.cpu_s / many for many, cost in rows) * 1e6:.1f}",
            f"{statistics.median(costs):.2f} ({min(costs):.2f}-{max(costs):.2f})",
            f"{statistics.median(cost.memory_mb for _, cost in rows):.0f}",
        ]


if __name__ == "__main__":
    main()
