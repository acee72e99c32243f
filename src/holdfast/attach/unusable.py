"""Why one request, alone, shows that a path cannot be looked at from outside; in words. Pure."""

from __future__ import annotations

from holdfast.errors import EnvironmentFailure, HoldfastError, InconclusiveError
from holdfast.load.status_advice import advice_on
from holdfast.load.url import Url
from holdfast.model.places import Outcome
from holdfast.model.units import MS

_A_PATH_THAT_WAITS = (
    "Name a path that answers by itself after 0.2 to 2 s, always about the same, because it waits: for a database, "
    "another service, or a sleep that is there for this."
)


def refused(url: Url) -> HoldfastError:
    """Nobody listens."""
    return EnvironmentFailure(
        f"Nothing listens on {url.server}.",
        "The connection was refused.",
        "Start the server, or check the port (ss -tln shows who listens where).",
    )


def too_quick(url: Url, mean_ns: float) -> HoldfastError:
    """The path answers before a second request can be on its way."""
    return InconclusiveError(
        f"{url.path} answers in {mean_ns / MS:.1f} ms: too quick to see from outside how many run at once.",
        "Requests that do not last cannot be seen side by side.",
        _A_PATH_THAT_WAITS
        + "\nOr let holdfast start the server (holdfast probe, holdfast exec): then any path will do.",
    )


def unusable(  # noqa: PLR0911 - one for each way in which an answer can be none
    url: Url, outcome: Outcome, status: int, *, location: str, words: str, answer_timeout_s: float, first: bool
) -> HoldfastError | None:
    """What is wrong with the answer to one request; None where it will do.

    Args:
        location: where a redirect leads.
        words: what the load said of a strange reply, or of our own side.
        first: it was the first one; later ones were answered before.
    """
    get = f"GET {url.path}"
    if outcome == Outcome.ANSWERED:
        return _redirected(url, status, location) if status >= 300 and status != 304 else None
    if outcome == Outcome.REJECTED:
        return _rejected(get, status, first=first)
    if outcome == Outcome.REFUSED:
        return InconclusiveError(
            f"{url.server} listens no more.", "Requests before this one were answered.", "Look why it ended."
        )
    if outcome == Outcome.NO_ROOM:
        return EnvironmentFailure(
            f"The queue of {url.server} is full.",
            "connect(2) gave EAGAIN: nobody accepts the connections that wait there.",
            "Look whether the server still runs, and who else is connected.",
        )
    if outcome == Outcome.CONNECT_TIMEOUT:
        return EnvironmentFailure(
            f"{url.server} does not answer connection attempts.",
            f"None within {answer_timeout_s:g} s: the host is off, a firewall drops them, or the accept queue is full.",
            "Check host and port; look whether the server still accepts.",
        )
    if outcome == Outcome.UNANSWERED:
        return InconclusiveError(
            f"{get} was not answered within {answer_timeout_s:g} s.",
            "The connection stands, so either the path waits for longer, or every place of the server is taken"
            + (", or what listens there speaks no TLS." if url.scheme == "https" else "."),
            "Wait longer with --timeout, or name a path that answers by itself"
            + (f"; plain HTTP would be http{url.server[5:]}{url.path}." if url.scheme == "https" else "."),
        )
    if outcome == Outcome.MALFORMED:
        return _strange(url, words)
    if outcome in (Outcome.CLOSED, Outcome.RESET):
        other = {"http": f"Perhaps it speaks TLS: https{url.server[4:]}{url.path}", "https": "Look into its log"}
        return InconclusiveError(
            f"{url.server} {'closed' if outcome == Outcome.CLOSED else 'reset'} the connection without an answer.",
            f"To {get}, alone." if first else f"To {get}; those before were answered.",
            f"{other.get(url.scheme, 'Look into its log')}.",
        )
    return EnvironmentFailure(
        f"No connection to {url.server} came about on our own side.", words, "Look at what it says there."
    )


def _redirected(url: Url, status: int, location: str) -> HoldfastError:
    leads = f"it leads to {location}" if location else "it does not say where to"
    target = location
    if location.startswith("/") and not location.startswith("//"):
        target = f"{url.server}:{location}" if url.socket else f"{url.server}{location}"
    return InconclusiveError(
        f"GET {url.path} is redirected (HTTP {status}): {leads}.",
        "A redirect is answered by another part of the server than the path that is meant, and holdfast follows none.",
        f"If that is what you mean: holdfast attach '{target}'; if it is a login, give the header of one who is "
        "logged in: -H 'Cookie: ...'."
        if location
        else "Name a path that answers by itself.",
    )


def _rejected(get: str, status: int, *, first: bool) -> HoldfastError:
    why, remedy = advice_on(status)
    when = "" if first else " The requests before were answered."
    return InconclusiveError(f"{get} is answered with HTTP {status}.", f"{why}{when}", remedy)


def _strange(url: Url, words: str) -> HoldfastError:
    if "certificate" in words:
        return InconclusiveError(
            f"The certificate of {url.server} is not trusted.",
            f"{words[0].upper()}{words[1:]}.",
            "If it is your own (self-signed): --insecure takes any.",
        )
    if "no TLS" in words:
        return InconclusiveError(
            f"{url.server} speaks no TLS, or not with holdfast.",
            f"{words[0].upper()}{words[1:]}.",
            f"Perhaps it is plain HTTP: http{url.server[5:]}{url.path}.",
        )
    return InconclusiveError(
        f"What listens on {url.server} does not speak HTTP/1.",
        f"{words[0].upper()}{words[1:]}." if words else "",
        "Check the port; a server for FastCGI, WSGI's own protocol or a database is reached another way.",
    )
