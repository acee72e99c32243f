"""A process of the server that runs handlers, by what the first requests showed."""

from __future__ import annotations

from holdfast.observe.process_info import read_program
from holdfast.probing.session import Session


def process_with_handlers(session: Session, slots: range) -> int | None:
    """A process that has run the handler of one of these requests and lives.

    Returns:
        Another one that is instrumented, where the process was there for its request alone: it may end at any moment.
        None if there is no such process, or one of those that accept is instrumented: then that is the server.
    """
    ran = {each.pid for each in session.recording.entries(slots.start, slots.stop)}
    programs = {pid: program for pid in {*ran, *session.pids} if (program := read_program(pid)) is not None}
    alive = sorted(pid for pid in ran if pid in programs and programs[pid].file)
    if lasting := [pid for pid in alive if pid in session.pids]:
        return lasting[0]
    record = str(session.recording.path)
    instrumented = sorted(pid for pid in session.pids if pid in programs and record in programs[pid].maps)
    if set(instrumented) & set(session.accepting):
        return None
    return next(iter((*instrumented, *alive)), None)
