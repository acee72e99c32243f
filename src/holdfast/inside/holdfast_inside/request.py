"""Recognises this run's own requests among all others."""

from __future__ import annotations

import contextlib
import contextvars
import os
from typing import Any, Callable, Dict, Iterator, Optional
from urllib.parse import unquote_to_bytes

from . import layout, recorder

KEY = "holdfast.claim"
"""The key under which a WSGI environ or an ASGI scope carries its claim."""
ENVIRON_HEADER = "HTTP_" + layout.HEADER_FIELD.upper().replace("-", "_")
SCOPE_HEADER = layout.HEADER_FIELD.lower().encode()
_LONGEST_ID = 9


class RequestClaim:
    """One request that carries this run's token.

    Attributes:
        id: its slot.
        entry: the thread on which the server passed it to the application.
        held: whether it has been held.
        call: the run of its body, a `calling.BodyRun`; None until the body runs.
        depth: how many entries that are not plain it has come to.
    """

    __slots__ = ("call", "depth", "entry", "held", "id")

    def __init__(self, id: int, entry: recorder.Thread) -> None:
        self.id = id
        self.entry = entry
        self.held = False
        self.depth = 0
        self.call: Optional[Any] = None


class PendingClaim:
    """A claim on its way to a handler, in frameworks whose router names the handler.

    Attributes:
        routed: whether the router has named one.
    """

    __slots__ = ("claim", "routed")

    def __init__(self, claim: RequestClaim) -> None:
        self.claim = claim
        self.routed = False


@contextlib.contextmanager
def on_its_way(claim: RequestClaim, pending: contextvars.ContextVar[Optional[PendingClaim]]) -> Iterator[None]:
    """A context in which a framework's router finds the claim in `pending`."""
    token = pending.set(PendingClaim(claim))
    try:
        yield
    finally:
        pending.reset(token)


_led = 0


def note_led() -> None:
    """Says that a request is on its way to a gate in a view."""
    global _led  # noqa: PLW0603 - of all requests of this process
    _led += 1


def times_led() -> int:
    """How many requests were on their way to a gate in a view, whether they came there or not."""
    return _led


_handed_over: Dict[int, RequestClaim] = {}
_called_directly = False


def note_direct_calls() -> None:
    """Says that the server calls the framework's application itself, with nothing of the person's own around it."""
    global _called_directly  # noqa: PLW0603 - of the whole process, and of those that are forked from it
    _called_directly = True


def wsgi_claim(environ: Dict[str, Any], *, by_server: Optional[bool] = False) -> Optional[RequestClaim]:
    """The claim of a WSGI request; None means the request must pass through untouched.

    The first call for a request decides, and notes the calling thread as its entry; later calls return the same.

    Args:
        by_server: what calls this is what the server calls; None if it is a bridge, which may be the server's own:
            then the application has not been called yet.
    """
    known = environ.get(KEY)
    if known is not None:
        return _handed(known, by_server=by_server)
    value = environ.get(ENVIRON_HEADER)
    if not value:
        return None
    claim = _claim(value, lambda: _is_held_in_environ(environ), by_server=by_server)
    if claim is not None:
        environ[KEY] = claim
    return claim


# Any: frameworks have a type of their own for it.
def asgi_claim(scope: Any, *, by_server: Optional[bool] = False) -> Optional[RequestClaim]:  # noqa: ANN401
    """Like `wsgi_claim`, for an ASGI scope; None also if it is not an HTTP request."""
    if scope["type"] != "http":
        return None
    # "wsgi_environ" is a2wsgi's: it calls an ASGI application for a WSGI server, on a thread of its own.
    known = scope.get(KEY) or scope.get("wsgi_environ", {}).get(KEY)
    if known is not None:
        return _handed(known, by_server=by_server)
    for name, value in scope["headers"]:
        if name.lower() == SCOPE_HEADER:
            claim = _claim(value.decode("latin-1"), lambda: _is_held_in_scope(scope), by_server=by_server)
            if claim is not None:
                scope[KEY] = claim
            return claim
    return None


def target_claim(value: Optional[str], target: str, *, by_server: Optional[bool] = True) -> Optional[RequestClaim]:
    """Like `wsgi_claim`, for a framework's own server. Call it once per request: each call notes the thread.

    Args:
        value: of the header `layout.HEADER_FIELD`; None if the request has none.
        target: path and query as in the request line.
        by_server: None if what is called may only pass the request on to the application.
    """
    return _claim(value, lambda: _is_held_target(target), by_server=by_server) if value else None


