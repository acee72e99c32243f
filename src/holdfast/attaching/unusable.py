"""What the answer to a single request says about why a path cannot be measured from outside; pure."""

from __future__ import annotations

from holdfast.engine.status_advice import (
    NO_CERTIFICATE,
    ONLY_HTTP1,
    ONLY_HTTP2,
    START_IT,
    advice_on,
    another_version,
)
from holdfast.engine.url import Url
from holdfast.errors import EnvironmentFailure, HoldfastError, InconclusiveError
from holdfast.model.frozen import frozen
from holdfast.model.places import Outcome
from holdfast.model.units import MS

_BAD_REQUEST = 400
_A_PATH_THAT_WAITS = (
    "Name a path that answers by itself after 0.2 to 2 s, about the same each time, because it waits: for a database, "
    "another service, or a sleep added for this."
)


@frozen
class Ended:
    """How a single request ended.

    Attributes:
        status: of the reply; 0 if there was none.
        location: where a redirect leads; "" if the reply does not say.
        words: what the load said about a malformed reply, or about a failure on our own side.
        http2: the request was in HTTP/2.
    """

    outcome: Outcome
    status: int
    location: str
    words: str
    http2: bool = False


def refused(url: Url) -> HoldfastError:
    """The error that nothing listens there."""
    return EnvironmentFailure(
        f"Nothing is listening on {url.host_and_port}: the connection was refused.",
        "",
        START_IT,
    )


def too_quick(url: Url, usual_ns: float) -> HoldfastError:
    """The error that the path answers before a second request can be on its way."""
    return InconclusiveError(
        f"{url.path} answers in {usual_ns / MS:.1f} ms: too quick to see from outside how many run at once.",
        "Requests that end so quickly hardly overlap.",
        _A_PATH_THAT_WAITS + "\nOr let holdfast start the server (holdfast probe, holdfast exec): then any path works.",
    )


def unusable(  # noqa: PLR0911 - a return for each way to be unusable
    url: Url, ended: Ended, *, answer_timeout_s: float, first: bool
) -> HoldfastError | None:
    """What is wrong with the answer to one request; None where it will do.

    Args:
        answer_timeout_s: how long the answer was waited for, in seconds.
        first: no request was answered before it.
    """
    outcome, status = ended.outcome, ended.status
    get = f"GET {url.path}"
    if outcome == Outcome.ANSWERED:
        return _redirected(url, status, ended.location) if status >= 300 and status != 304 else None
    if outcome == Outcome.REJECTED:
        return _rejected(get, ended, first=first)
    if outcome == Outcome.REFUSED:
        return InconclusiveError(
            f"{url.server} no longer listens.", "Earlier requests were answered.", "Find out why it ended."
        )
    if outcome == Outcome.NO_ROOM:
        return EnvironmentFailure(
            f"The queue of {url.server} is full.",
            "connect(2) gave EAGAIN: the connections that wait there are not being accepted.",
            "Check whether the server is still running, and what else is connected to it.",
        )
    if outcome == Outcome.CONNECT_TIMEOUT:
        return EnvironmentFailure(
            f"{url.server} does not answer connection attempts.",
            f"None within {answer_timeout_s:g} s: the host is off, a firewall drops them, or the accept queue is full.",
            "Check host and port, and whether the server still accepts connections.",
        )
    if outcome == Outcome.UNANSWERED:
        return InconclusiveError(
            f"{get} was not answered within {answer_timeout_s:g} s.",
            "The connection is established, so either the path takes longer, or every place of the server is taken"
            + (", or the server does not speak TLS." if url.scheme == "https" else "."),
            "Wait longer with --timeout, or name a path that answers by itself"
            + (f"; plain HTTP would be http{url.server[5:]}{url.path}." if url.scheme == "https" else "."),
        )
    if outcome == Outcome.MALFORMED or (outcome == Outcome.CLOSED and "no TLS" in ended.words):
        return _strange(url, ended.words)
    if outcome in (Outcome.CLOSED, Outcome.RESET):
        return _broken_off(url, get, ended, first=first)
    return EnvironmentFailure(
        f"holdfast could not connect to {url.server}, for a reason on its own side.",
        ended.words,
        "Remove that cause first.",
    )


