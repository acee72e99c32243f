"""Turns what a browser recorded (HTTP Archive 1.2) into steps that send it again; pure.

Source: the HAR 1.2 specification (softwareishard.com/blog/har-12-spec), `log.entries[].request`; Fetch standard, 2.2.1
(methods that are written in capitals whatever the page says); URL standard, 1.3 (what browsers leave in a query).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import SplitResult, quote, urlsplit

from holdfast.errors import UsageError
from holdfast.model.frozen import frozen
from holdfast.model.http_syntax import IN_PATH
from holdfast.model.scenario import Step
from holdfast.plans.differences import Note, in_words
from holdfast.plans.har_bodies import joined, mapping, recorded_body
from holdfast.plans.har_fields import recorded_fields, sent_fields
from holdfast.plans.har_servers import Choice, chosen
from holdfast.plans.har_wire import not_on_the_wire, unanswered
from holdfast.plans.origins import AS_RECORDED, Origins, replaced_headers
from holdfast.plans.samplers import PORTS, server_name

_NORMALIZED = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"})
_IN_PATH = IN_PATH + "|"  # as browsers send it (WHATWG URL, path percent-encode set)
_IN_QUERY = IN_PATH + "{}|\\^`"
_PAUSE_S = 1.0
_LONGEST_URL = 60
PAUSES = "pauses"
"""The kind of the note that they are not kept."""


@frozen
class Recorded:
    """The recorded requests to send again.

    Attributes:
        steps: in the order in which they began; at least one.
        servers: to which each of them goes: scheme, host and port.
        choice: which servers these are, and what is left out, in one line; "" where there was no choice.
        elsewhere: the servers to which requests are left out.
        notes: what else is not sent, or sent differently.
        pauses_s: before each of the steps, from the end of all before it to its begin; 0.0 where the recording does
            not say, and where it began before they had ended.
    """

    steps: tuple[Step, ...]
    servers: tuple[str, ...]
    choice: str
    elsewhere: tuple[str, ...]
    notes: tuple[Note, ...]
    pauses_s: tuple[float, ...]


@frozen
class _Sent:
    """An entry that can be sent.

    Attributes:
        began_s: when it began, since the epoch; None if the file does not say.
        took_s: how long it took; 0.0 if the file does not say.
        page: it is the document of a page, or of a frame in it.
        referer: the server of the page that asked for it; "" if the recording does not say.
    """

    server: str
    step: Step
    began_s: float | None
    took_s: float
    page: bool
    referer: str


def read_har(content: bytes, origin: str, asked: Origins = AS_RECORDED) -> Recorded:
    """Reads the recorded requests.

    Args:
        content: the .har file.
        origin: the file's name, for messages.
        asked: which servers are loaded, and where requests to them go.

    Raises:
        UsageError: it is not an HTTP archive, it holds nothing that can be sent, or nothing to a server that is named.
    """
    log, entries = _log(content, origin)
    notes: list[Note] = []
    sent: list[_Sent] = []
    creator = log.get("creator")
    browser = str(creator.get("name")) if isinstance(creator, dict) else ""
    for number, entry in enumerate(entries, 1):
        try:
            found = _sent(entry, browser, notes)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            why = f"Entry {number} of log.entries does not describe a request: {type(error).__name__} {error}."
            raise _archive_error(origin, why) from error
        if found is not None:
            sent.append(found)
    if not sent:
        left_out = "".join(f" {line[0].upper()}{line[1:]}." for line in in_words(notes))
        raise _archive_error(origin, f"No request in it can be sent again to an http:// or https:// server.{left_out}")
    sent = _in_order(sent, notes)
    choice = chosen(log, [each.server for each in sent], _pages(sent), asked, origin)
    own = [each for each in sent if each.server in choice.targets]
    notes += _differences(sent, own, choice)
    servers = tuple(choice.targets[each.server] for each in own)
    return Recorded(
        _told_apart(own, servers),
        servers,
        choice.in_words(origin),
        tuple(choice.left_out),
        tuple(dict.fromkeys(notes)),
        tuple(_pauses_s(own)),
    )


def _told_apart(sent: Sequence[_Sent], servers: Sequence[str]) -> tuple[Step, ...]:
    """The steps, with the server in the label of those that differ in it alone."""
    goes_to: dict[str, set[str]] = {}
    for each, server in zip(sent, servers, strict=True):
        goes_to.setdefault(each.step.label, set()).add(server)
    return tuple(
        replace(each.step, label=f"{each.step.method} {server}{each.step.label.partition(' ')[2]}")
        if len(goes_to[each.step.label]) > 1
        else each.step
        for each, server in zip(sent, servers, strict=True)
    )


def _log(content: bytes, origin: str) -> tuple[Mapping[str, object], list[object]]:
    if not content.strip():
        raise _archive_error(origin, "It is empty.")
    try:
        archive = json.loads(content.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise _archive_error(origin, f"Line {error.lineno}, column {error.colno}: {error.msg}.") from error
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        raise _archive_error(origin, f"It is not JSON in UTF-8: {error}.") from error
    log = archive.get("log") if isinstance(archive, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(log, dict) or not isinstance(entries, list):
        raise _archive_error(origin, "It has no list log.entries.")
    return log, entries


def _sent(entry: object, browser: str, notes: list[Note]) -> _Sent | None:
    """One entry as it is sent; None, with a note, if it is not."""
    known = mapping(entry)
    request = mapping(known["request"])
    method, text = _method(str(request["method"]), notes), str(request["url"])
    url = urlsplit(text)
    recorded = list(recorded_fields(request))
    named = {name.lower(): value for name, value in recorded}
    left_out = not_on_the_wire(known, url, named, browser)
    if left_out is None and url.scheme not in PORTS:
        where = f"{url.scheme}:" if url.scheme else text[:_LONGEST_URL]
        left_out = Note("left out", "requests to", where, "only http and https are sent")
    if left_out is not None:
        notes.append(left_out)
        return None
    name = f"{method} {url.path or '/'}"
    server = server_name(url.scheme, url.hostname or "", url.port or 0)
    path = _target(request, url, notes, name)
    body = recorded_body(request, recorded)
    if body.missing is not None:
        notes.append(Note("left out", "request", name, body.missing))
        return None
    if body.otherwise:
        notes.append(Note("differs", "request", name, body.otherwise))
    if unanswered(known):
        notes.append(Note("differs", "request", name, "sent, although it had no answer when it was recorded"))
    version = str(request.get("httpVersion") or "").lower()
    if version.startswith(("h2", "h3", "http/2", "http/3")):
        notes.append(Note("differs", "requests recorded as HTTP/2 or HTTP/3", "", "sent as HTTP/1.1"))
    fields = sent_fields(request, recorded, notes)
    if body.content_type and "content-type" not in named:
        fields = (*fields, ("Content-Type", body.content_type))
    began_s = _began_s(known.get("startedDateTime"))
    step = Step(name, path, method, fields, body.content)
    is_page = _is_page(known) and named.get("sec-fetch-dest", "document") == "document"
    return _Sent(server, step, began_s, _took_s(known.get("time")), is_page, _server_of(named.get("referer", "")))


def _server_of(text: str) -> str:
    try:
        url = urlsplit(text)
        return server_name(url.scheme, url.hostname or "", url.port or 0) if url.scheme in PORTS else ""
    except ValueError:
        return ""


def _target(request: Mapping[str, object], url: SplitResult, notes: list[Note], name: str) -> str:
    """Path and query as they were on the wire; a URL without a query gets that of the list beside it."""
    path = quote(url.path or "/", safe=_IN_PATH)
    if "?" in str(request["url"]).partition("#")[0]:
        return f"{path}?{quote(url.query, safe=_IN_QUERY)}"
    listed = request.get("queryString")
    pairs = [
        (str(each["name"]), str(each.get("value") or ""))
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, dict) and each.get("name")
    ]
    if not pairs:
        return path
    meaning = "its query is that of the recording's list, which its URL does not have"
    notes.append(Note("note", "request", name, meaning))
    return f"{path}?{joined(pairs)}"


def _method(written: str, notes: list[Note]) -> str:
    if written.upper() not in _NORMALIZED or written == written.upper():
        return written
    notes.append(Note("differs", "method", written, f"sent as {written.upper()}, as browsers do"))
    return written.upper()


def _began_s(text: object) -> float | None:
    try:
        began = datetime.fromisoformat(str(text))
        return (began if began.tzinfo else began.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _took_s(milliseconds: object) -> float:
    # -1 is "does not apply" in this format.
    known = isinstance(milliseconds, int | float) and 0 < milliseconds < float("inf")
    return float(milliseconds) / 1000 if known else 0.0  # type: ignore[arg-type]


def _pauses_s(sent: Sequence[_Sent]) -> Iterator[float]:
    """How long the person who was recorded did nothing, before each request."""
    over_s: float | None = None
    for each in sent:
        if each.began_s is None:
            yield 0.0
            continue
        yield 0.0 if over_s is None else max(0.0, each.began_s - over_s)
        over_s = max(over_s or each.began_s, each.began_s + each.took_s)


def _is_page(entry: Mapping[str, object]) -> bool:
    """Whether an entry is the document that a page of the recording shows."""
    response = entry.get("response")
    if not isinstance(response, dict) or not entry.get("pageref"):
        return False
    content = response.get("content")
    html = isinstance(content, dict) and str(content.get("mimeType") or "").startswith("text/html")
    status = response.get("status")
    return isinstance(status, int) and status // 100 == 2 and (html or entry.get("_resourceType") == "document")


def _pages(sent: Sequence[_Sent]) -> list[str]:
    """The servers of the pages, the first one first: of their documents, or else of what most requests refer to."""
    servers = {each.server for each in sent}
    # What a page of another recorded server asked for is a frame in it, or comes after it.
    documents = [each.server for each in sent if each.page and each.referer not in servers - {each.server}]
    referers = Counter(each.referer for each in sent if each.referer in servers)
    return documents or [server for server, _ in referers.most_common(1)]


def _in_order(sent: Sequence[_Sent], notes: list[Note]) -> list[_Sent]:
    """The entries by their begin, which the specification leaves to the reader; one without stays behind the other."""
    keys: list[float] = []
    for each in sent:
        keys.append(each.began_s if each.began_s is not None else (keys[-1] if keys else float("-inf")))
    ordered = [sent[at] for at in sorted(range(len(sent)), key=keys.__getitem__)]
    if ordered != list(sent):
        notes.append(Note("differs", "order", "", "by the instants at which requests began, not as in the file"))
    for each in sent if any(each.began_s is not None for each in sent) else ():
        if each.began_s is None:
            meaning = "its instant is not recorded; sent after the one before it in the file"
            notes.append(Note("differs", "request", each.step.label, meaning))
    return ordered


def _differences(everything: Sequence[_Sent], sent: Sequence[_Sent], choice: Choice) -> Iterator[Note]:
    first = everything[0]
    if first.server not in choice.targets:
        meaning = f"the recording begins at {first.server}, and so without what is sent"
        yield Note("left out", "request", first.step.label, meaning)
    names = {name.lower() for each in sent for name, _ in each.step.headers}
    if (left := replaced_headers(names, choice.targets)) is not None:
        yield Note("differs", "headers", "", left)
    if "cookie" in names:
        meaning = "the recorded ones are sent; new ones that the server sets are ignored"
        yield Note("differs", "cookies", "", meaning)
    longest_s = max(_pauses_s(sent), default=0.0)
    if longest_s >= _PAUSE_S:
        yield Note(
            "differs", PAUSES, "", f"up to {longest_s:.1f} s between requests are not kept; --pauses 1 keeps them"
        )


def _archive_error(origin: str, why: str) -> UsageError:
    return UsageError(
        f"{origin} is not an HTTP archive that can be sent.", why, "Save one from a browser's network panel (.har)."
    )
