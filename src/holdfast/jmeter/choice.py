"""Whether a plan can be sent as it is fixed beforehand, exactly as JMeter would send it; pure.

Only what is listed here is. Everything else is decided while it is under way (`reading`), which costs more for each
request and needs one process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from holdfast.jmeter.merged import APACHE
from holdfast.jmeter.variables import all_nodes, texts_of
from holdfast.journeys.references import template_of
from holdfast.model.answers import FunctionCall, Template
from holdfast.plans.differences import Note
from holdfast.plans.jmx_tree import Node, is_before_5_6

_KINDS = frozenset(
    {
        "Arguments",
        "ConfigTestElement",
        "ConstantTimer",
        "CounterConfig",
        "CSVDataSet",
        "DebugPostProcessor",
        "GenericController",
        "HTTPSamplerProxy",
        "HeaderManager",
        "LoopController",
        "OpenModelThreadGroup",
        "RecordingController",
        "ResponseAssertion",
        "ResultCollector",
        "Summariser",
        "TestAction",
        "TestFragmentController",
        "TestPlan",
        "ThreadGroup",
        "UniformRandomTimer",
        "WorkBench",
    }
)
_PAUSE = "1"
# With how many arguments they have the same value for all requests of an iteration; others keep variables, or count.
_FUNCTIONS = {
    "__P": (1, 2),
    "__property": (1,),
    "__threadNum": (0,),
    "__threadGroupName": (0,),
    "__samplerName": (0,),
    "__Random": (2,),
}
# What is left out of such a plan without any consequence for its requests.
# A plan that is fixed beforehand is written out whole; more takes seconds to read, and hundreds of MB.
_MOST_WRITTEN_OUT = 5_000
_LISTENERS = frozenset({"ResultCollector", "Summariser"})


def is_fixed(root: Node, notes: Iterable[Note]) -> bool:
    """Whether requests that are fixed beforehand are the same as JMeter's.

    Args:
        root: the plan.
        notes: what reading it so leaves out or does differently.
    """
    if any(note.kind not in _LISTENERS for note in notes if not _is_told_anyhow(note)):
        return False
    return may_be_fixed(root)


def may_be_fixed(root: Node) -> bool:
    """Whether its elements allow that; what they are told apart by is cheaper than reading the plan."""
    if is_before_5_6(root) and any(map(_is_in_latin_1, all_nodes(root))):
        return False
    if any(map(_takes_for_nothing, root.enabled)):
        return False
    return all(_is_node_fixed(node) for node in all_nodes(root)) and _written_out(root) <= _MOST_WRITTEN_OUT


def _takes_for_nothing(node: Node) -> bool:
    """Whether a group sends nothing; each of its threads takes a row or a number even so."""
    return node.kind.endswith("ThreadGroup") and not any(each.kind == "HTTPSamplerProxy" for each in node.descendants())


def _is_in_latin_1(node: Node) -> bool:
    """Whether a body may have characters that an older JMeter encodes otherwise, or is asked for such."""
    if node.kind == "ResponseAssertion":
        asked = node.properties.items("Asserion.test_strings")
        return any(isinstance(each, str) and not each.isascii() for each in asked)
    if node.kind != "HTTPSamplerProxy" or node.text("HTTPSampler.contentEncoding").strip():
        return False
    arguments = node.properties.inner("HTTPsampler.Arguments").elements("Arguments.arguments")
    texts = [each.text("Argument.value") for each in arguments if not each.text("Argument.name")]
    return any("${" in each or not each.isascii() for each in texts)


def _written_out(node: Node) -> int:
    """How many elements there are below a node once its loops are written out."""
    return sum(1 + _passes(each) * _written_out(each) for each in node.enabled)


def _passes(node: Node) -> int:
    loops = node.text("LoopController.loops").strip() if node.kind == "LoopController" else ""
    return int(loops) if loops.isascii() and loops.isdigit() else 1


def _is_told_anyhow(note: Note) -> bool:
    """Whether it is done no better while it is under way."""
    return note.kind == "OpenModelThreadGroup" and note.what == "differs"


def _is_node_fixed(node: Node) -> bool:
    # Java's own client adds a field.
    implementation = node.text("HTTPSampler.implementation")
    if node.kind not in _KINDS or (implementation and implementation not in APACHE) or _says_host(node):
        return False
    if node.kind == "TestAction" and node.text("ActionProcessor.action") != _PAUSE:
        return False
    if node.kind == "HTTPSamplerProxy" and "${" in node.name:
        return False  # its label may change from one request to the next
    if node.kind == "LoopController" and node.text("LoopController.continue_forever").strip().lower() == "false":
        return False
    if node.kind == "ResponseAssertion" and node.text("Assertion.scope") not in ("", "parent"):
        return False
    # Older versions say in words which threads share a file.
    share = node.text("shareMode", "shareMode.all")
    return share.startswith("shareMode.") and all(_is_text_fixed(text) for text in texts_of(node.properties))


def _says_host(node: Node) -> bool:
    """Whether a Header Manager has the field to which JMeter adds the port of the request's URL."""
    headers = node.properties.elements("HeaderManager.headers")
    return any((each.text("Header.name") or each.name).strip().lower() == "host" for each in headers)


def _is_text_fixed(text: str) -> bool:
    if "${" not in text:
        return True
    try:
        return all(_can_be_fixed(call) for call in _calls(template_of(text)))
    except ValueError:
        return False


def _can_be_fixed(call: FunctionCall) -> bool:
    return len(call.arguments) in _FUNCTIONS.get(call.name, ())


def _calls(template: Template) -> Iterator[FunctionCall]:
    for part in template:
        if isinstance(part, FunctionCall):
            yield part
            for argument in part.arguments:
                yield from _calls(argument)
