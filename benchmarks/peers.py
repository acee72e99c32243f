"""What the load benchmarks share: the generators' commands, servers to load, and what a run costs."""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ADDRESS = "127.0.0.1"
HERE = Path(__file__).resolve().parent
PATIENCE_S = 120
LOOK_S = 0.02
PROPORTIONAL_EVERY_S = 0.25

NGINX = """
daemon off; master_process off; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log;
events {{ worker_connections 16384; }}
http {{
    access_log off; keepalive_requests 1000000000; keepalive_timeout 600;
    client_body_temp_path {directory}/1; proxy_temp_path {directory}/2; fastcgi_temp_path {directory}/3;
    uwsgi_temp_path {directory}/4; scgi_temp_path {directory}/5;
    server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 "ok\\n"; }} }}
}}
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run of a program came to.

    Attributes:
        cpu_s: user and system time of the program and all that it started.
        memory_mb: the most resident memory of its processes together; memory that several share counts for each.
        proportional_mb: the most at once where shared memory counts once (PSS), as looks show that are 0.25 s apart.
    """

    output: str
    cpu_s: float
    memory_mb: float
    elapsed_s: float
    proportional_mb: float = 0.0


def load_command(port: int, model: str, count: int | str, seconds: int | str) -> list[str]:
    """`holdfast load` as a person types it; it prints its result as JSON.

    Args:
        model: "open" (a connection for each of `count` requests), "kept" (the same on connections that are kept), or
            "closed" (`count` clients, each with one connection).
    """
    count, seconds = str(count), f"{seconds}s"
    shapes = {
        "open": ["--requests", count, "--over", seconds],
        "kept": ["--requests", count, "--over", seconds, "--keep-alive"],
        "closed": ["--clients", count, "--for", seconds],
    }
    holdfast = str(Path(sys.executable).with_name("holdfast"))
    return [holdfast, "load", f"http://{ADDRESS}:{port}/", *shapes[model], "--quiet", "--json", "-"]


def engine_command(port: int, model: str, count: int | str, seconds: int | str) -> list[str]:
    """The engine of `holdfast load` alone, with the same load."""
    return [sys.executable, "-m", "benchmarks.engine", str(port), model, str(count), str(seconds)]


def result_of(output: str) -> dict[str, Any]:
    """The JSON that `load_command` and `engine_command` print; words on standard error stand before it."""
    found: dict[str, Any] = json.loads(output[output.index("{") :])
    return found


def run(command: Sequence[str], runs: Path | None = None) -> Cost:
    """Runs a program to its end.

    `ru_maxrss` would not do: it counts what the process was before it became this program.

    Args:
        runs: file of saved runs; None is one that is thrown away.

    Raises:
        SystemExit: the program is not there.
    """
    if shutil.which(command[0]) is None:
        raise SystemExit(f"{command[0]} is not installed: run benchmarks/setup.sh")
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as scratch,
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output,
    ):
        # Saving the run is a part of the command; the person's own runs are none of the benchmark's business.
        environment = {**os.environ, "HOLDFAST_RUNS": str(runs or Path(scratch, "runs.sqlite"))}
        # A person's Python compiles its modules once, and not with every run.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        program = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=HERE.parent, env=environment)
        memory = proportional = 0.0
        looked = began
        while True:
            memory = max(memory, _memory_mb(program.pid))
            if time.monotonic() > looked + PROPORTIONAL_EVERY_S:
                proportional, looked = max(proportional, _proportional_mb(program.pid)), time.monotonic()
            pid, status, used = os.wait4(program.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(LOOK_S)
        program.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        cpu_s, elapsed_s = used.ru_utime + used.ru_stime, time.monotonic() - began
        return Cost(output.read(), cpu_s, memory, elapsed_s, proportional)


def _memory_mb(pid: int) -> float:
    """Highest resident memory of a process and of all its descendants, each at its own highest."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    own = next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0.0)
    return own + sum(_memory_mb(int(child)) for child in children)


def _proportional_mb(pid: int) -> float:
    """Memory of a process and of all its descendants, each page shared out among those that have it (proc(5))."""
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    own = next((int(line.split()[1]) / 1024 for line in told.splitlines() if line.startswith("Pss:")), 0.0)
    return own + sum(_proportional_mb(int(child)) for child in children)


def cpu_s_of_server() -> float:
    """CPU time so far of the one process that this one has as a child, such as `nginx`.

    /proc/PID/schedstat begins with it in ns (sched-stats.rst of the kernel).
    """
    (server,) = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return int(Path(f"/proc/{server}/schedstat").read_text().split()[0]) / 1e9


@contextmanager
def nginx() -> Iterator[int]:
    """One nginx worker that answers everything with three bytes; gives its port."""
    with socket.create_server((ADDRESS, 0)) as free:
        port: int = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as directory:
        configuration = Path(directory, "nginx.conf")
        configuration.write_text(NGINX.format(directory=directory, port=port))
        program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        if program is None:
            raise SystemExit("nginx is not installed: run benchmarks/setup.sh")
        server = subprocess.Popen([program, "-c", str(configuration)], stderr=subprocess.DEVNULL)
        try:
            await_port(port)
            yield port
        finally:
            server.kill()
            server.wait()


@contextmanager
def holding_server(seconds: float) -> Iterator[tuple[int, list[int]]]:
    """A server that holds each request for so long; gives its port, and at the end the most it held at once."""
    most: list[int] = []
    server = subprocess.Popen(
        [sys.executable, str(HERE / "holding_server.py"), str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    try:
        yield int(server.stdout.readline()), most
        most.append(int(server.communicate()[0]))
    finally:
        server.kill()
        server.communicate()


def await_port(port: int) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection((ADDRESS, port)).close()
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise SystemExit("the server does not open its port") from None
            time.sleep(LOOK_S)
        else:
            return


def versions() -> dict[str, str]:
    """Each program's own words for its version."""
    asked = {
        "wrk": (["wrk", "-v"], 1),
        "h2load": (["h2load", "--version"], 1),
        "ab": (["ab", "-V"], 4),
        "nginx": (["/usr/sbin/nginx", "-v"], 2),
        "locust": (["locust", "--version"], 1),
        "hey": (["dpkg-query", "-f", "hey ${Version}", "-W", "hey"], 1),
        "jmeter": (["dpkg-query", "-f", "jmeter ${Version}", "-W", "jmeter"], 1),
    }
    told = dict.fromkeys(("holdfast", "holdfast, pure Python", "engine alone"), f"Python {platform.python_version()}")
    for name, (command, word) in asked.items():
        try:
            ended = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            told[name] = "absent"
            continue
        words = (
            (ended.stdout + ended.stderr).replace("nghttp2/", "").replace("debian/", "").replace("nginx/", "").split()
        )
        told[name] = words[word] if len(words) > word else "unknown"
    return told


def machine() -> str:
    """One line on where and when the figures were taken, the other load on the machine included."""
    load = Path("/proc/loadavg").read_text().split()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Linux {platform.release()}, "
        f"load average {load} before the first run"
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
