"""An HTTP Request of JMeter with its defaults filled in; pure.

Source: apache/jmeter 5.5, testelement/AbstractTestElement.java (mergeIn), config/gui/HttpDefaultsGui.java.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from holdfast.jmeter.modifiers import Argument, modified_arguments
from holdfast.jmeter.scope import Scope
from holdfast.journeys.functions_request import KEEP, KEPT
from holdfast.model.answers import FunctionCall, Template
from holdfast.model.frozen import frozen
from holdfast.plans.jmx_tree import Node, Properties

_DEFAULTS = "HttpDefaultsGui"
_JAVA = frozenset({"Java", "HTTPSampler"})
APACHE = frozenset({"HttpClient4", "HttpClient3.1"})
"""Names of Apache's client, which is the usual one, in `HTTPSampler.implementation`.

Source: apache/jmeter 5.5, HTTPSamplerFactory.java (getImplementation), measured: HTTPSampler2 and others send nothing.
"""


@frozen
class Merged:
    """A request, and the defaults that apply to it, nearest first.

    Attributes:
        scope: whose first level is what is below the request.
    """

    node: Node
    elements: Sequence[Node]
    scope: Scope

    def written(self, name: str) -> tuple[Node, str]:
        """A property `HTTPSampler.NAME` that is not empty, and the element that has it."""
        for each in self.elements:
            if text := each.text(f"HTTPSampler.{name}"):
                return each, text
        return self.node, ""

    def template(self, name: str) -> Template:
        """The same as a template."""
        return self.scope.template(*self.written(name), name)

    def fixed(self, name: str, what: str) -> str:
        """The same, known before the load begins; otherwise it is refused."""
        element, text = self.written(name)
        found = self.scope.reading.fixed(element, text)
        if found is None:
            self.scope.reading.refuse(
                element, f"{what} is {text!r}, which holdfast has to know before the load begins", "Write it out."
            )
        return found or ""

    def flag(self, name: str) -> bool:
        """A yes-or-no property; the defaults' counts where the request has none."""
        element, text = self.written(name)
        return bool(text) and self.scope.reading.flag(element, f"HTTPSampler.{name}")

    def is_java(self) -> bool:
        """Whether Java's own client sends it, and not Apache's."""
        text = self.written("implementation")[1]
        found = self.fixed("implementation", "its implementation") if "${" in text else text
        if found.strip() and found not in APACHE | _JAVA:
            why = f"its implementation is {found!r}, which JMeter does not know, so it sends nothing"
            self.scope.reading.refuse(self.node, why, "Choose its implementation anew.")
        return found in _JAVA

    def charset(self) -> str:
        """In which texts are encoded; one that Python does not know is refused."""
        found = self.fixed("contentEncoding", "its encoding").strip() or "utf-8"
        try:
            "".encode(found)
        except (LookupError, ValueError):
            self.scope.reading.refuse(self.node, f"its encoding is {found!r}, which is not known", "Correct it.")
            return "utf-8"
        return found

    def says_no_charset(self) -> bool:
        """Whether a body is sent in the charset of a JMeter before 5.6."""
        return self.scope.reading.before_5_6 and not self.written("contentEncoding")[1].strip()

    def arguments(self) -> list[Argument]:
        """All arguments, the request's own first, as modifiers make them."""
        written = [
            self._argument(element, each, str(number))
            for element in self.elements
            for number, each in enumerate(
                element.properties.inner("HTTPsampler.Arguments").elements("Arguments.arguments")
            )
        ]
        return modified_arguments(written, self.scope)

    def arguments_of_both(self, *, of_body: bool) -> list[Argument]:
        """The arguments of a request that has them in its path and in its body; the path is put together first."""
        call = KEPT if of_body else KEEP

        def once(template: Template, name: str) -> Template:
            if not any(isinstance(each, FunctionCall) for each in template):
                return template
            return template_call(call, [(f"{self.node.line} {name}",), *([] if of_body else [template])])

        return [
            replace(each, name=once(each.name, f"name {number}"), value=once(each.value, f"value {number}"))
            if each.name
            else each
            for number, each in enumerate(self.arguments())
        ]

    def _argument(self, element: Node, written: Properties, number: str) -> Argument:
        reading = self.scope.reading
        encode = reading.fixed(element, written.text("HTTPArgument.always_encode"))
        if encode is None:
            reading.refuse(element, 'whether an argument is encoded ("URL Encode?") is not known before the load')
        name = written.text("Argument.name")
        return Argument(
            name=reading.template(element, name, f"name {number}"),
            value=reading.template(element, written.text("Argument.value"), f"value {number}"),
            # JMeter saves the "=" there, if the argument has one.
            equals=written.text("Argument.metadata"),
            encode=(encode or "").strip().lower() == "true",
            content_type=reading.template(element, written.text("HTTPArgument.content_type"), f"type {number}"),
        )

    def files(self) -> list[tuple[Node, Properties]]:
        """The files that it sends, with the element that names each."""
        return [
            (element, each)
            for element in self.elements
            for each in element.properties.inner("HTTPsampler.Files").elements("HTTPFileArgs.files")
            if self._is_named(element, each.text("File.path"))
        ]

    def _is_named(self, element: Node, path: str) -> bool:
        """Whether a file has a name; one whose variable is empty has none, and JMeter sends no file."""
        return bool(path) and self.scope.reading.fixed(element, path) != ""


def merged(node: Node, scope: Scope) -> Merged:
    """A request with the HTTP Request Defaults that apply to it."""
    defaults = []
    for each in scope.nearest("ConfigTestElement"):
        gui = each.text("TestElement.gui_class")
        if gui.endswith("SimpleConfigGui"):
            scope.reading.refuse(each, "it sets properties of elements by their names", "Fill them in, and disable it.")
        elif gui.endswith(_DEFAULTS) or any(name.startswith("HTTPSampler.") for name in each.properties.values):
            defaults.append(each)
    return Merged(node, (node, *defaults), scope)


def template_call(name: str, arguments: Sequence[Template]) -> Template:
    """A text that is what a function makes of others."""
    return (FunctionCall(name, tuple(arguments)),)
