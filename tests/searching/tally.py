"""Repeats the planted searches, and prints what each came to: `tally.py TIMES [CASE] [--busy]`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from known_rates import CASES, busy_core, searched
from support.commandline import holdfast_in


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    words = [each for each in sys.argv[1:] if not each.startswith("--")]
    times, wanted = int(words[0]), words[1:]
    for case in [each for each in CASES if not wanted or each.id in wanted]:
        right = 0
        for _ in range(times):
            with (
                tempfile.TemporaryDirectory() as name,
                holdfast_in(Path(name)) as holdfast,
                busy_core(busy="--busy" in sys.argv),
            ):
                found = searched(case, holdfast)
                faults = case.faults(found, holdfast.directory)
                wanted_rate = case.rate_per_s(holdfast.directory)
            right += not faults
            place = (found["place"] or {}).get("kind")
            say(
                f"{case.id}: {found['rate_per_s']} of {wanted_rate:.1f}, {place}, {len(found['loads'])} loads in "
                f"{found['seconds']:.0f} s {'; '.join(faults)}",
            )
        say(f"{case.id}: {right} of {times} right")


main()
