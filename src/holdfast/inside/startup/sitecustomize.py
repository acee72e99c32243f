"""Runs at the start of every Python process of a person's own command and lets holdfast into it.

`site` imports the first `sitecustomize` on the path, and PYTHONPATH, which child processes inherit, puts this
one there. It steps aside at once: our directories leave `sys.path`, and the environment's own
`sitecustomize`, if there is one, runs as if this were not here. Whatever goes wrong in ours stays without
effect on the process. A command may run any Python, so this one file is written for all of them.
"""  # noqa: INP001 - a directory for PYTHONPATH, no package

# ruff: noqa: ANN202 - Python 2 knows no annotations

import os
import sys

_OLDEST = (3, 8)


def _let_in():  # type: () -> None
    if sys.version_info < _OLDEST or not os.environ.get("HOLDFAST_RECORD"):
        return
    try:
        from holdfast_inside import on_import, startup_report  # type: ignore[import-not-found]
    except Exception:
        return
    try:
        startup_report.say("python", ".".join(map(str, sys.version_info[:3])))
        on_import.watch()
    except Exception as error:
        startup_report.failed("startup", error)


def _step_aside():  # type: () -> None
    here = os.path.dirname(__file__)
    ours = (here, os.path.dirname(here))
    sys.path[:] = [each for each in sys.path if each not in ours]
    myself = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # type: ignore[import-not-found]  # noqa: F401 - the next one on the path
    except ImportError as error:
        # Its own errors are for site to report, as always. In Python 2 they have no name.
        if getattr(error, "name", str(error).rpartition(" ")[2]) != "sitecustomize":
            raise
        sys.modules["sitecustomize"] = myself


_let_in()
_step_aside()
