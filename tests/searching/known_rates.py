"""Servers whose highest rate follows from arithmetic, and what ends it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from support.commandline import Holdfast
from support.waiting import until

from holdfast.probing.ports import free_port

APPS = Path(__file__).parent / "apps"
WITHIN = 0.05
PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class Planted:
    """One server.

    Attributes:
        arguments: of `holdfast capacity`.
        rate_per_s: the highest rate, from the directory in which it ran.
        kinds: the place that is full; several where they are equally true.
        where: the line that is named; "" where none is.
        at_once: how many requests the place takes; None where it is not such a place.
    """

    id: str
    arguments: tuple[str, ...]
    rate_per_s: Callable[[Path], float]
    kinds: frozenset[str]
    where: str = ""
    at_once: int | None = None

    def command_line(self, directory: Path) -> list[str]:
        """The whole command line, with the application copied to where it runs."""
        for file in APPS.glob("*.py"):
            (directory / file.name).write_text(file.read_text())
        found = [each.replace("PORT", str(free_port())) for each in self.arguments]
        return ["capacity", "--json", "-", *found]

    def faults(self, found: dict[str, Any], directory: Path) -> list[str]:
        """What is wrong with a result."""
        rate, place = self.rate_per_s(directory), found["place"] or {}
        wrong = []
        if found["status"] != "edge" or not rate * (1 - WITHIN) <= found["rate_per_s"] <= rate * (1 + WITHIN):
            wrong.append(f"{found['status']}: {found['rate_per_s']} instead of {rate:.1f}")
        if place.get("kind") not in self.kinds:
            wrong.append(f"place {place.get('kind')} instead of {', '.join(self.kinds)}: {place.get('evidence')}")
        if self.where and place.get("where") != self.where:
            wrong.append(f"line {place.get('where')} instead of {self.where}")
        if self.at_once is not None and place.get("at_once") != self.at_once:
            wrong.append(f"{place.get('at_once')} at once instead of {self.at_once}")
        return wrong


def _always(rate_per_s: float) -> Callable[[Path], float]:
    return lambda _directory: rate_per_s


def _as_it_used(directory: Path) -> float:
    """One core divided by what the server's process says that it used for each request.

    With the others' share of the machine it uses a little more, so it is the median over the whole search.
    """
    lines = [line.split() for line in (directory / "used.txt").read_text().splitlines()]
    used = [(float(cpu), int(number)) for cpu, number in lines]
    return 1 / median((cpu - before) / (number - first) for (before, first), (cpu, number) in pairwise(used))


P99 = ("--threshold", "p99<200ms")

CASES = (
    Planted(
        "pool",
        ("pool.py", "--server", "waitress", *P99, "--", "--threads", "4"),
        _always(4 / 0.05),
        frozenset({"handlers"}),
        at_once=4,
    ),
    Planted(
        "lock",
        ("lock.py", "--server", "waitress", *P99, "--", "--threads", "16"),
        _always(1 / 0.05),
        frozenset({"inside the view"}),
        where="lock.py:14",
    ),
    Planted("cpu", ("cpu.py", "--server", "gunicorn", *P99), _as_it_used, frozenset({"cpu"})),
    Planted("gil", ("cpu.py", "--server", "waitress", *P99, "--", "--threads", "8"), _as_it_used, frozenset({"gil"})),
    Planted(
        "accept queue",
        ("--threshold", "errors<1%", "--threshold", "p99<500ms", "--", sys.executable, "slow_accept.py", "PORT"),
        _always(1 / 0.02),
        frozenset({"accept queue"}),
        at_once=4,
    ),
)

CHEAP = Planted(
    "quick pool",
    ("quick_pool.py", "--server", "waitress", *P99, "--from", "120", "--for", "1s", "--", "--threads", "4"),
    _always(4 / 0.02),
    frozenset({"handlers"}),
    at_once=4,
)


def searched(case: Planted, holdfast: Holdfast) -> dict[str, Any]:
    """What a search comes to, as its JSON."""
    ended = holdfast.run(*case.command_line(holdfast.directory), within_s=PATIENCE_S)
    assert ended.out, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


_STATIC = """daemon off; master_process off; pid pid; error_log stderr;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server { listen 127.0.0.1:PORT backlog=4096; location / { return 200 "ok"; } }
}
"""
GENERATOR = "generator"
OWN_LIMIT = "the load met its own limit before the server met one"


@contextlib.contextmanager
def static_nginx(holdfast: Holdfast) -> Iterator[str]:
    """A server of one core that answers with two bytes, for which a load in Python needs more than one; its URL."""
    port = holdfast.free_port()
    settings = holdfast.directory / "nginx.conf"
    settings.write_text(_STATIC.replace("PORT", str(port)))
    words = ("-p", str(holdfast.directory), "-c", str(settings))
    with _served(holdfast, words, "nginx", port) as url:
        yield url


def searched_by_one_process(holdfast: Holdfast) -> tuple[dict[str, Any], list[str]]:
    """What a search comes to whose load is slower than its server, and what is wrong with it."""
    options = ("--threshold", "p99<50ms", "--from", "2000", "--for", "1s", "--processes", "1", "--json", "-")
    with static_nginx(holdfast) as url:
        ended = holdfast.run("capacity", url, *options, within_s=PATIENCE_S)
    assert ended.out, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    wrong = []
    if (found["status"], found["bounded"], ended.exit) != ("at least", False, 3):
        wrong.append(f"{found['status']}, bounded: {found['bounded']}, exit {ended.exit}")
    if found["place"] is not None or found["unknown"].get("place") != OWN_LIMIT:
        wrong.append(f"place {found['place']}, {found['unknown'].get('place')}")
    if any(not each["held"] and not each["limited"] for each in found["loads"]):
        wrong.append("a load is said to show the server's limit")
    return found, wrong


@contextlib.contextmanager
def busy_core(*, busy: bool) -> Iterator[None]:
    """Keeps one core busy."""
    loop = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if busy else None
    try:
        yield
    finally:
        if loop is not None:
            loop.kill()
            loop.wait()


@contextlib.contextmanager
def many_handlers(holdfast: Holdfast) -> Iterator[str]:
    """A server that can do more than a load with few descriptors; gives its URL."""
    port = holdfast.free_port()
    with _served(holdfast, (str(APPS / "many_handlers.py"), str(port)), sys.executable, port) as url:
        yield url


@contextlib.contextmanager
def _served(holdfast: Holdfast, words: Sequence[str], program: str, port: int) -> Iterator[str]:
    """Runs a server that listens on this port; gives its URL."""
    server = holdfast.start(*words, program=(program,), port=port)
    try:
        server.until_listening()
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.process.kill()
        server.process.wait()
        until(lambda: not server.processes(), "the server's end")
