"""Plans of other programs, run by the real command line against a server that keeps each request that it got."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "load_command"))

from counted import counting, holdfast

__all__ = ["counting", "holdfast"]
