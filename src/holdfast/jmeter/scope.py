"""What an element of a JMeter plan can refer to, and what applies to it; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from holdfast.errors import HoldfastError
from holdfast.jmeter.scripts import unreadable
from holdfast.journeys.functions import FUNCTIONS, READS, SCRIPTS, wrong_number
from holdfast.journeys.functions_conditions import LANGUAGES
from holdfast.journeys.references import template_of
from holdfast.model.answers import FunctionCall, Template, Variable
from holdfast.model.frozen import frozen
from holdfast.plans.differences import Note
from holdfast.plans.jmx_tree import Node
from holdfast.plans.variables import quoted

_Made = TypeVar("_Made")
_NUMBER = re.compile("[+-]?[0-9]+")
ReadFile = Callable[[str], bytes]


@frozen
class Refusal:
    """Something of a plan that holdfast cannot do, and without which other requests would be sent.

    Attributes:
        kind, name, line: of the element.
        file: in which it is.
        why: a clause without a full stop.
        instead: what would take its place, a sentence.
        is_missing: it names a file that cannot be read, by JMeter neither.
    """

    kind: str
    name: str
    line: int
    file: str
    why: str
    instead: str
    is_missing: bool = False


@dataclass(slots=True)
class Reading:
    """What is known of a plan, and what has been found out about it so far.

    Attributes:
        file: the plan's name, for messages.
        read_file: returns the content of a file that the plan names, or raises UsageError.
        properties: those that the person gave, by name.
        constants: variables that keep one value all the time.
        changing: the properties that something in the plan may change; "*" are all.
        seed: of what is by chance before the load begins.
        environment: environment variables.
        before_5_6: it was saved by a JMeter to which bodies without an encoding, its own and those of answers, are
            ISO 8859-1, not UTF-8.
        elsewhere: another server takes the place of those of the plan, which need not name any.
        files: contents of files that functions read, by name.
        caches, modifiers, tables: how many Cache Managers, modifiers of URLs and Random CSV Data Sets were met.
        root: the whole plan.
        nameless: the HTTP Requests that name no server.
        notes, refusals: what is told before the load begins, and what prevents it.
    """

    file: str
    read_file: ReadFile
    properties: Mapping[str, str]
    constants: dict[str, str] = field(default_factory=dict)
    changing: frozenset[str] = frozenset()
    seed: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)
    before_5_6: bool = False
    elsewhere: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    caches: int = 0
    modifiers: int = 0
    tables: int = 0
    root: Node | None = None
    nameless: list[Node] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    _templates: dict[tuple[int, str, str], Template] = field(default_factory=dict)
    _made: dict[int, Any] = field(default_factory=dict)
    _kept: list[object] = field(default_factory=list)

    def refuse(
        self, node: Node, why: str, instead: str = "Disable it, or do without it.", *, is_missing: bool = False
    ) -> None:
        """Notes that a plan cannot be run because of an element."""
        refusal = Refusal(node.kind, node.name, node.line, self.file, why, instead, is_missing)
        if refusal not in self.refusals:
            self.refusals.append(refusal)

    def tell(self, node: Node, meaning: str, *, left_out: bool = False) -> None:
        """Notes what the person has to know about an element."""
        note = Note("left out" if left_out else "differs", node.kind, node.name, meaning)
        if note not in self.notes:
            self.notes.append(note)

    def note(self, node: Node, meaning: str) -> None:
        """Notes that JMeter does, and so holdfast, what may not be meant."""
        note = Note("note", node.kind, node.name, meaning)
        if note not in self.notes:
            self.notes.append(note)

    def template(self, node: Node, text: str, role: str = "") -> Template:
        """A text of an element as a template; calls of functions are the same ones whenever it is asked for again.

        Functions that are not known, and files that are missing, are refused.

        Args:
            role: tells texts of one element apart that may be the same; their calls are not.
        """
        if "${" not in text:
            return (text,) if text else ()
        key = (id(node.properties), role, text)
        if key not in self._templates:
            self._kept.append(node.properties)
            try:
                self._templates[key] = self._folded(node, template_of(text))
            except ValueError as error:
                self.refuse(node, f"{quoted(text)} cannot be read: {error}", "Correct it in the plan.")
                self._templates[key] = (text,)
        return self._templates[key]

    def looked_at(self, node: Node, text: str) -> Template:
        """The same, only to see what is known of it: nothing is refused, and nothing kept."""
        refusals, self.refusals = self.refusals, []
        try:
            return self._folded(node, template_of(text))
        except ValueError:
            return (Variable(text, text),)
        finally:
            self.refusals = refusals

    def once(self, node: Node, make: Callable[[], _Made]) -> _Made:
        """What an element becomes: the same object wherever it applies, so that its state is one."""
        key = id(node.properties)
        if key not in self._made:
            self._kept.append(node.properties)
            self._made[key] = make()
        made: _Made = self._made[key]
        return made

    def fixed(self, node: Node, text: str) -> str | None:
        """A text that is known before the load begins, with its references replaced; None if it is not."""
        template = self.template(node, text)
        if all(isinstance(part, str) for part in template):
            return "".join(map(str, template))
        return None

    def flag(self, node: Node, name: str, *, default: bool = False) -> bool:
        """A yes-or-no property of an element; one that is not known beforehand is refused."""
        text = node.text(name)
        if not text:
            return default
        found = self.fixed(node, text)
        if found is None:
            self.refuse(node, f"its {name} is {quoted(text)}, which holdfast has to know before the load begins")
        return (found or "").strip().lower() == "true"

    def number_or_zero(self, node: Node, text: str, what: str) -> int:
        """The same where JMeter takes what is not a number as 0."""
        found = self.fixed(node, text)
        if found is None or not found.strip() or _NUMBER.fullmatch(found.strip()):
            return self.number(node, text, what)
        self.note(node, f"{what} is {found!r}, not a number, which counts as 0, as in JMeter")
        return 0

    def number(self, node: Node, text: str, what: str, default: int = 0) -> int:
        """A whole number that is known before the load begins; otherwise it is refused."""
        found = self.fixed(node, text)
        if found is None:
            why = f"{what} is {quoted(text)}, which holdfast has to know before the load begins"
            self.refuse(node, why, "Write a number, or ${__P(name,default)} and give it with -J name=value.")
            return default
        found = found.strip()
        try:
            return int(found) if found else default
        except ValueError:
            spelled = "" if found == text.strip() else f", from {quoted(text)}"
            comes = "${__P(" in text or "${__property(" in text
            instead = "Give it with -J name=value." if comes else "Correct it in the plan."
            self.refuse(node, f"{what} is {found!r}{spelled}; it must be a whole number", instead)
            return default

    def decimal(self, node: Node, text: str, what: str, default: float = 0.0) -> float:
        """A number that is known before the load begins; otherwise it is refused."""
        found = self.fixed(node, text)
        try:
            value = float(found.strip() or default) if found is not None else float("nan")
        except ValueError:
            value = float("nan")
        if abs(value) < float("inf"):
            return value
        self.refuse(
            node, f"{what} is {quoted(text if found is None else found)}; it must be a number, known beforehand"
        )
        return default

    def next_modifier(self) -> int:
        """The number of a modifier of URLs that is met for the first time."""
        self.modifiers += 1
        return self.modifiers

    def _folded(self, node: Node, template: Template) -> Template:
        out: list[str | Variable | FunctionCall] = []
        for part in template:
            folded = self._part(node, part)
            if isinstance(folded, str) and out and isinstance(out[-1], str):
                out[-1] += folded
            elif folded != "":
                out.append(folded)
        return tuple(out)

    def _part(self, node: Node, part: str | Variable | FunctionCall) -> str | Variable | FunctionCall:
        if isinstance(part, str):
            return part
        if isinstance(part, Variable):
            return self.constants.get(part.name, part)
        if part.name not in FUNCTIONS and not part.arguments and "(" not in part.written:
            return Variable(part.name, part.written)  # such as ${__jm__Thread Group__idx}
        return self._call(node, part) if self._can_call(node, part) else part

    def _call(self, node: Node, part: FunctionCall) -> str | FunctionCall:
        arguments = tuple(self._folded(node, each) for each in part.arguments)
        texts = ["".join(map(str, each)) for each in arguments if all(isinstance(piece, str) for piece in each)]
        known = len(texts) == len(arguments)
        if known and part.name == "__env" and not "".join(texts[1:2]):
            return self.environment.get(texts[0], texts[2] if len(texts) > 2 else texts[0])
        if known and self.changing.isdisjoint(("*", *texts[:1])):
            if part.name == "__P" and len(texts) in (1, 2):
                return self.properties.get(texts[0], texts[1] if len(texts) > 1 else "1")
            if part.name == "__property" and (len(texts) in (1, 3)) and not "".join(texts[1:2]):
                return self.properties.get(texts[0], texts[2] if len(texts) > 2 else texts[0])
        if part.name in READS and arguments:
            self._bring(node, part, arguments[0])
        return FunctionCall(part.name, arguments, part.written)

    def _bring(self, node: Node, call: FunctionCall, name: Template) -> None:
        """Reads the file that a function names; one whose name is not known is refused."""
        if not all(isinstance(piece, str) for piece in name):
            why = f"{call.written} reads a file whose name is not known before the load begins"
            self.refuse(node, why, "Write its name, or give it with -J name=value.")
            return
        file = "".join(map(str, name))
        if file and not file.startswith("*"):
            self.bring(node, file)

    def bring(self, node: Node, file: str) -> None:
        """Reads a file that is looked at while the load runs."""
        if file not in self.files and (content := self.content(node, file)) is not None:
            self.files[file] = content

    def content(self, node: Node, file: str) -> bytes | None:
        """The content of a file that an element names; None if it cannot be read, which is then refused."""
        try:
            return self.read_file(file)
        except HoldfastError as error:
            self.refuse(node, f"{error.what} {error.why}".rstrip("."), error.remedy, is_missing=True)
            return None

    def _can_call(self, node: Node, call: FunctionCall) -> bool:
        """Whether a function is known, and can be called so; otherwise the plan is refused."""
        if call.name in LANGUAGES:
            why = unreadable(call)
            if why:
                self.refuse(
                    node,
                    f"{call.name} is a script that holdfast does not run: {why}",
                    "Comparisons of numbers and texts can be read, such as "
                    '${__jexl3("${state}" == "done" && ${n} < 3,)}.',
                )
            return not why
        if call.name in SCRIPTS:
            self.refuse(
                node, f"{call.name} is a script, which holdfast does not run", "Use another function, or a value."
            )
            return False
        if call.name not in FUNCTIONS:
            self.refuse(node, f"it calls {call.name}, which is not a function that holdfast knows")
            return False
        if why := wrong_number(call.name, len(call.arguments)):
            self.refuse(node, f"{call.written}: {why.rstrip('.')}", "Correct it in the plan.")
            return False
        return True


@dataclass(frozen=True, slots=True)
class Scope:
    """What applies to an element.

    Attributes:
        reading: of the whole plan.
        levels: elements that are beside it or beside what it is in, nearest first; what is in it comes first of all.
        unheard: how many levels, from the outermost, have listeners that are told of a whole transaction instead.
    """

    reading: Reading
    levels: tuple[tuple[Node, ...], ...] = ()
    unheard: int = 0

    def below(self, level: tuple[Node, ...]) -> Scope:
        """What applies one level deeper, where these elements are."""
        return Scope(self.reading, (level, *self.levels), self.unheard)

    def of_transaction(self) -> Scope:
        """What applies in a transaction that is one result: its listeners are not told of what is within it.

        Source: apache/jmeter, threads/JMeterThread.java (getSampleListeners).
        """
        return Scope(self.reading, self.levels, len(self.levels) + 1)

    def listeners(self, kind: str) -> Iterator[Node]:
        """The listeners of this kind that are told of it, the nearest level first."""
        return Scope(self.reading, self.levels[: len(self.levels) - self.unheard]).nearest(kind)

    def nearest(self, *kinds: str) -> Iterator[Node]:
        """The elements of these kinds, the nearest level first, and in order within a level."""
        for level in self.levels:
            yield from (each for each in level if each.kind in kinds)

    def farthest(self, *kinds: str) -> Iterator[Node]:
        """The elements of these kinds, the farthest level first, and in order within a level."""
        for level in reversed(self.levels):
            yield from (each for each in level if each.kind in kinds)

    def template(self, node: Node, text: str, role: str = "") -> Template:
        """See `Reading.template`."""
        return self.reading.template(node, text, role)
