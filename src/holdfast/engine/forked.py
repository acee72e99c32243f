"""The life of a load process that was forked, and the report that it leaves in a pipe."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import NoReturn

from holdfast.engine.plan import Stop
from holdfast.engine.reports import WorkerReport
from holdfast.engine.stuck import answer_stuck

STOPPING = (signal.SIGINT, signal.SIGTERM)


def be_load_process(
    run_part: Callable[[Callable[[], Stop]], WorkerReport],
    orphaned: Callable[[], bool],
    writing: int,
    others: Sequence[int],
) -> NoReturn:
    """Lives the life of a forked process; never returns into the code that it was forked from.

    Args:
        others: descriptors that belong to the parent alone.
    """
    asked: list[int] = []
    status = 1
    try:
        # Ctrl-C reaches all of the terminal's processes; the parent decides what it means.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        for other in others:
            os.close(other)
        answer_stuck(writing)
        report = run_part(lambda: Stop.AT_ONCE if orphaned() else Stop(min(len(asked), Stop.AT_ONCE)))
        # The parent may have been killed in the meantime.
        with contextlib.suppress(BrokenPipeError):
            os.write(writing, json.dumps(asdict(report)).encode())
        status = 0
    except Exception:  # noqa: BLE001 - a fork must not run on as its parent; the traceback goes to stderr
        import traceback  # noqa: PLC0415 - 0.4 MB that each load would have

        traceback.print_exc()
    finally:
        os._exit(status)


def report_in(written: bytes) -> WorkerReport | None:
    """The report that a process has left; None if it has left none, or only where it was stuck."""
    return WorkerReport(**json.loads(written)) if written.startswith(b"{") else None
