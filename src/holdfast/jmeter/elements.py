"""Elements of JMeter plans that are neither controllers nor part of a request: told, refused, or passed over; pure.

What is not known by name is refused: holdfast cannot tell whether requests depend on it.
"""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.jmeter.scope import Reading
from holdfast.jmeter.scripts import changes_nothing
from holdfast.plans.jmx_tree import Node

# They change neither the requests nor how answers are judged, or what they do is said elsewhere.
_NOTHING = frozenset(
    {
        "BoltConnectionElement",
        "DebugPostProcessor",
        "HBaseConnection",
        "HttpMirrorControl",
        "JDBCDataSource",
        "JavaConfig",
        "LoginConfig",
        "MongoSourceElement",
        "ProxyControl",
        "ResultAction",
        "SampleTimeout",
        "Summariser",
        "TestFragmentController",
        "WorkBench",
    }
)

_TOLD: Mapping[str, str] = {
    "BackendListener": "it gets no results to forward",
    "CorrectedResultCollector": "it gets no results",
    "MailerResultCollector": "it sends no mail",
    "MailerModel": "it sends no mail",
    "PerfMonCollector": "it gets no results, and measures nothing",
    "DbMonCollector": "it gets no results, and measures nothing",
    "JMXMonCollector": "it gets no results, and measures nothing",
    "ResultSaver": "it saves no answers",
    "LoadosophiaUploader": "it uploads nothing",
    "BlazeMeterUploader": "it uploads nothing",
    "AutoStop": "it does not end the load",
    "ConsoleStatusLogger": "it prints nothing",
    "PageDataExtractor": "it gets no results",
    "FlexibleFileWriter": "it writes no file; --csv FILE writes a row for each request",
    "AggregateReport": "it gets no results",
}

_LISTENERS = ("Collector", "Visualizer", "Listener", "Reporter", "Writer", "Uploader", "ResultsGui")
SCRIPTS = ("JSR223", "BeanShell", "BSF", "Jexl")

_SCRIPT_REMEDY = (
    "What it does has to be said without a script: values by extractors, functions and User Parameters, conditions by "
    "an If Controller, checks by a Response Assertion."
)

_FIFO = (
    "threads would not hand values to each other",
    "Let one thread do both: an extractor sets a variable, and its later requests use it.",
)

_REFUSED: Mapping[str, tuple[str, str]] = {
    "FifoPutPostProcessor": _FIFO,
    "FifoPopPreProcessor": _FIFO,
    "XMLSchemaAssertion": (
        "answers that it would reject would count as good",
        "Use an XPath Assertion for what has to be there, or disable it.",
    ),
    "OSProcessSampler": ("it runs a program of its own", "Run it beside holdfast, and disable it."),
    "SystemSampler": ("it runs a program of its own", "Run it beside holdfast, and disable it."),
    "ParallelSampler": (
        "its requests would not be sent at the same time",
        "Put them into one Transaction Controller, one after the other, or into Thread Groups of their own.",
    ),
    "VariablesFromCSV": ("it sets variables", "Use User Defined Variables, or a CSV Data Set."),
    "VariablesFromCSVFile": ("it sets variables", "Use User Defined Variables, or a CSV Data Set."),
    "RedisDataSet": ("it takes values from a Redis server", "Write them to a file, for a CSV Data Set."),
    "AccessLogSampler": ("it sends what is in a log", "Turn the log into a CSV Data Set and one HTTP Request."),
}

_BY_END: tuple[tuple[str, str, str], ...] = (
    ("Sampler", "holdfast sends HTTP requests only", "Disable it, or load that service with another tool."),
    ("Request", "holdfast sends HTTP requests only", "Disable it, or load that service with another tool."),
    ("Controller", "its requests would be sent otherwise", "Use one of JMeter's own controllers."),
    ("ThreadGroup", "its requests would not be sent", "Use one of JMeter's own Thread Groups."),
    ("Timer", "requests would not wait for it", "Use one of JMeter's own timers."),
    ("Assertion", "answers that it would reject would count as good", "Use a Response Assertion, or disable it."),
    ("PreProcessor", "it would not run before requests", "Disable it, or do without what it sets."),
    ("PostProcessor", "it would read nothing from answers", "Use a Regular Expression or JSON Extractor."),
    ("Extractor", "it would read nothing from answers", "Use a Regular Expression or JSON Extractor."),
)


def look_at(node: Node, reading: Reading) -> None:
    """Tells what the person has to know of an element, or refuses it."""
    kind = node.kind
    gui = node.properties.text("TestElement.gui_class")
    if kind in _NOTHING or gui.endswith("ObsoleteGui"):
        return
    if kind.startswith(SCRIPTS) and (why := changes_nothing(node)):
        reading.note(node, f"{why}, so it is left out")
    elif kind.startswith(SCRIPTS):
        reading.refuse(node, "it is a script, which holdfast does not run", _SCRIPT_REMEDY)
    elif kind == "ResultCollector" or kind in _TOLD or kind.endswith(_LISTENERS):
        _tell_of_listener(node, reading)
    elif kind in _REFUSED:
        reading.refuse(node, *_REFUSED[kind])
    else:
        for end, why, instead in _BY_END:
            if kind.endswith(end):
                reading.refuse(node, why, instead)
                return
        reading.refuse(node, "holdfast does not know this element, and whether requests depend on it")


def _tell_of_listener(node: Node, reading: Reading) -> None:
    file = node.text("filename")
    if node.kind in _TOLD:
        reading.tell(node, _TOLD[node.kind], left_out=True)
    elif file:
        reading.tell(node, f"{file} is not written; use --csv FILE for a row per request", left_out=True)
    elif node.kind != "ResultCollector":
        reading.tell(node, "it gets no results", left_out=True)
