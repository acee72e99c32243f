"""What is put into a server's process is not seen by the person's code there."""

from __future__ import annotations

import subprocess
import sys

import pytest

from holdfast.observe.record_reader import INSIDE_DIRECTORY

# Python, pickle: classes are pickled by the name under which their module has them.
QUEUES = """
import pickle
import gevent.queue as ours
documented = {name: getattr(ours, name).__doc__ for name in ours.__all__}
from holdfast_inside import queues
queues.install("gevent.queue")
import gevent.pool  # compiled, and takes the queues from what is compiled
for name in ("Queue", "JoinableQueue", "PriorityQueue", "LifoQueue"):
    cls = getattr(ours, name)
    print(pickle.loads(pickle.dumps(cls)) is cls, cls.__doc__ == documented[name], issubclass(cls, ours.Queue))
print(list(gevent.pool.Pool(2).imap_unordered(abs, [-1])) == [1])
"""

# gevent's ThreadPool runs what it is given in a greenlet of a thread of its own.
IN_A_POOL = """
from gevent import monkey; monkey.patch_all()
import gevent, sys
from holdfast_inside import request, watch

def come_and_go():
    watch.begin_here(seen, ())
    began = sys.getprofile() is watch.profile
    watch.end_here()
    return began, sys.getprofile() is None

def beside():
    watch.begin_here(seen, ())
    watch.end_here()

with watch.watching(None, sys._getframe(), frozenset()) as seen:
    gevent.spawn(beside).join()
    print(sys.getprofile() is watch.profile)
    print(*gevent.get_hub().threadpool.apply(watch.unseen, (come_and_go,)))
print(sys.getprofile() is None)
"""


def said_by(program, directory):
    (directory / "program.py").write_text(program)
    return subprocess.run(
        [sys.executable, "program.py"],
        cwd=directory,
        env={"PYTHONPATH": INSIDE_DIRECTORY},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    ).stdout.split()


@pytest.mark.parametrize("program", [QUEUES, IN_A_POOL], ids=["queues", "a thread of gevent's pool"])
def test_the_application_notices_nothing(program, tmp_path):
    pytest.importorskip("gevent")

    assert set(said_by(program, tmp_path)) == {"True"}