def _broken_off(url: Url, get: str, ended: Ended, *, first: bool) -> HoldfastError:
    did = "closed" if ended.outcome == Outcome.CLOSED else "reset"
    if not first:
        return InconclusiveError(
            f"{url.server} no longer answers: it {did} the connection.",
            f"The request was {get}, alone; earlier ones were answered.",
            "Find out in its log whether it ended, or what it did with that request.",
        )
    remedy = (
        f"It may speak TLS: https{url.server[4:]}{url.path}."
        if url.scheme == "http"
        else f"Check its log. {NO_CERTIFICATE}"
    )
    return InconclusiveError(
        f"{url.server} {did} the connection without an answer.",
        f"The request was {get}, alone.",
        remedy + (f" {ONLY_HTTP1}" if ended.http2 else ""),
    )


def _redirected(url: Url, status: int, location: str) -> HoldfastError:
    leads = f"it leads to {location}" if location else "it does not say where"
    target = location
    if location.startswith("/") and not location.startswith("//"):
        target = f"{url.server}:{location}" if url.socket else f"{url.server}{location}"
    return InconclusiveError(
        f"GET {url.path} is redirected (HTTP {status}): {leads}.",
        "A redirect is not answered by the path itself, and holdfast does not follow redirects.",
        f"To measure its target: holdfast attach {_quoted(target)}. If it is a login, send the header of a "
        "logged-in client: -H 'Cookie: ...'."
        if location
        else "Name a path that answers by itself.",
    )


def _quoted(text: str) -> str:
    """The text as one word for a shell: it is the server's, and a person is to paste it."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _rejected(get: str, ended: Ended, *, first: bool) -> HoldfastError:
    why, remedy = advice_on(ended.status)
    when = "" if first else " Earlier requests were answered."
    if ended.status == _BAD_REQUEST and first and not ended.http2:
        remedy += f" {ONLY_HTTP2}"
    return InconclusiveError(f"{get} is answered with HTTP {ended.status}.", f"{why}{when}", remedy)


def _strange(url: Url, words: str) -> HoldfastError:
    if error := another_version(url.server, words, tls=url.scheme == "https"):
        return error
    if "asks its clients" in words:
        return InconclusiveError(
            f"{url.server} speaks TLS, but not with holdfast.",
            f"{words[0].upper()}{words[1:]}.",
            "Allow clients without a certificate for the measurement.",
        )
    if "certificate" in words:
        return InconclusiveError(
            f"The certificate of {url.server} is not trusted.",
            f"{words[0].upper()}{words[1:]}.".replace("; --insecure accepts any", ""),
            f"{_remedy_of(words)} --insecure accepts any certificate.",
        )
    if "no TLS" in words:
        # An alert is TLS (RFC 8446, 6).
        if " alert " in words:
            return InconclusiveError(
                f"{url.server} speaks TLS, but not with holdfast.",
                f"{words[0].upper()}{words[1:]}.",
                "Allow TLS 1.2 or 1.3. If it chooses its certificate by name, give its name in the URL.",
            )
        return InconclusiveError(
            f"{url.server} does not speak TLS, or not with holdfast.",
            f"{words[0].upper()}{words[1:]}.",
            f"It may be plain HTTP: http{url.server[5:]}{url.path}.",
        )
    return InconclusiveError(
        f"What listens on {url.server} does not speak HTTP/1.",
        f"{words[0].upper()}{words[1:]}." if words else "",
        "Check the port; a FastCGI, uwsgi-protocol or database server cannot be measured over HTTP.",
    )


def _remedy_of(words: str) -> str:
    """What to do about a certificate, by OpenSSL's words about it (X509_verify_cert_error_string(3))."""
    if "expired" in words or "not yet valid" in words:
        return "Renew it, if this machine's clock is right."
    if "mismatch" in words:
        return "Name the server in the URL as its certificate does."
    if "self-signed" in words or "self signed" in words:
        return "If it is yours, trust it: SSL_CERT_FILE=FILE, in PEM."
    return "If its issuer is yours, or it sends no intermediate one, trust that: SSL_CERT_FILE=FILE, in PEM."
