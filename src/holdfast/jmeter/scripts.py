"""Which scripts of a plan can be read as conditions, and which change nothing; pure."""

from __future__ import annotations

import re

from holdfast.jmeter.script_statements import only_reads
from holdfast.journeys.condition_literals import NotDefinedError
from holdfast.journeys.condition_tokens import tokens_of
from holdfast.journeys.conditions import chooses, value_of
from holdfast.journeys.functions_conditions import LANGUAGES
from holdfast.model.answers import FunctionCall, Template
from holdfast.plans.jmx_tree import Node

# References are replaced by texts before a script is read; in its place, a number, a name and a word.
_STAND_INS = ("1", "x1", "true")


def unreadable(call: FunctionCall) -> str:
    """Why a script in a function's argument cannot be read as a condition; "" if it can."""
    if not call.arguments:
        return "it has no argument"
    # Of sums, only those of JEXL are reckoned: what others make of numbers in texts differs from one to the next.
    why = unreadable_text(call.arguments[0], LANGUAGES[call.name], only_conditions=call.name != "__jexl3")
    if not why and call.name == "__jexl2" and _adds(call.arguments[0]):
        return "it adds, and to JEXL 2 texts that are numbers are numbers. Write __jexl3"
    return why


def _adds(template: Template) -> bool:
    text = "".join(part if isinstance(part, str) else _STAND_INS[0] for part in template)
    return any((token.kind, token.text) == ("mark", "+") for token in tokens_of(text, "jexl"))


def unreadable_text(template: Template, language: str, *, only_conditions: bool = True) -> str:
    """The same for a text.

    Args:
        only_conditions: what does not come to true or false counts as not readable.
    """
    why = ""
    ends = []
    for stand_in in _STAND_INS:
        text = "".join(part if isinstance(part, str) else stand_in for part in template)
        try:
            found = value_of(text, language)
        except ValueError as error:
            why = str(error)
            ends.append(isinstance(error, NotDefinedError))
            continue
        if not only_conditions or isinstance(found, bool) or _chooses(template, text):
            return ""
        why = "it is not a condition"
    # In JavaScript such a name ends the script, unless what comes before a "||" holds already. What is behind it has
    # not been read.
    if all(ends) and len(ends) == len(_STAND_INS) and language in ("javascript", "script") and "||" not in text:
        return ""
    written = "".join(part if isinstance(part, str) else part.written for part in template)
    shown = " ".join(written.split())[:80]
    return f"{shown!r}: {why}"


def _chooses(template: Template, text: str) -> bool:
    """Whether it is a choice between what is written in the script itself."""
    last = template[-1]
    return isinstance(last, str) and "?" in last and chooses(text)


_QUERIES = ("script", "BeanShellSampler.query", "BeanShellAssertion.query", "BSFSampler.query")
_FILES = ("filename", "BeanShellSampler.filename", "BeanShellAssertion.filename", "BSFSampler.filename")
# JMeter counts an empty one as an error of the sample (JSR223TestElement.processFileOrScript); in others it logs that.
_JUDGED = ("Sampler", "Assertion")
_MOST_CHARACTERS = 20_000
_TEXT = r"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
_COMMENT = re.compile(rf"({_TEXT})|//[^\n]*|/\*.*?\*/|\s+", re.DOTALL)
# Without blanks. None of these can fail.
_VALUE = rf"(?:{_TEXT}|\d+|(?:vars|props)\.get\({_TEXT}\)|Thread\.currentThread\(\)\.getName\(\))"
_LOG = r"(?:log\.(?:trace|debug|info|warn|error)|(?:OUT|System\.out)\.print(?:ln)?)"
_GROOVY_ONLY_LOGS = re.compile(
    rf"(?:(?:{_LOG}|print(?:ln)?)(?:\({_VALUE}(?:\+{_VALUE})*\)|{_VALUE}(?:\+{_VALUE})*);*)*"
)
_LOGS_AND_CANNOT_FAIL = re.compile(rf"(?:{_LOG}\({_VALUE}(?:\+{_VALUE})*\);*)*")


def changes_nothing(node: Node) -> str:
    """Why a script element changes neither requests nor how answers are judged: "" if it may.

    What it says is compared with a few words; it is never run.
    """
    texts = [node.text(name) for name in _QUERIES]
    written = "".join(texts)
    if any(node.text(name).strip() for name in _FILES) or len(written) > _MOST_CHARACTERS:
        return ""
    is_judged = node.kind.endswith(_JUDGED)
    if not written.strip():
        return "" if is_judged and not node.kind.startswith("BeanShell") else "its script is empty"
    # JMeter calls functions before the script runs, and they may count, or set properties.
    if "${__" in written + node.text("parameters") or (is_judged and "$" in written):
        return ""
    bare = _COMMENT.sub(lambda found: found[1] or "", written)
    if not bare:
        return "its script is a comment"
    # Groovy does without brackets.
    groovy = node.kind.startswith("JSR223") and node.text("scriptLanguage", "groovy").lower() in ("", "groovy")
    # It may not fail where that counts, nor have a value where that is a time.
    if (is_judged or node.kind.endswith("Timer")) and not (
        _LOGS_AND_CANNOT_FAIL.fullmatch(bare) or (groovy and _GROOVY_ONLY_LOGS.fullmatch(bare))
    ):
        return ""
    return "its script only writes to a log" if only_reads(written, groovy=groovy) else ""
