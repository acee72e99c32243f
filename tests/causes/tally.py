"""Runs the planted causes and prints what became of each: tally.py [--repeat N] [--jobs N] [WORD ...].

A WORD selects the cases with it in their name. The last line says how many were wrong or undecided, and how long an
explanation takes as a multiple of the whole first probe.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from every_case import CASES  # noqa: E402 - after the path to it
from planted import PATIENCE_S, Outcome, Planted, missing, outcome_of  # noqa: E402
from support.commandline import holdfast_in  # noqa: E402


def explained(case: Planted) -> Outcome | str:
    """One case; an error of holdfast in place of its outcome."""
    try:
        with tempfile.TemporaryDirectory() as directory, holdfast_in(Path(directory)) as holdfast:
            case.prepare(Path(directory))
            ended = holdfast.run(*case.command_line(), env=dict(case.environment), within_s=PATIENCE_S)
            left = [str(each) for each in holdfast.temporary.iterdir()]
    except (AssertionError, subprocess.TimeoutExpired) as error:
        return f"{error!r}"
    if left:
        return f"left behind: {', '.join(left)}"
    return outcome_of(case, ended.out) if ended.out else f"exit {ended.exit}: {ended.err}"


def told(case: Planted, found: Outcome | str) -> str:
    """One line, and its faults below."""
    if isinstance(found, str):
        return f"ERROR      {case.id}: {found}"
    state = "WRONG" if found.is_wrong else "UNDECIDED" if found.is_undecided else "FAULT" if found.faults else "ok"
    times = f"{found.trials} trials, {found.first_s:.1f} and {found.all_s:.1f} s, {found.all_s / found.first_s:.1f} x"
    return "\n    ".join([f"{state:10} {case.id}: {found.named or '-'} ({times})", *found.faults])


def main() -> int:
    """Prints them as they end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("words", nargs="*", default=[""], metavar="WORD")
    given = parser.parse_args()
    cases = [
        each for each in CASES if any(word in each.id for word in given.words) and not missing(each)
    ] * given.repeat
    found: list[Outcome | str] = []
    with ThreadPoolExecutor(given.jobs) as pool:
        for case, outcome in zip(cases, pool.map(explained, cases), strict=True):
            sys.stdout.write(told(case, outcome) + "\n")
            sys.stdout.flush()
            found.append(outcome)
    good = [each for each in found if isinstance(each, Outcome)]
    wrong, undecided = sum(each.is_wrong for each in good), sum(each.is_undecided for each in good)
    times = [each.all_s / each.first_s for each in good] or [0.0]
    sys.stdout.write(
        f"{len(found)} explanations of {len({each.id for each in cases})} cases, "
        f"{len({each.server for each in cases})} servers: {wrong} wrong, {undecided} undecided, "
        f"{len(found) - len(good)} errors; as long as the first probe: {median(times):.1f} x (median), "
        f"{max(times):.1f} x (most)\n"
    )
    return bool(wrong or len(good) < len(found))


if __name__ == "__main__":
    sys.exit(main())
