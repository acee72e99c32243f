"""Where Flask and Quart will run the view of a request: both route it by Werkzeug's rules."""

from __future__ import annotations

from typing import Any, Optional, Tuple

from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import RequestRedirect

from . import code_patch, gate, request


class Framework:
    """What tells the two apart.

    Attributes:
        method_view: the class whose subclasses have a method for each verb.
        kind_without_view: one of layout.KINDS, what runs where a request has no view.
    """

    __slots__ = ("answer", "kind_without_view", "method_view", "name")

    def __init__(self, name: str, method_view: type, answer: gate.Answer, kind_without_view: str) -> None:
        self.name = name
        self.method_view = method_view
        self.answer = answer
        self.kind_without_view = kind_without_view


# Any: applications and requests of either framework have the same attributes and no class in common.
def held_for(framework: Framework, app: Any, wanted: Any, claim: request.Claim) -> Optional[gate.Held]:  # noqa: ANN401
    """Where a request will be held, with the gate in its view; None where it is redirected to another path.

    `gate` of the result is None where there is no view, or none that can have a gate.

    Args:
        app: the application, with its `view_functions`.
        wanted: the framework's request.
        claim: the claim that it carries.
    """
    wrong = wanted.routing_exception
    if isinstance(wrong, RequestRedirect):
        return None
    if wrong is not None or wanted.url_rule is None:
        method = wanted.method if isinstance(wrong, MethodNotAllowed) else ""
        held_in = gate.no_view(framework.name, wanted.path, method)
        return gate.Held(claim, None, held_in, framework.kind_without_view, "entry", framework.answer)
    registered = app.view_functions[wanted.url_rule.endpoint]
    view, name = _view(registered, wanted.method, framework.method_view)
    function = code_patch.unwrapped(view)
    kind = gate.kind_of(function or view)
    held_in = gate.place(framework.name, function or view, kind, name)
    return gate.Held(claim, gate.gate_in(function), held_in, kind, "view", framework.answer)


def _view(registered: object, http_method: str, method_view: type) -> Tuple[object, Optional[str]]:
    """What answers, and its name if that is a method of a class: `as_view` registers a function that calls it."""
    cls = getattr(registered, "view_class", None)
    if not isinstance(cls, type):
        return registered, None
    name = "dispatch_request"
    if issubclass(cls, method_view):
        candidates = [http_method.lower()] + ["get"] * (http_method == "HEAD")
        name = next((each for each in candidates if callable(getattr(cls, each, None))), name)
    return getattr(cls, name), f"{cls.__name__}.{name}"
