"""Records the runs of `cases.py`, or judges the records again.

python tests/recorded/record.py [NAME...]           makes the runs anew, all or these
python tests/recorded/record.py --judge [NAME...]   keeps the records and writes anew what they come to

Each is a real run of the command line in a directory of its own. Its record is kept as it was saved, but for the names
of directories, which become those of an imagined machine. A record that lacks what its case expects is not kept.

The records show the saved form of holdfast 0.1.0, which all later versions read: one that saves in another form keeps
them and adds its own. `--judge` is for a change of the verdict that is meant; the diff of the results shows it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cases import LOADS, RUNS, Case
from judging import judged, load_result, timeline_of
from saved import LOAD_FORMAT, PERSONAL, RUN_FORMAT, newest, record_of, write_record, write_result
from saved import LOADS as LOAD_RECORDS
from saved import RUNS as RUN_RECORDS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PATIENCE_S = 120.0
_LOOK_S = 0.005
_SHOP = "/srv/shop"


def recorded(case: Case, directory: Path) -> tuple[int, bytes]:
    """Format and record of one run in this directory, in which the applications are."""
    runs, port = directory / ".state" / "runs.sqlite", _free_port()
    arguments = [each.format(port=port) for each in case.arguments]
    environment = {
        **os.environ,
        "HOLDFAST_RUNS": str(runs),
        "VIRTUAL_ENV": sys.prefix,
        "HOME": str(directory),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    running = [each.format(port=port) for each in case.running]
    with _serving(running, port, directory, environment):
        process = subprocess.Popen(
            [*_limited(case.nofile), sys.executable, "-m", "holdfast", *arguments],
            cwd=directory,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            if case.interrupted:
                _until(lambda: (directory / "busy").exists() or process.poll() is not None)
                process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=PATIENCE_S)
        except BaseException:
            process.kill()
            process.wait()
            raise
    try:
        form, record = newest(runs)
    except LookupError as error:
        raise LookupError(f"{error}; holdfast said:\n{said}") from error
    return form, elsewhere(record.decode(), directory).encode()


def elsewhere(record: str, directory: Path) -> str:
    """The record as of a machine on which the application is in /srv/shop.

    Raises:
        ValueError: the name of a directory of this machine is left in it.
    """
    names = {
        str(directory): _SHOP,
        sys.prefix: f"{_SHOP}/.venv",
        str(ROOT / "src"): f"{_SHOP}/.venv/lib/python3.{sys.version_info.minor}/site-packages",
        sys.base_prefix: "/usr",
        f"nodename: {os.uname().nodename}": "nodename: shop",  # uWSGI writes it into its log
    }
    for ours in sorted(names, key=len, reverse=True):
        record = record.replace(ours, names[ours])
    if left := PERSONAL.search(record.encode()):
        raise ValueError(f"{left[0].decode()} is left in the record")
    return record


def missing(case: Case, result: dict[str, Any]) -> list[str]:
    """What of the expected figures the result does not have."""
    if "inconclusive" in result:
        said = result["inconclusive"]
        what = case.expected.get("what")
        return [] if what is not None and said["what"].startswith(what) else [f"{said}"]
    found = {name: _field(result, name) for name in case.expected}
    return [f"{name}: {found[name]!r}, not {value!r}" for name, value in case.expected.items() if found[name] != value]


def _field(result: dict[str, Any], dotted: str) -> object:
    value: Any = result
    name, _, rest = dotted.partition(".")
    value = value.get(name, "no such field")
    if not rest or not isinstance(value, dict):
        return value
    return value[rest] if rest in value else _field(value, rest)


@contextlib.contextmanager
def _serving(command: list[str], port: int, directory: Path, environment: dict[str, str]) -> Iterator[None]:
    if not command:
        yield
        return
    server = subprocess.Popen(
        command,
        cwd=directory,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _until(lambda: _listens(port) or server.poll() is not None)
        yield
    finally:
        server.terminate()
        server.wait()


def _limited(nofile: int | None) -> list[str]:
    return [] if nofile is None else ["sh", "-c", f'ulimit -n {nofile} && exec "$@"', "sh"]


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _until(condition: Callable[[], object]) -> None:
    patience, deadline = threading.Event(), time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come")
        patience.wait(_LOOK_S)


def record(case: Case) -> str:
    """Runs it and keeps its record; what is to be said of it."""
    if case.root and os.geteuid() != 0:
        return "not recorded: takes root"
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        shutil.copytree(HERE / "shop", directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        form, kept = recorded(case, directory)
    if form != (LOAD_FORMAT if case in LOADS else RUN_FORMAT):
        return f"NOT KEPT: it is saved in form {form}"
    result = result_now(case, kept)
    if lacks := missing(case, result):
        return "NOT KEPT: " + "; ".join(lacks)
    write_record(_records(case), case.name, kept, result)
    return _headline(result)


def judge_again(case: Case) -> str:
    """Writes anew what its record comes to; what is to be said of it."""
    result = result_now(case, record_of(_records(case), case.name))
    if lacks := missing(case, result):
        return "NOT KEPT: " + "; ".join(lacks)
    write_result(_records(case), case.name, result)
    return _headline(result)


def result_now(case: Case, kept: bytes) -> dict[str, Any]:
    """What the record of a case comes to."""
    with tempfile.TemporaryDirectory() as name:
        return load_result(kept, Path(name)) if case in LOADS else judged(timeline_of(kept, Path(name)))


def _records(case: Case) -> Path:
    return LOAD_RECORDS if case in LOADS else RUN_RECORDS


def _headline(result: dict[str, Any]) -> str:
    if "inconclusive" in result:
        return f"inconclusive: {result['inconclusive']['what']}"
    if "ceiling" not in result:
        return f"{result['offered']} offered, {result['outcomes']}"
    ceiling = result["ceiling"]
    held = {name: count for name, count in result["places"].items() if count}
    return f"in_service {ceiling['in_service']}, bounded {ceiling['bounded']}, {result['confidence']}, places {held}"


def main(arguments: list[str]) -> int:
    """Records the cases of these names, or all; after --judge, judges their records again."""
    step = judge_again if arguments[:1] == ["--judge"] else record
    asked = arguments[1:] if step is judge_again else arguments
    cases = {case.name: case for case in (*RUNS, *LOADS)}
    if unknown := sorted(set(asked) - set(cases)):
        print(f"unknown: {', '.join(unknown)}; there are: {', '.join(cases)}")  # noqa: T201
        return 2
    failed = False
    for name in asked or cases:
        try:
            said = step(cases[name])
        except (OSError, LookupError, ValueError, subprocess.SubprocessError) as error:
            said = f"NOT KEPT: {error}"
        failed |= said.startswith("NOT KEPT")
        print(f"{name}: {said}", flush=True)  # noqa: T201
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
