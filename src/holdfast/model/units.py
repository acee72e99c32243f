"""Units of time. Instants and durations are whole nanoseconds everywhere; these convert them."""

from __future__ import annotations

NS_PER_S = 1_000_000_000

MS = 1_000_000
"""One millisecond in nanoseconds: `20 * MS` is a duration, `ns / MS` a number of milliseconds."""

US = 1_000
"""One microsecond in nanoseconds."""

NEVER = 0
"""In place of an instant that did not come."""
