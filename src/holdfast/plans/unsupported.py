"""What it means for a run that holdfast does not support an element of JMeter; pure."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.plans.differences import Note
from holdfast.plans.jmx_tree import Node

# Elements that change neither the requests nor how answers are judged.
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
    "BackendListener": "it gets no results to forward",
    "CacheManager": "every request is sent in full, as by a client without a cache",
    "CookieManager": "cookies that a server sets are not sent back",
    "DNSCacheManager": "host names are looked up once, before the load begins",
    "DebugSampler": "it sends nothing",
    "KeystoreConfig": "no client certificate is presented",
    "LoginConfig": "requests go out without its user name and password",
    "PostThreadGroup": "its requests after the load are not sent",
    "ResultAction": "a failed request is handled as its thread group says",
    "SetupThreadGroup": "its requests before the load are not sent",
    "SyncTimer": "requests do not wait for each other to be sent at once",
    "TestAction": "it does not stop, end or skip anything",
}

# By the ends of class names, which JMeter's own elements and those of plug-ins share.
_BY_END = (
    ("ThreadGroup", "its requests are not sent"),
    ("Timer", "requests do not wait for it"),
    ("Assertion", "answers that it would reject count as good"),
    ("PreProcessor", "it does not run before requests"),
    ("PostProcessor", "it reads nothing from answers"),
    ("Extractor", "it reads nothing from answers"),
    ("Listener", "it gets no results"),
    ("Visualizer", "it gets no results"),
    ("Collector", "it gets no results"),
    ("Sampler", "it does not run"),
    ("Controller", "its requests are not sent"),
    ("Control", "its requests are not sent"),
)

_SETS_VARIABLES = frozenset(
    {"refname", "referencename", "referencenames", "variablename", "returnval", "resultvariable", "var"}
)
_SCRIPTS = ("JSR223", "BeanShell", "BSF", "Jexl", "OS")


def note_on(node: Node) -> Note | None:
    """What the user must know about an unsupported element; None if leaving it out makes no difference."""
    cookies = [each.name for each in node.properties.elements("CookieManager.cookies")]
    if node.kind in _COSMETIC or node.properties.text("TestElement.gui_class").endswith("ObsoleteGui"):
        return None
    if node.kind == "ResultCollector":
        file = node.text("filename")
        meaning = f"{file} is not written; use --csv FILE for a row per request"
        return Note("left out", node.kind, node.name, meaning) if file else None
    if cookies:
        meaning = f"its own cookies ({', '.join(cookies)}) are not sent, nor are those that a server sets"
        return Note("left out", node.kind, node.name, meaning)
    meaning = _MEANING.get(node.kind) or next(
        (words for end, words in _BY_END if node.kind.endswith(end)), "holdfast does not support it"
    )
    return Note("left out", node.kind, node.name, meaning)


def is_sampler(node: Node) -> bool:
    """Whether an element is a sampler, judged by its name."""
    return node.kind.endswith("Sampler") or node.kind in ("TestAction", "AccessLogSampler")


def variables_set_by(node: Node) -> Iterator[str]:
    """The variables that an unsupported element would set, as far as its properties name them."""
    for name, value in node.properties.values.items():
        if name.rpartition(".")[2].lower() in _SETS_VARIABLES and isinstance(value, str):
            yield from (each.strip() for each in value.replace(",", ";").split(";") if each.strip())
    for each in node.properties.items("UserParameters.names"):
        if isinstance(each, str):
            yield each


def may_set_any_variable(node: Node) -> bool:
    """Whether an element is a script, which may set variables of any name."""
    return node.kind.startswith(_SCRIPTS)
