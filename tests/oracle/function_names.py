"""Names of functions, as the cases call them."""

from __future__ import annotations

import re

from journeys.function_cases import OF_JMETER
from oracle_cases import CASES

from holdfast.journeys.functions import FUNCTIONS
from holdfast.journeys.functions_plugin import OF_PLUGIN as _OF_PLUGIN

_TEXTS = [*(text for text, _ in OF_JMETER), *(case.below for case in CASES)]
_CALLED = {name for text in _TEXTS for name in re.findall(r"__\w+", text)}

OF_ALL = sorted(_CALLED & FUNCTIONS.keys(), key=str.lower)
OF_PLUGIN = sorted(_OF_PLUGIN, key=str.lower)
OF_SOURCE = sorted(
    (name for name in FUNCTIONS if name.startswith("__") and name not in _CALLED and name not in _OF_PLUGIN),
    key=str.lower,
)
