"""How long a whole verdict takes once the server is ready, compared with another build.

    python -m benchmarks.verdicts --base OTHER/.venv/bin/python [--every 4] [--rows ID ...] [--times 1]

`OTHER` is a checkout of the other commit that was set up as usual (`make .venv/.synced`); BASE in the environment says
the same as --base. Rows are those of `holdfast study servers`; `--every N` takes each N-th of them, which are the same
ones each time. Both builds probe each row in turn, the one that goes first alternating, as the command line that a
person types (`holdfast probe --json`), with the same servers, those of this environment.

* verdict: from the server's readiness to the last thing measured, as the verdict says itself (`timing.total_s`);
* whole: from the command's start to its end, the server's start included.

The ratio of two medians or tenths can come from different rows, so the median ratio of a row's two runs stands next to
it. What the two builds answered is compared too: a figure that was known and is not any more is told, and makes the
benchmark exit with 1, as does a ratio over its target.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers import machine, table
from holdfast.model.experiment import ProbeTarget
from holdfast.model.study import Case
from holdfast.study.servers import STUDY

MEDIAN_TARGET = 0.5
TENTH_TARGET = 0.4
_LONGEST_S = 180
# Parts of a verdict that are no answer, or whose value is its own run's.
_NO_ANSWER = {"timing", "warnings", "target", "limits", "interval", "unknown", "schema", "pressure"}


@dataclass(frozen=True, slots=True)
class Run:
    """One probe.

    Attributes:
        verdict_s: from the server's readiness.
        whole_s: of the command.
        verdict: as in its JSON.
    """

    verdict_s: float
    whole_s: float
    verdict: dict[str, Any]


def probe(python: str, case: Case, scratch: Path) -> Run | None:
    """Probes one row; None if that build gives no verdict about it."""
    target = case.experiment.target
    assert isinstance(target, ProbeTarget)
    found = scratch / "verdict.json"
    found.unlink(missing_ok=True)
    command = [
        *(str(Path(python).with_name("holdfast")), "probe", "--server", target.server),
        *("--framework", str(target.framework), "--view", str(case.experiment.view)),
        *("--max-offered", str(case.experiment.max_offered), "--python", sys.executable, "--json", str(found)),
        *("--", *target.arguments),
    ]
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    environment = {**own, "HOLDFAST_RUNS": str(scratch / "runs.sqlite")}
    began = time.monotonic()
    subprocess.run(command, cwd=scratch, env=environment, capture_output=True, timeout=_LONGEST_S, check=False)
    whole_s = time.monotonic() - began
    if not found.exists():
        return None
    verdict = json.loads(found.read_bytes())
    total_s = verdict["timing"]["total_s"]
    return None if total_s is None or verdict["ceiling"]["in_service"] is None else Run(total_s, whole_s, verdict)


def flat(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    """The answers of a verdict, each with its name."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in _NO_ANSWER:
                yield from flat(inner, f"{name}.{key}" if name else key)
    else:
        yield name, value


def less_certain(before: Run, now: Run) -> list[str]:
    """What the earlier build knew and this one does not."""
    known = dict(flat(now.verdict))
    lost = [name for name, value in flat(before.verdict) if value is not None and known.get(name) is None]
    return lost + (
        ["confidence"] if (before.verdict["confidence"], now.verdict["confidence"]) == ("exact", "estimated") else []
    )


def differing(before: Run, now: Run) -> list[str]:
    """Figures that both know and that differ."""
    known = dict(flat(now.verdict))
    return [
        f"{name} {value} -> {known[name]}"
        for name, value in flat(before.verdict)
        if name in known and None not in (value, known[name]) and value != known[name]
    ]


def tenth(values: Sequence[float]) -> float:
    """What a tenth of the values is above."""
    return statistics.quantiles(values, n=10, method="inclusive")[-1] if len(values) > 1 else values[0]


def summary(pairs: Sequence[tuple[Run, Run]]) -> tuple[list[list[str]], bool]:
    """The lines of the table, and whether the targets are met."""
    rows, within = [], True
    times = {
        "verdict": [(before.verdict_s, now.verdict_s) for before, now in pairs],
        "whole": [(before.whole_s, now.whole_s) for before, now in pairs],
    }
    for name, each_pair in times.items():
        before, now = [pair[0] for pair in each_pair], [pair[1] for pair in each_pair]
        each = statistics.median(own / other for own, other in zip(now, before, strict=True))
        for what, figure, target in (
            ("median", statistics.median, MEDIAN_TARGET),
            ("a tenth above", tenth, TENTH_TARGET),
            ("sum", sum, MEDIAN_TARGET),
        ):
            ratio = figure(now) / figure(before)
            aimed = target if name == "verdict" or what == "sum" else None
            within &= aimed is None or ratio <= aimed
            cells = [f"{name}, {what}", f"{figure(before):.2f} s", f"{figure(now):.2f} s", f"{ratio:.2f}"]
            rows.append([*cells, f"{each:.2f}" if what == "median" else "", "" if aimed is None else f"{aimed:.2f}"])
    return rows, within


def chosen(every: int, ids: Sequence[str]) -> list[Case]:
    """The rows to run, in the study's order."""
    if unknown := set(ids) - {case.id for case in STUDY.cases}:
        raise SystemExit(f"The study has no row {', '.join(sorted(unknown))}.")
    return [case for case in STUDY.cases if case.id in ids] if ids else list(STUDY.cases[::every])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default=os.environ.get("BASE"), help="the other build's python")
    parser.add_argument("--every", type=int, default=1, help="take each N-th row")
    parser.add_argument("--rows", nargs="+", default=(), help="ids of rows")
    parser.add_argument("--times", type=int, default=1, help="pairs of runs for each row")
    options = parser.parse_args()
    if not options.base:
        parser.error("name the other build's interpreter with --base or BASE")
    where, pairs, lost = machine(), list[tuple[Run, Run]](), 0
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        for turn, case in enumerate(case for _ in range(options.times) for case in chosen(options.every, options.rows)):
            builds = (options.base, sys.executable)
            found = {python: probe(python, case, scratch) for python in builds[:: -1 if turn % 2 else 1]}
            before, now = found[options.base], found[sys.executable]
            if before is None or now is None:
                lost += before is not None
                print(f"{case.id:28} no verdict from {'the base' if before is None else 'this build'}", flush=True)
                continue
            pairs.append((before, now))
            gone = less_certain(before, now)
            lost += bool(gone)
            words = "; ".join([*(f"LOST {each}" for each in gone), *differing(before, now)])
            print(f"{case.id:28} {before.verdict_s:6.2f} {now.verdict_s:6.2f} s  {words}", flush=True)
    if not pairs:
        raise SystemExit("No row gave two verdicts.")
    rows, within = summary(pairs)
    print(f"\n{where}; {len(pairs)} pairs of runs\n")
    print(table(["", "base", "this build", "ratio", "median ratio of a row", "target"], rows))
    return 0 if within and not lost else 1


if __name__ == "__main__":
    sys.exit(main())
