"""Runs at the start of every Python process of the user's own command and lets holdfast into it.

`site` imports the first `sitecustomize` on the path, and PYTHONPATH, which child processes inherit, puts this one
there. It steps aside at once: our directories leave `sys.path`, and the environment's own `sitecustomize`, if there
is one, runs as if this one did not exist. An error in here has no effect on the process. A command may run any
version of Python, so this file is written for all of them.
"""  # noqa: INP001 - a directory for PYTHONPATH, not a package

# ruff: noqa: ANN202 - Python 2 has no annotations

import os
import sys

_OLDEST = (3, 8)


def _let_in():  # type: () -> None
    if sys.version_info < _OLDEST or not os.environ.get("HOLDFAST_RECORD"):
        return
    try:
        from holdfast_inside import (  # type: ignore[import-not-found]
            first_on_path,
            on_import,
            startup_report,
        )
    except Exception:
        return
    try:
        startup_report.report("python", ".".join(map(str, sys.version_info[:3])))
        on_import.watch()
        first_on_path.keep(os.path.dirname(__file__))
    except Exception as error:
        startup_report.report_failure("startup", error)


def _step_aside():  # type: () -> None
    here = os.path.dirname(__file__)
    ours = (here, os.path.dirname(here))
    sys.path[:] = [each for each in sys.path if each not in ours]
    myself = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # type: ignore[import-not-found]  # noqa: F401 - the next one on the path
    except ImportError as error:
        # site reports the other one's own errors, as usual. In Python 2 an ImportError has no name.
        if getattr(error, "name", str(error).rpartition(" ")[2]) != "sitecustomize":
            raise
        sys.modules["sitecustomize"] = myself


_let_in()
_step_aside()
