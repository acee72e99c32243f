"""A Python that was built to do without the GIL, where one is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

_NAMES = ("python3.14t", "python3.15t", "python3.16t")
_DOES_WITHOUT = "import sys; sys.exit(sys.version_info < (3, 14) or sys._is_gil_enabled())"


@cache
def _found() -> str | None:
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    installed = [str(each) for name in _NAMES for each in sorted(root.glob(f"*/bin/{name}"))]
    for candidate in (sys.executable, *filter(None, map(shutil.which, _NAMES)), *installed):
        said = subprocess.run([candidate, "-c", _DOES_WITHOUT], capture_output=True, check=False)
        if said.returncode == 0 and not said.stderr:
            return candidate
    return None


def free_threaded() -> str:
    """Its path; skips the test where there is none.

    3.14 is the first version whose free-threaded build is supported (PEP 779).
    """
    found = _found()
    if found is None:
        pytest.skip(f"no free-threaded Python here: neither {', '.join(_NAMES)} on PATH or in pyenv's directory")
    return found
