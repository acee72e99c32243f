"""A process that has frozen what it has loaded: its view is found, and its garbage is none the less collected."""

from __future__ import annotations

import subprocess
import sys

from holdfast.observe.record_reader import INSIDE_DIRECTORY

PROGRAM = """
import gc
import weakref

from holdfast_inside import finding, view_functions


def view():
    return "page"


class Request:
    def __init__(self):
        self.itself = self


gc.disable()
gc.freeze()
garbage = weakref.ref(Request())
code = view.__code__
found = view_functions.functions_of(finding.View(code.co_firstlineno, 0, code.co_filename, "view", "view"))
enabled = gc.isenabled()
gc.collect()
print(found == [view], garbage(), gc.get_freeze_count() > 0, enabled)
"""


def test_the_garbage_of_a_process_that_freezes_its_objects_is_not_frozen_with_them(tmp_path):
    (tmp_path / "server.py").write_text(PROGRAM)

    said = subprocess.run(
        [sys.executable, "server.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": INSIDE_DIRECTORY},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    ).stdout

    assert said.split() == ["True", "None", "True", "False"]
