"""A small plan about one element."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import jmx_elements as e
from plans.writing import group, text


@dataclass
class Case:
    """One plan.

    Attributes:
        element: what it is about, as the table in the documentation names it.
        below: of its thread group, or with `whole` of the plan.
        ordered: requests come in one order; otherwise threads mix them.
        differs: where the two do not agree, and why; then only the number of requests is compared.
        lasts: the time from the first request to the last is compared too.
        saved_by: the version of JMeter that the plan names.
        results: labels and successes are compared.
    """

    name: str
    element: str
    below: str
    threads: str = "1"
    loops: str = "1"
    whole: bool = False
    ordered: bool = True
    differs: str = ""
    lasts: bool = False
    results: bool = True
    saved_by: str = "5.6.3"
    files: Mapping[str, bytes] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def plan_below(self) -> str:
        """What is below the plan."""
        if self.whole:
            return self.below
        return group(
            self.below, text("ThreadGroup.on_sample_error", "continue"), threads=self.threads, loops=self.loops
        )


def seen(*names: str, path: str = "/seen") -> str:
    """A request that shows what variables have become."""
    items = [e.argument(f"v{number}", f"${{{name}}}", encode=True) for number, name in enumerate(names)]
    return e.request(path, e.arguments(*items), name="seen")