@contextlib.contextmanager
def handed_over(claim: RequestClaim) -> Iterator[None]:
    """A context in which the next request with this claim's id in this process is taken for the same request.

    For middleware that calls a WSGI application on behalf of an ASGI server: it builds an environ, which lacks the
    claim, and uses it on another thread than the one on which the server passed the request.
    """
    hand_over(claim)
    try:
        yield
    finally:
        take_back(claim)


def hand_over(claim: RequestClaim) -> None:
    """As `handed_over`, until it is taken back, where what passes a request on returns before that has arrived."""
    _handed_over[claim.id] = claim


def take_back(claim: RequestClaim) -> None:
    """Ends what `hand_over` began; without effect where the request has arrived."""
    # The next request of the same id may have come already: a client has its answer before this ends.
    if _handed_over.get(claim.id) is claim:
        _handed_over.pop(claim.id, None)


def parse(value: str, token: str, slots: int) -> Optional[int]:
    """The id in the header value `<token>/<id>`; None if the token is wrong or the slot does not exist."""
    given, _, digits = value.rpartition("/")
    if not token or given != token:
        return None
    if not (digits.isascii() and digits.isdigit()) or len(digits) > _LONGEST_ID:
        return None
    id = int(digits)
    return id if id < slots else None


def _claim(value: str, is_held_path: Callable[[], bool], *, by_server: Optional[bool]) -> Optional[RequestClaim]:
    id = parse(value, os.environ.get(layout.TOKEN_VARIABLE, ""), recorder.record().slots)
    if id is None:
        return None
    claim = _handed_over.pop(id, None)
    if claim is None:
        if not is_held_path():
            return None
        claim = RequestClaim(id, recorder.note_entry_thread())
    return _handed(claim, by_server=by_server)


def _handed(claim: RequestClaim, *, by_server: Optional[bool]) -> RequestClaim:
    if by_server is not None and not claim.held:
        recorder.note_handed(claim.id, by_server=by_server or _called_directly)
    return claim


def _came(path: bytes, *, as_asked: bool) -> bool:
    """Whether a request of this run that came at this path is held; notes that it came so."""
    data = recorder.record().data
    before, also_there, length, known = layout.ELSEWHERE.unpack_from(data, layout.ELSEWHERE_OFFSET)
    as_asked = as_asked or (bool(also_there) and known[:length] == path)
    if as_asked:
        data[layout.ELSEWHERE_OFFSET] = 1
    elif not also_there and len(path) <= layout.LONGEST_ELSEWHERE:
        layout.ELSEWHERE.pack_into(data, layout.ELSEWHERE_OFFSET, before, 0, len(path), path)
    return as_asked


def _is_held_in_environ(environ: Dict[str, Any]) -> bool:
    path, question, query = (os.environ.get(layout.PATH_VARIABLE) or "/").partition("?")
    if question and environ.get("QUERY_STRING", "") != query:
        return False
    # PEP 3333: the unquoted bytes of the path, decoded as Latin-1. A mounted application has the first part of the
    # path in SCRIPT_NAME; a server can also be configured with a SCRIPT_NAME that the client does not send.
    wanted = unquote_to_bytes(path).decode("latin-1")
    inner = environ.get("PATH_INFO", "")
    whole = environ.get("SCRIPT_NAME", "") + inner
    return _came((whole or "/").encode("latin-1", "replace"), as_asked=wanted in (whole, inner or "/"))


def _is_held_in_scope(scope: Any) -> bool:  # noqa: ANN401 - see asgi_claim
    path, question, query = (os.environ.get(layout.PATH_VARIABLE) or "/").partition("?")
    if question and scope.get("query_string", b"") != query.encode():
        return False
    # The ASGI specification: the path is unquoted, decoded as UTF-8 and begins with `root_path`, though servers
    # have differed about that. `raw_path` is optional, but only it preserves bytes that are not UTF-8.
    root, inner = scope.get("root_path", "") or "", scope["path"]
    paths = [inner, root + inner] + [inner[len(root) :]] * inner.startswith(root)
    known = {each.encode("utf-8", "surrogateescape") or b"/" for each in paths}
    known.add(unquote_to_bytes((scope.get("raw_path") or b"").partition(b"?")[0]))
    came_at = inner.encode("utf-8", "surrogateescape") or b"/"
    return _came(came_at, as_asked=unquote_to_bytes(path) in known)


def _is_held_target(target: str) -> bool:
    path, question, query = (os.environ.get(layout.PATH_VARIABLE) or "/").partition("?")
    given, _, given_query = target.partition("?")
    if question and given_query != query:
        return False
    came_at = unquote_to_bytes(given)
    return _came(came_at, as_asked=came_at == unquote_to_bytes(path))
