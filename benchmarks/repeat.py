"""Whether the same probe gives the same answer each time, and how long it takes.

Runs fifteen command lines many times and compares the verdicts: places, ceiling, process model, overflow, what
became of abandoned requests. An answer that changes from run to run is a defect of the instrument.

    python -m benchmarks.repeat [--times 20] [--busy 1] [--only 1,4] [--keep DIRECTORY]

`--busy N` lets N processes compute beside it; `--keep` saves the runs there, one file for each command line
(`HOLDFAST_RUNS=DIRECTORY/4.sqlite holdfast runs`). Exits with 1 if answers differ. 20 times take about ten minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

COMMANDS = (
    "--server flask -- --processes 10",
    "--server flask -- --processes 100",
    "--server flask -- --no-threaded",
    "--server flask --nofile 256",
    "--server flask --nofile 64",
    "--server flask --view async --nofile 256",
    "--server flask --view async-blocking --max-offered 300",
    "--server flask --max-offered 1000",
    "--server uwsgi -- --threads 10",
    "--server uwsgi -- --http-socket :0 --threads 8",
    "--server uwsgi -- --http-socket :0 --processes 4",
    "--server uwsgi -- --processes 2 --threads 4",
    "--server uwsgi --view async -- --threads 2",
    "--server flask --nproc 200",
    "--server flask --nproc 200 --view async",
)
TIMES = ("server_start_s", "probe_s", "total_s")
# What may differ between two runs of the same server without either being wrong.
_OWN_TO_A_RUN = {"command", "nproc", "pacing_lag_p99_us", "at_exact_load", "at_exact_repeats", *TIMES}
_LONGEST_S = 120

Answer = tuple[tuple[str, str], ...]


def _flat(value: Any, name: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        for key, inner in sorted(value.items()):
            if key not in _OWN_TO_A_RUN:
                yield from _flat(inner, f"{name}.{key}" if name else key)
    else:
        yield name, json.dumps(value)


def answer_of(verdict: dict[str, Any]) -> Answer:
    """Everything in a verdict that must be the same each time."""
    names = ("places", "established", "ceiling", "model", "overflow", "abandoned", "binding", "unknown", "confidence")
    return tuple(_flat({name: verdict[name] for name in names}, ""))


def _probe(line: str, runs: Path) -> tuple[Answer, dict[str, float]]:
    before, dashes, after = line.partition(" -- ")
    command = [
        sys.executable,
        "-m",
        "holdfast",
        "probe",
        *before.split(),
        "--json",
        "-",
        *dashes.split(),
        *after.split(),
    ]
    environment = {**os.environ, "HOLDFAST_RUNS": str(runs)}
    done = subprocess.run(command, capture_output=True, env=environment, timeout=_LONGEST_S, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        return (("exit code", str(done.returncode)), ("stderr", said)), {}
    verdict = json.loads(done.stdout)
    return answer_of(verdict), {name: verdict["timing"][name] for name in TIMES}


@contextmanager
def _busy(count: int) -> Iterator[None]:
    # It ends by itself when we are gone, however we went.
    endless = f"import os\nwhile os.getppid() == {os.getpid()}: pass"
    loops = [subprocess.Popen([sys.executable, "-c", endless]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def _say_answers(answers: Sequence[Answer]) -> None:
    distinct = Counter(answers).most_common()
    ordinary = dict(distinct[0][0])
    for answer, count in distinct[1:]:
        other = dict(answer)
        runs = [number for number, each in enumerate(answers, 1) if each == answer]
        print(f"    {count} times otherwise (run {', '.join(map(str, runs))}):")
        for name in sorted(ordinary.keys() | other.keys()):
            if ordinary.get(name) != other.get(name):
                print(f"        {name}: {other.get(name)}, not {ordinary.get(name)}")


def _say_usual(answer: Answer) -> None:
    found = dict(answer)
    places = {name[7:]: int(value) for name, value in found.items() if name.startswith("places.")}
    placed = ", ".join(f"{count} {name}" for name, count in places.items() if count)
    print(f"    {found.get('model.kind', '?')}, {placed}; client sees {found.get('overflow.client_sees', '?')}")


def _say_times(times: Sequence[dict[str, float]]) -> None:
    for name in TIMES:
        values = [each[name] for each in times if name in each]
        if values:
            print(f"    {name:15} {min(values):7.3f} {statistics.median(values):7.3f} {max(values):7.3f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--busy", type=int, default=0)
    parser.add_argument("--only", default="", help="numbers of command lines, from 1")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    only = {int(number) for number in options.only.split(",") if number}
    same = True
    with tempfile.TemporaryDirectory() as scratch, _busy(options.busy):
        for number, line in enumerate(COMMANDS, 1):
            if only and number not in only:
                continue
            runs = (options.keep or Path(scratch)) / f"{number}.sqlite"
            seen = [_probe(line, runs) for _ in range(options.times)]
            answers = [answer for answer, _ in seen]
            same = same and len(set(answers)) == 1
            print(f"{number}. {line}", flush=True)
            print(f"    {len(set(answers))} distinct answer{'s' * (len(set(answers)) > 1)} in {options.times} runs")
            _say_usual(Counter(answers).most_common(1)[0][0])
            _say_answers(answers)
            _say_times([times for _, times in seen])
            sys.stdout.flush()
    print("The same answers each time." if same else "ANSWERS DIFFER.")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
