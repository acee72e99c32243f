"""Holds requests of a WSGI application of no known framework: in its view if that is found, otherwise at its entry."""

from __future__ import annotations

import contextlib
import functools
import io
import sys
import types
from typing import Any, Callable, Dict, Iterable, Iterator, List

from . import calling, entries, finding, gate, made_anew, recorder, reply, request, watch

StartResponse = Callable[..., Any]
Application = Callable[[Dict[str, Any], StartResponse], Iterable[bytes]]

WRAPPED = "_holdfast_entry"


def wrap_entry(application: Application, *, by_server: bool = False) -> Application:
    """Wraps an application so that this run's requests are held instead of reaching it, or on their way through it.

    All other requests pass through with the very objects that the server gave and the application returned, so
    `close()`, `wsgi.file_wrapper` and `exc_info` keep their meaning.

    Args:
        by_server: the server calls what is returned.
    """
    here = entries.Entry(application, "wsgi")

    def entry(environ: Dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        claim = request.wsgi_claim(environ, by_server=by_server)
        arrived = here.arrive(claim)
        if claim is None or arrived == entries.PASS:
            return application(environ, start_response)
        body = functools.partial(application, environ, start_response)
        if arrived == entries.WATCH:
            return _watched(here, claim, application, environ, start_response)
        if arrived == entries.LEAD_ANEW:
            return _led_anew(here.held_anew(claim), functools.partial(application, environ), start_response)
        if arrived == entries.LEAD:
            held = here.held_in_view(claim)
            if held.ending.returns:
                return _led_to_its_end(held, functools.partial(application, environ), start_response)
            return _led(held, body, start_response)
        return _hold(here.held_here(claim), body, start_response)

    setattr(entry, WRAPPED, True)
    return entry


def wrap_noting(application: Application) -> Application:
    """Wraps an application that leads to views so that it is noted when the server calls it; everything passes."""

    def entry(environ: Dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        request.wsgi_claim(environ, by_server=True)
        return application(environ, start_response)

    return entry


def _hold(held: gate.Held, body: calling.Body, start_response: StartResponse) -> Iterable[bytes]:
    claim = held.claim
    claim.held = True
    recorder.enter(claim.id, held.held_in, "sync", held.via, claim.entry)
    try:
        recorder.hold_sync(claim.id)
        if calling.wait_until_called(claim.id):
            claim.call = calling.BodyRun(claim.id)
            return claim.call.run(body)  # type: ignore[no-any-return]
    finally:
        recorder.leave(claim.id)
    return _answer(start_response)


def _answer(start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", list(reply.HEADERS))
    return [reply.BODY]


def _watched(
    here: entries.Entry,
    claim: request.RequestClaim,
    application: Application,
    environ: Dict[str, Any],
    start_response: StartResponse,
) -> Iterable[bytes]:
    other = {**environ, "PATH_INFO": entries.NO_PATH, "wsgi.input": io.BytesIO(), "CONTENT_LENGTH": "0"}
    for name in (request.KEY, request.ENVIRON_HEADER):
        other.pop(name, None)
    with here.watching(claim, sys._getframe()) as seen:  # noqa: SLF001 - what is around it does not count
        # A bridge's may wait until its loop has sent what it is given.
        result = application(environ, functools.partial(watch.unseen, start_response))
        if isinstance(result, types.GeneratorType):
            # Its body runs only now.
            result = list(result)
        if seen.is_doubtful():
            # Until a reply is closed, its request is the one that its thread has (CherryPy's `serving`).
            result = _complete(result)
            _ask_elsewhere(application, other)
    return result


def _ask_elsewhere(application: Application, environ: Dict[str, Any]) -> None:
    """Calls the application for a path that it does not have, and drops the answer."""
    with contextlib.suppress(Exception):
        _complete(application(environ, lambda *_: lambda _: None))


def _led(held: gate.Held, body: calling.Body, start_response: StartResponse) -> Iterable[bytes]:
    token = gate.current.set(held)
    try:
        result: Iterable[bytes] = body()
    except BaseException as error:
        if not gate.is_release(error):
            raise
        return _answer(start_response)
    finally:
        gate.current.reset(token)
    return _led_on(held, result, start_response) if isinstance(result, types.GeneratorType) else result


def _led_to_its_end(
    held: gate.Held, application: Callable[[StartResponse], Iterable[bytes]], start_response: StartResponse
) -> Iterable[bytes]:
    """As `_led` for a view that returns: the framework makes a reply too, which is left out."""

    def start_instead(*args: Any, **kwargs: Any) -> object:  # noqa: ANN401 - as the server's
        return (lambda _: None) if held.is_over() else start_response(*args, **kwargs)

    try:
        result = _led(held, functools.partial(application, start_instead), start_response)
        if isinstance(result, types.GeneratorType):
            # The view may be called only now.
            result = _parts(held, result, start_response)
        elif held.is_over():
            _complete(result)
    except Exception:
        # It cannot use what the view returned.
        if not held.is_over():
            raise
    return _answer(start_response) if held.is_over() else result


def _led_anew(
    held: gate.Held, application: Callable[[StartResponse], Iterable[bytes]], start_response: StartResponse
) -> Iterable[bytes]:
    """As `_led` for a view whose function may be made anew; what the framework makes of its end is left out."""

    def start_instead(*args: Any, **kwargs: Any) -> object:  # noqa: ANN401 - as the server's
        return (lambda _: None) if held.has_ended() else start_response(*args, **kwargs)

    token = gate.current.set(held)
    try:
        with made_anew.holding(held, finding.view()):
            result = application(start_instead)
            if isinstance(result, types.GeneratorType) and not held.claim.held:
                # Its body runs only now.
                result = list(result)
        if held.has_ended():
            _complete(result)
    except BaseException as error:
        if not (gate.is_release(error) or (held.has_ended() and isinstance(error, Exception))):
            raise
    finally:
        gate.current.reset(token)
    return _answer(start_response) if held.has_ended() else result


def _parts(held: gate.Held, result: Iterable[bytes], start_response: StartResponse) -> Iterator[bytes]:
    for part in result:
        if held.is_over():
            break
        yield part
    if held.is_over():
        _complete(result)
        yield from _answer(start_response)


def _complete(result: Iterable[bytes]) -> List[bytes]:
    """All parts of a reply, which is closed."""
    try:
        return list(result)
    finally:
        getattr(result, "close", lambda: None)()


def _led_on(held: gate.Held, result: Iterable[bytes], start_response: StartResponse) -> Iterator[bytes]:
    """A generator's parts: if it is the application, the view is called while it runs."""
    token = gate.current.set(held)
    try:
        yield from result
    except BaseException as error:
        if not gate.is_release(error):
            raise
        yield from _answer(start_response)
    finally:
        gate.current.reset(token)
