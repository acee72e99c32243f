"""Numbers in texts, read and written as JMeter does; pure."""

from __future__ import annotations

import re

# The patterns of java.text.DecimalFormat that pad with zeros, with plain text around them.
PATTERN = re.compile(r"((?:'[^']*'|[^0#.,;%'‰¤])*)(#*)(0*)((?:'[^']*'|[^0#.,;%'‰¤E])*)")


def integer(text: str, otherwise: int = 0) -> int:
    """A whole number; `otherwise` if the text is none."""
    try:
        return int(text.strip())
    except ValueError:
        return otherwise


def decimal(text: str, otherwise: float = 0.0) -> float:
    """A finite number; `otherwise` if the text is none."""
    try:
        found = float(text.strip())
    except ValueError:
        return otherwise
    return found if abs(found) < float("inf") else otherwise


def patterned(number: int, pattern: str) -> str:
    """A number in a pattern such as `user_000`; "" and what is not such a pattern write it plainly.

    Source: java.text.DecimalFormat; JMeter writes a number plainly where the format is not valid.
    """
    found = PATTERN.fullmatch(pattern)
    if not pattern or found is None:
        return str(number)
    digits = str(abs(number)).zfill(len(found[3]))
    before, after = (re.sub("'([^']*)'", lambda quoted: quoted[1] or "'", each) for each in (found[1], found[4]))
    return f"{'-' if number < 0 else ''}{before}{digits}{after}"
