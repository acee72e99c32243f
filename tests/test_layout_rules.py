"""The rules of the layout find what breaks them and nothing else."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from test_architecture import MOST_LINES, MOST_LINES_OF_AN_ADAPTER, violations


@pytest.mark.parametrize(
    ("path", "source", "complaint"),
    [
        ("engine/exchange.py", "import time", "a pure file does not touch the world"),
        ("engine/exchange.py", "def f():\n    from os import path", "a pure file does not touch the world"),
        ("infer/census.py", "from pathlib import Path", "a pure file does not touch the world"),
        ("servers/address.py", "import signal\nsignal.alarm(1)", "a pure file does not touch the world"),
        ("report/runs.py", "from datetime import datetime\ndatetime.now()", "a pure file does not touch the world"),
        ("report/json.py", "open('x')", "a pure file does not touch the world"),
        ("engine/epoll.py", "from holdfast.observe import sock_diag", "engine must not know observe"),
        ("engine/epoll.py", "from ..servers.adapter import Adapter", "engine must not know servers"),
        ("infer/census.py", "from holdfast import engine", "infer must not know engine"),
        ("report/terminal.py", "from holdfast.infer.census import census", "report must not know infer"),
        ("servers/process.py", "from holdfast.probing.experiment import run", "servers must not know probing"),
        ("attaching/rounds.py", "from holdfast.probing.session import Session", "attaching must not know probing"),
        ("attaching/rounds.py", "from holdfast.infer.estimate import judge_outside", "only what it steers by"),
        ("loadtest/run.py", "from holdfast.attaching import rounds", "loadtest must not know attaching"),
        ("store/saving.py", "from holdfast.infer.judge import judge", "store must not know infer"),
        ("report/json.py", "def f(path):\n    return path.read_text()", "a pure file does not touch the world"),
        ("model/places.py", "from holdfast.errors import UsageError", "model must not know errors"),
        ("observe/processes.py", "from holdfast.inside.holdfast_inside import layout", "does not read the records"),
        ("probing/experiment.py", "from holdfast.inside.holdfast_inside import recorder", "the layout of the records"),
        ("inside/holdfast_inside/wsgi.py", "import holdfast.model", "standard library only"),
        ("inside/holdfast_inside/wsgi.py", "from holdfast.inside.holdfast_inside import layout", "standard library"),
        ("inside/holdfast_inside/wsgi.py", "import msgspec", "standard library only"),
        ("inside/holdfast_inside/wsgi.py", "from holdfast_inside import hello", "standard library only"),
        ("infer/plateau.py", "# as gunicorn does", "infer knows no server"),
        ("engine/loop.py", "class LoopManager: ...", "the name says nothing"),
        ("engine/http_utils.py", "", "the name says nothing"),
        ("oracle/delphi.py", "", "belongs to no room"),
        ("console/ports.py", "from holdfast.engine.url import Url", "console must not know engine"),
        ("probing/experiment.py", "\n" * (MOST_LINES + 1), "lines, more than 400"),
        ("servers/flask.py", "ADAPTER = 1" + "\n" * MOST_LINES_OF_AN_ADAPTER + "x = 1", "lines, more than 120"),
    ],
)
def test_a_broken_rule_is_found(path: str, source: str, complaint: str) -> None:
    found = violations(PurePosixPath(path), source)

    assert found
    assert all(complaint in each for each in found)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("engine/epoll.py", "import select, time\nfrom holdfast.model.places import Outcome\nfrom . import exchange"),
        ("observe/record_reader.py", "import mmap\nfrom holdfast.inside.holdfast_inside.layout import SLOT"),
        (
            "probing/experiment.py",
            "import time\nfrom holdfast.engine import epoll\nfrom holdfast.observe import sampler",
        ),
        ("cli/main.py", "from holdfast import __version__, store\nfrom holdfast.report import terminal"),
        ("servers/flask.py", "from signal import SIGINT\nfrom pathlib import PurePath\nfrom . import adapter"),
        ("inside/holdfast_inside/wsgi.py", "import os\nfrom . import recorder\ndef f():\n    import flask"),
        ("inside/startup/sitecustomize.py", "import os\nfrom holdfast_inside import hello\nimport sitecustomize"),
    ],
)
def test_what_the_layout_allows_is_not_complained_of(path: str, source: str) -> None:
    assert violations(PurePosixPath(path), source) == []
