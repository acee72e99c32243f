"""`exec` and `probe` say the same of every server that both can start: the way in makes no difference."""

from __future__ import annotations

import sys
from typing import Any

import msgspec
import pytest
from own_commands import ANSWERED, Own, start, value
from support.commandline import Running
from test_exec_commands import FASTAPI, FLASK

SAME = (
    "ceiling.in_service",
    "ceiling.bounded",
    "ceiling.userspace_queue",
    "ceiling.userspace_queue_bounded",
    "ceiling.accept_queue",
    "ceiling.accept_queue_limit",
    "ceiling.at_exact_load",
    "places",
    "model",
    "overflow",
    "limits",
    "target.python",
    "target.view",
    "target.held_in",
    "cost.descriptors",
    "cost.threads",
)
"""What depends on the server, and not on the moment or on who started it.

How often exact load was tried is a matter of the time that it took.
"""

OFFERED = ("--max-offered", "60")
COMMANDS = {
    # The person's own start command, and the arguments of `holdfast probe` for the same.
    "flask": (("python", "serve.py"), ("app:app", "--server", "flask", "--", "--processes", "3")),
    "gunicorn sync": (
        ("gunicorn", "-w", "2", "--backlog", "7", "-b", "127.0.0.1:{port}", "app:app"),
        ("app:app", "--server", "gunicorn", "--", "-w", "2", "--backlog", "7"),
    ),
    "gunicorn gthread": (
        ("gunicorn", "--threads", "3", "-b", "127.0.0.1:{port}", "app:app"),
        ("app:app", "--server", "gunicorn", "--", "--threads", "3"),
    ),
    "gunicorn gevent": (
        ("gunicorn", "-k", "gevent", "--worker-connections", "5", "-b", "127.0.0.1:{port}", "app:app"),
        ("app:app", "--server", "gunicorn", "--", "-k", "gevent", "--worker-connections", "5"),
    ),
    "uwsgi http": (
        ("uwsgi", "--http", "127.0.0.1:{port}", "--module", "app:app", "--threads", "4"),
        ("app:app", "--server", "uwsgi", "--", "--threads", "4"),
    ),
    "uwsgi http-socket": (
        ("uwsgi", "--http-socket", "127.0.0.1:{port}", "--module", "app:app", "--processes", "2", "--listen", "9"),
        ("app:app", "--server", "uwsgi", "--", "--http-socket", ":0", "--processes", "2", "--listen", "9"),
    ),
    "waitress": (
        ("waitress-serve", "--threads", "3", "--listen", "127.0.0.1:{port}", "app:app"),
        ("app:app", "--server", "waitress", "--", "--threads", "3"),
    ),
    "uvicorn": (
        ("uvicorn", "--port", "{port}", "asgi:app"),
        ("asgi:app", "--server", "uvicorn"),
    ),
    "uvicorn limited": (
        ("uvicorn", "--limit-concurrency", "9", "--port", "{port}", "asgi:app"),
        ("asgi:app", "--server", "uvicorn", "--", "--limit-concurrency", "9"),
    ),
    "hypercorn": (
        ("hypercorn", "-b", "127.0.0.1:{port}", "--backlog", "12", "asgi:app"),
        ("asgi:app", "--server", "hypercorn", "--", "--backlog", "12"),
    ),
    "granian": (
        ("granian", "--interface", "wsgi", "--blocking-threads", "3", "--port", "{port}", "app:app"),
        ("wsgi:app:app", "--server", "granian", "--", "--interface", "wsgi", "--blocking-threads", "3"),
    ),
    "daphne": (("daphne", "-p", "{port}", "asgi:app"), ("asgi:app", "--server", "daphne")),
}
FILES = {
    "app.py": FLASK,
    "asgi.py": FASTAPI,
    "serve.py": "from app import app\napp.run(port={port}, processes=3, threaded=False)\n",
}


def verdict_of(running: Running) -> dict[str, Any]:
    ended = running.ended()
    running.nothing_is_left()
    assert ended.exit == ANSWERED, ended.err
    return msgspec.json.decode(ended.out)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_persons_own_command_is_given_the_verdict_of_the_server_that_it_starts(holdfast, name):
    own, probe = COMMANDS[name]
    started, directory = start(holdfast, Own(name, own, FILES, options=OFFERED))
    probing = holdfast.start("probe", "--json", "-", *OFFERED, "--python", sys.executable, *probe, cwd=directory)

    ours, theirs = verdict_of(probing), verdict_of(started)

    assert {field: value(theirs, field) for field in SAME} == {field: value(ours, field) for field in SAME}
    assert theirs["target"]["command"] != ours["target"]["command"]
