"""What silent clients do to a server, in words for the terminal, and in a few of them for a table."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.model.silent import Silence, SilenceFound, Silent
from holdfast.report.layout import Indent, Renderable, Stack, Text

WHO: dict[Silence, str] = {
    "nothing": "that send nothing",
    "half a request": "that send half a request",
    "idle": "that stay idle after an answer",
    "unread": "that do not read their reply",
}
INTERRUPTED = "It was interrupted: what is missing was not tried."
_INDENT = 2
_SAME_S = 0.2


def render_silent(silent: Silent) -> Renderable:
    """Each kind of silent client with what it does to the server, and what the server does to it."""
    parts: list[Renderable] = []
    for found in silent.silences:
        parts.append(Text.assemble((f"{WHO[found.silence]}: ", "bold"), (f"{headline(found)}", _colour(found))))
        parts += [Indent(Text(line), _INDENT) for line in sentences(found)]
    if silent.interrupted:
        parts.append(Text(INTERRUPTED, style="yellow"))
    return Stack(*parts)


def cell(found: SilenceFound) -> str:
    """In a few words: "1 for 30.6 s", "10 for over 6 s", "none of 500", "50: 503", "none kept open"."""
    if found.connections is None and found.broken_off:
        return "?"
    if found.connections is None:
        return f"none of {found.tried}" if _is_kept(found) else "none kept open"
    number = _number(found)
    some = " (by chance)" if found.by_chance else ""
    if found.request_gets != "waits":
        return f"{number}: {found.request_gets}{some}"
    if found.waits_up_to_s is not None:
        return f"{number} for {found.waits_up_to_s:.1f} s{some}"
    if found.ended_by is not None:
        return f"{number} for {found.ended_by.seconds or 0:g} s{some}"
    return f"{number} for over {found.watched_s:.0f} s{some}"


CELL_MEANS = (
    "the fewest such connections with which an ordinary request was not answered in time, and how long it waits if it "
    "comes with the first of them; `(by chance)`: it depends on which worker takes a client; "
    "`none of 500`: 500 made no difference; `50: 503`: it got that"
)


def headline(found: SilenceFound) -> str:
    """How many of them it takes until an ordinary request waits, and for how long."""
    if found.connections is None and found.broken_off:
        return f"not known: {_why(found, 'connections')}"
    if found.connections is None:
        return (
            f"none of {found.tried} makes an ordinary request wait" if _is_kept(found) else _why(found, "connections")
        )
    number = _number(found)
    verb = "makes" if number == "1" else "make"
    if found.request_gets != "waits":
        return f"{number} {verb} the server turn an ordinary request away ({found.request_gets})"
    if found.waited_s is not None and found.waits_up_to_s is not None:
        longer = found.waits_up_to_s - found.waited_s > _SAME_S
        most = f"; {found.waits_up_to_s:.1f} s, had it come with the first of them" if longer else ""
        return f"{number} {verb} an ordinary request wait for {found.waited_s:.1f} s{most}"
    return f"{number} {verb} an ordinary request wait, for longer than {found.watched_s:.0f} s"


def sentences(found: SilenceFound) -> Iterator[str]:
    """What else became of the request, and of them; nothing where it was broken off."""
    if found.broken_off:
        return
    if found.connections is not None:
        yield from _of_the_request(found)
    elif _is_kept(found):
        yield f"{_capital(_why(found, 'connections'))}."
    if found.worker_ended and found.connections is not None:
        yield "The server ended the worker that waited for them, and started another."
    if not _is_kept(found):
        return
    if found.ended_after_s is None:
        yield f"{_capital(_why(found, 'ended_after_s'))}."
    else:
        yield f"The server ends such a connection after {found.ended_after_s:.1f} s ({found.connection_gets})."
    yield _timeout(found)
    if (by := found.would_end) is not None:
        yield f"Its {by.setting} would: it is not set, and at {by.changed_to_s:g} s it took {by.then_s:.1f} s."


def _of_the_request(found: SilenceFound) -> Iterator[str]:
    if found.by_chance:
        yield "It depends on which worker takes a client, so that another run may give another number."
    if found.usual_ms is not None:
        yield f"Without them it takes {found.usual_ms:g} ms."
    if found.waited_s is None and found.answered_once_they_left is not None:
        done = "was answered once they had left" if found.answered_once_they_left else "was not answered even then"
        yield f"They were made to leave, and a request {done}."


def _timeout(found: SilenceFound) -> str:
    by = found.ended_by
    if by is None:
        return f"Time-out: {_why(found, 'ended_by')}."
    if by.proved:
        return (
            f"Its {by.setting} decides that, {by.seconds or 0:g} s here: set to {by.changed_to_s:g} s, it took "
            f"{by.then_s:.1f} s."
        )
    return f"Its {by.setting} is {by.seconds or 0:g} s, which fits; it was not changed to see whether it decides."


def _number(found: SilenceFound) -> str:
    exact = found.at_least == found.connections
    return f"{found.connections}" if exact else f"{found.at_least} to {found.connections}"


def _is_kept(found: SilenceFound) -> bool:
    return found.unknown.get("ended_by") != "no connection stayed open"


def _colour(found: SilenceFound) -> str:
    if found.broken_off:
        return "yellow"
    return "green" if found.connections is None else "red"


def _why(found: SilenceFound, field: str) -> str:
    return found.unknown.get(field, "not known")


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
