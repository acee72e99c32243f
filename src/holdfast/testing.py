"""A test kit for those who write an adapter: does it keep its promises?

```python
from holdfast.testing import check_adapter

def test_our_adapter():
    check_adapter(ADAPTER)
```
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from holdfast.infer.judge import judge
from holdfast.interrupts import Interrupts
from holdfast.model.experiment import Experiment, ProbeTarget
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.timeline import Timeline
from holdfast.model.verdict import Verdict
from holdfast.observe.kernel import KernelView
from holdfast.probing.experiment import run
from holdfast.servers.adapter import Adapter

_PORT_0 = re.compile(r"(?:^|[:=])0(?:[:,]|$)")

OFFERED = 24
"""Requests offered at once: more than any server of a few threads can hold, and few enough to be quick."""


def check_adapter(
    adapter: Adapter, arguments: Sequence[str] = (), *, python: str = sys.executable, cwd: str = "."
) -> Verdict:
    """Starts a server by its adapter, probes it briefly, ends it, and checks that nothing is left.

    Args:
        arguments: of the server, as after `--` on the command line.
        python: interpreter of an environment that has the server.

    Returns:
        The verdict of that probe, for further assertions.

    Raises:
        AssertionError: the adapter breaks a promise; one line for each.
        HoldfastError: the server could not be started or probed; it says why.
    """
    target = ProbeTarget(adapter.name, arguments=tuple(arguments), python=python)
    experiment = Experiment(target, max_offered=OFFERED, cwd=cwd)
    timeline = run(experiment, Interrupts(), adapter)
    verdict = judge(timeline)
    broken = [*_settings(adapter, arguments), *_start(timeline, arguments), *_requests(timeline), *_left(timeline)]
    assert not broken, f"{adapter.name}: " + "\n".join(broken)
    return verdict


def _settings(adapter: Adapter, arguments: Sequence[str]) -> Iterator[str]:
    names = Counter((each.name, each.bounds) for each in adapter.settings(arguments))
    for (name, bounds), number in names.items():
        if number > 1:
            yield f"the setting {name} is listed {number} times as a bound of {bounds.value}"
    if not all(adapter.frameworks.values()):
        yield "an interface has no framework, so no application can be served there"


def _start(timeline: Timeline, arguments: Sequence[str]) -> Iterator[str]:
    server = timeline.server
    if not server.version:
        yield "the version of the installed package was not found: is the distribution's name right?"
    rest = iter(server.command)
    # A port 0 in an argument is replaced, so only arguments without one must be passed on unchanged.
    missing = [each for each in arguments if not _PORT_0.search(each) and each not in rest]
    if missing:
        yield f"the command {server.command} lacks the argument {missing[0]}, or has it in the wrong place"
    handlers = {entry.pid for entry in timeline.entries}
    late = handlers - set(server.pids)
    if late and len(handlers) == len(late):
        yield f"all handlers ran in processes that did not exist when the server was ready: {sorted(late)}"


def _requests(timeline: Timeline) -> Iterator[str]:
    later = [request for request in timeline.requests if request.phase is not Phase.RAMP]
    unanswered = [request for request in later if request.outcome is not Outcome.ANSWERED]
    if unanswered:
        fates = sorted({request.outcome.label for request in unanswered})
        yield f"{len(unanswered)} of {len(later)} single requests were not answered: {', '.join(fates)}"
    if not any(request.phase is Phase.RAMP for request in timeline.requests):
        yield "no request was offered"


def _left(timeline: Timeline) -> Iterator[str]:
    server = timeline.server
    left = [pid for pid in server.pids if Path("/proc", str(pid)).exists()]
    if left:
        yield f"processes of the server are left: {left}"
    with KernelView() as kernel:
        if server.port and kernel.listeners(server.port):
            yield f"a process still listens on port {server.port}"
        if any(each.path == server.address for each in kernel.unix_listeners() or ()):
            yield f"a process still listens on {server.address}"
