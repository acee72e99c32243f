"""The functions that a plan may call, `${__name(argument,...)}`, by their names; pure.

Each is given its arguments as texts, with their references replaced, and the client's `Context`, and returns a text.
Some of them keep a value in a variable, whose name is one of their arguments.
Source: apache/jmeter 5.5, src/functions; of the plug-in "Custom JMeter Functions": undera/jmeter-plugins,
plugins/functions.
"""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.journeys.functions_chance import OF_CHANCE
from holdfast.journeys.functions_files import OF_FILES, OF_SENT_FILES
from holdfast.journeys.functions_made_up import OF_MADE_UP
from holdfast.journeys.functions_own import OF_OUR_OWN
from holdfast.journeys.functions_plugin import OF_PLUGIN
from holdfast.journeys.functions_regex import OF_REGEX
from holdfast.journeys.functions_request import OF_REQUEST
from holdfast.journeys.functions_rewriting import OF_REWRITING
from holdfast.journeys.functions_text import OF_TEXT
from holdfast.journeys.functions_time import OF_TIME
from holdfast.journeys.functions_values import OF_VALUES
from holdfast.journeys.known import Known

FUNCTIONS: Mapping[str, Known] = {
    **OF_VALUES,
    **OF_TEXT,
    **OF_TIME,
    **OF_CHANCE,
    **OF_FILES,
    **OF_SENT_FILES,
    **OF_REGEX,
    **OF_PLUGIN,
    **OF_REQUEST,
    **OF_REWRITING,
    **OF_MADE_UP,
    **OF_OUR_OWN,
}

SCRIPTS = frozenset({"__groovy", "__javaScript", "__jexl2", "__jexl3", "__BeanShell"})
"""Functions that are a program of the plan's author: none of ours."""

READS = OF_FILES.keys()
"""Functions whose first argument is a file, which has to be among the context's `files`."""


def wrong_number(name: str, given: int) -> str:
    """Why a function cannot be called with so many arguments, in a sentence; "" if it can.

    In JMeter the references of the whole element then stay as they are written, from this one on.
    """
    known = FUNCTIONS[name]
    if known.least <= given and (known.most is None or given <= known.most):
        return ""
    return f"{name} has {given} argument{'' if given == 1 else 's'}; it takes {known.takes}."
