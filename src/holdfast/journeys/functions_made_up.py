"""What some of JMeter's own samplers make up in place of an answer; pure.

No plan can call these: their names do not begin with `__`.
Source: apache/jmeter 5.5, sampler/DebugSampler.java, jorphan/util/AlphaNumericKeyComparator.java (numbers in names are
compared as such), protocol/java/test/SleepTest.java and JavaTest.java.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from holdfast.journeys.context import Context
from holdfast.journeys.known import Known

VARIABLES, PAUSE = "jmeter variables", "jmeter pause"

_WHOLE_NUMBER = re.compile(r"([+-]?)(0[xX]|#|0(?=[0-9]))?([0-9a-fA-F]+)")


def decoded_number(text: str, otherwise: int) -> int:
    """A number as java.lang.Long.decode reads it: decimal, `0x` or `#` hexadecimal, `0` octal."""
    found = _WHOLE_NUMBER.fullmatch(text.strip())
    if found is None:
        return otherwise
    radix = {"": 10, "0": 8}.get(found[2] or "", 16)
    try:
        number = int(found[3], radix)
    except ValueError:
        return otherwise
    return -number if found[1] == "-" else number


def _variables(_arguments: list[str], context: Context) -> str:
    lines = [f"{name}={context.variables[name]}\n" for name in sorted(context.variables, key=_natural)]
    return "JMeterVariables:\n" + "".join(lines) + "\n"


def _natural(name: str) -> list[tuple[bool, int, str]]:
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return [(not each.isdigit(), int(each) if each.isdigit() else 0, each) for each in parts]


def _pause(arguments: list[str], context: Context) -> str:
    """The pause in ms: a time, and something between 0 and a mask, both with what counts if they are no numbers."""
    time, time_otherwise, mask, mask_otherwise = arguments
    pause = decoded_number(time, int(time_otherwise))
    most = decoded_number(mask, int(mask_otherwise))
    return str(pause + context.now_ms % most if pause > 0 and most > 0 else pause)


OF_MADE_UP: Mapping[str, Known] = {VARIABLES: Known(0, 0, _variables), PAUSE: Known(4, 4, _pause)}
