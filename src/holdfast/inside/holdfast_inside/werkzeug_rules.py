"""Finds the view of a request in Flask and Quart, which both route by Werkzeug's rules."""

from __future__ import annotations

from typing import Any, Optional, Tuple

from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import RequestRedirect

from . import code_patch, gate, request


class Framework:
    """What differs between the two.

    Attributes:
        method_view: the class whose subclasses have one method per HTTP method.
        kind_without_view: how a request without a view is held, one of layout.KINDS.
    """

    __slots__ = ("ending", "kind_without_view", "method_view", "name")

    def __init__(self, name: str, method_view: type, ending: gate.Ending, kind_without_view: str) -> None:
        self.name = name
        self.method_view = method_view
        self.ending = ending
        self.kind_without_view = kind_without_view


# Any: the two frameworks' applications and requests have the same attributes but no common class.
def held_for(framework: Framework, app: Any, wanted: Any, claim: request.RequestClaim) -> Optional[gate.Held]:  # noqa: ANN401
    """Puts the gate into the view of a request and says where it will be held; None if it will be redirected.

    `gate` of the result is None if there is no view, or the view cannot have a gate.

    Args:
        app: the application, with its `view_functions`.
        wanted: the framework's request.
        claim: the claim that the request carries.
    """
    wrong = wanted.routing_exception
    if isinstance(wrong, RequestRedirect):
        return None
    if wrong is not None or wanted.url_rule is None:
        method = wanted.method if isinstance(wrong, MethodNotAllowed) else ""
        held_in = gate.held_without_view(framework.name, wanted.path, method)
        return gate.Held(claim, None, held_in, framework.kind_without_view, "entry", framework.ending)
    registered = app.view_functions[wanted.url_rule.endpoint]
    view, name = _view(registered, wanted.method, framework.method_view)
    function = code_patch.innermost_function(view)
    kind = gate.kind_of(function or view)
    held_in = gate.held_in_view(framework.name, function or view, kind, name)
    return gate.Held(claim, gate.put_in(function), held_in, kind, "view", framework.ending)


def _view(registered: object, http_method: str, method_view: type) -> Tuple[object, Optional[str]]:
    """The function that answers, and its name if it is a method; `as_view` registers a function that calls one."""
    cls = getattr(registered, "view_class", None)
    if not isinstance(cls, type):
        return registered, None
    name = "dispatch_request"
    if issubclass(cls, method_view):
        candidates = [http_method.lower()] + ["get"] * (http_method == "HEAD")
        name = next((each for each in candidates if callable(getattr(cls, each, None))), name)
    return getattr(cls, name), f"{cls.__name__}.{name}"
