"""What it means for a run that holdfast does not have an element of JMeter's; pure."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.plans.differences import Note
from holdfast.plans.jmx_tree import Node

# What changes neither the requests nor what is made of the answers; other programs' elements of the same kind, too.
_COSMETIC = frozenset(
    {
        "DebugPostProcessor",
        "HttpMirrorControl",
        "ProxyControl",
        "Summariser",
        "TestFragmentController",
        "WorkBench",
    }
)

_MEANING = {
    "AuthManager": "requests go out without its user names and passwords",
    "BackendListener": "results are not sent on",
    "CacheManager": "every request is sent in full, as by a client without a cache",
    "CookieManager": "cookies that a server sets are not sent back",
    "DNSCacheManager": "host names are looked up once, before the load begins",
    "DebugSampler": "it sends nothing",
    "KeystoreConfig": "no client certificate is shown",
    "LoginConfig": "requests go out without its user name and password",
    "PostThreadGroup": "what it does after the load is not done",
    "ResultAction": "a failed request is treated as its thread group says",
    "SetupThreadGroup": "what it does before the load is not done",
    "SyncTimer": "requests are not held back until several can be sent at once",
    "TestAction": "it does not stop, end or skip anything",
}

# By the ends of names: what JMeter's own and other programs' elements are called.
_BY_END = (
    ("ThreadGroup", "its requests are not sent"),
    ("Timer", "requests come without its wait"),
    ("Assertion", "answers that it would reject count as good"),
    ("PreProcessor", "what it does before a request is not done"),
    ("PostProcessor", "what it reads from an answer is not read"),
    ("Extractor", "what it reads from an answer is not read"),
    ("Listener", "it gets no results"),
    ("Visualizer", "it gets no results"),
    ("Collector", "it gets no results"),
    ("Sampler", "it is not carried out"),
    ("Controller", "its requests are not sent"),
    ("Control", "its requests are not sent"),
)

_SETS_VARIABLES = frozenset(
    {"refname", "referencename", "referencenames", "variablename", "returnval", "resultvariable", "var"}
)
_SCRIPTS = ("JSR223", "BeanShell", "BSF", "Jexl", "OS")


def note_on(node: Node) -> Note | None:
    """What is to be told of an element that holdfast does not have; None where that makes no difference."""
    cookies = [each.name for each in node.properties.elements("CookieManager.cookies")]
    if node.kind in _COSMETIC or node.properties.text("TestElement.gui_class").endswith("ObsoleteGui"):
        return None
    if node.kind == "ResultCollector":
        file = node.text("filename")
        meaning = f"{file} is not written; --csv FILE writes the rows of all requests"
        return Note("left out", node.kind, node.name, meaning) if file else None
    if cookies:
        meaning = f"its own cookies ({', '.join(cookies)}) are not sent, and none that a server sets is sent back"
        return Note("left out", node.kind, node.name, meaning)
    meaning = _MEANING.get(node.kind) or next(
        (words for end, words in _BY_END if node.kind.endswith(end)), "holdfast does not have it"
    )
    return Note("left out", node.kind, node.name, meaning)


def is_sampler(node: Node) -> bool:
    """Whether an element takes a turn of its own among requests, as far as its name says so."""
    return node.kind.endswith("Sampler") or node.kind in ("TestAction", "AccessLogSampler")


def set_by(node: Node) -> Iterator[str]:
    """Names of the variables that an element would set which holdfast does not have."""
    for name, value in node.properties.values.items():
        if name.rpartition(".")[2].lower() in _SETS_VARIABLES and isinstance(value, str):
            yield from (each.strip() for each in value.replace(",", ";").split(";") if each.strip())
    for each in node.properties.items("UserParameters.names"):
        if isinstance(each, str):
            yield each


def sets_anything(node: Node) -> bool:
    """Whether an element is a script, which may set variables of any name."""
    return node.kind.startswith(_SCRIPTS)
