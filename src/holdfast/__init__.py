"""Finds out by experiment how many requests a Python web server really processes at once.

```python
import holdfast

verdict = holdfast.probe("app:app", server="gunicorn", args=["--threads", "8"])
assert verdict.ceiling.in_service == 8
```

Importing this imports nothing else: each name brings what it needs when it is first used.
"""

from __future__ import annotations

import sys

__version__ = "0.1.0"
__distribution__ = "holdfast-probe"
"""The name on the package registry, where `holdfast` is another project's package."""

TYPE_CHECKING = False  # as type checkers know it; `typing` takes longer to import than all of this
if TYPE_CHECKING:
    from holdfast.api.calls import attach as attach
    from holdfast.api.calls import capacity as capacity
    from holdfast.api.calls import explain as explain
    from holdfast.api.calls import load as load
    from holdfast.api.calls import probe as probe
    from holdfast.api.calls import to_json as to_json
    from holdfast.api.calls import to_text as to_text
    from holdfast.errors import EnvironmentFailure as EnvironmentFailure
    from holdfast.errors import HoldfastError as HoldfastError
    from holdfast.errors import InconclusiveError as InconclusiveError
    from holdfast.errors import InternalError as InternalError
    from holdfast.errors import NotInstalledError as NotInstalledError
    from holdfast.errors import UsageError as UsageError
    from holdfast.model.capacity import Capacity as Capacity
    from holdfast.model.explanation import Explanation as Explanation
    from holdfast.model.load import LoadResult as LoadResult
    from holdfast.model.verdict import Verdict as Verdict

_CALLS = "holdfast.api.calls"
_HOMES = {
    **dict.fromkeys(("probe", "attach", "explain", "capacity", "load", "to_json", "to_text"), _CALLS),
    **dict.fromkeys(
        (
            "HoldfastError",
            "UsageError",
            "InconclusiveError",
            "EnvironmentFailure",
            "NotInstalledError",
            "InternalError",
        ),
        "holdfast.errors",
    ),
    "Capacity": "holdfast.model.capacity",
    "Explanation": "holdfast.model.explanation",
    "LoadResult": "holdfast.model.load",
    "Verdict": "holdfast.model.verdict",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        __import__(_HOMES[name])
        return getattr(sys.modules[_HOMES[name]], name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
