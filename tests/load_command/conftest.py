"""The real command line against a server that counts for itself what it got."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

from counted import counting, holdfast

__all__ = ["counting", "holdfast"]
