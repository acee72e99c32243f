"""Repeats the planted searches, and prints what each came to: `tally.py TIMES [CASE] [--busy]`."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from known_rates import CASES, GENERATOR, Planted, busy_core, searched, searched_by_one_process
from support.commandline import holdfast_in


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def one(case: Planted | None, directory: Path) -> bool:
    """Searches a server, that of the generator's own limit for None, and says what came of it."""
    with holdfast_in(directory) as holdfast, busy_core(busy="--busy" in sys.argv):
        if case is None:
            name, wanted = GENERATOR, "no limit of the server"
            found, faults = searched_by_one_process(holdfast)
        else:
            found, name = searched(case, holdfast), case.id
            faults = case.faults(found, directory)
            wanted = f"{case.rate_per_s(directory):.1f}"
    place = (found["place"] or {}).get("kind")
    rate = f"{'at least ' if found['status'] == 'at least' else ''}{found['rate_per_s']}"
    say(
        f"{name}: {rate} of {wanted}, {place}, {len(found['loads'])} loads in {found['seconds']:.0f} s "
        f"{'; '.join(faults)}"
    )
    return not faults


def main() -> None:
    # As Ctrl-C does it: the search that runs ends too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    words = [each for each in sys.argv[1:] if not each.startswith("--")]
    times, wanted = int(words[0]), words[1:]
    cases: dict[str, Planted | None] = {each.id: each for each in CASES}
    if shutil.which("nginx"):
        cases[GENERATOR] = None
    else:
        say(f"{GENERATOR}: nginx is not installed (apt-get install nginx)")
    for name in [each for each in cases if not wanted or each in wanted]:
        right = 0
        for _ in range(times):
            with tempfile.TemporaryDirectory() as directory:
                right += one(cases[name], Path(directory))
        say(f"{name}: {right} of {times} right")


main()
