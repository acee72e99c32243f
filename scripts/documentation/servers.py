"""One page for each server, from what is known of it: its adapter, the study, its settings, and the conformance table.

Nothing on these pages is written by hand. What a server does is what docs/servers.md measured, and what it must do is
what docs/conformance.md says with its sources.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from holdfast.model.experiment import ProbeTarget
from holdfast.servers.adapter import INTERFACES, Adapter
from holdfast.servers.registry import ADAPTERS
from holdfast.study.servers import STUDY
from scripts.documentation.tables import rows, section, table

_VIEWS = {
    "sync": "a `def` view",
    "async": "an `async def` view",
    "async-blocking": "an `async def` view that blocks its loop",
}
_MODELS = {
    "serial": "one after another",
    "thread-per-request": "each on a thread of its own",
    "thread-pool": "on a pool of threads",
    "process-per-request": "each in a process of its own",
    "process-pool": "in a pool of processes",
    "event-loop": "on an event loop",
    "event-loop+thread-pool": "on a pool of threads behind an event loop",
    "greenlets": "as greenlets",
}
_NEXT = {
    "connect-timeout": "the next client's SYN goes unanswered, and it times out connecting",
    "waits": "",
    "-": "",
}
_GONE = {
    "finishes": "runs to its end",
    "cancelled": "is cancelled",
    "place freed": "runs on, and another request is let in beside it",
}
_NOT_SHOWN = frozenset({"row", "server", "s"})


@dataclass(frozen=True, slots=True)
class Sources:
    """The documents from which pages are made, as text."""

    study: str
    settings: str
    conformance: str


@dataclass(frozen=True, slots=True)
class Measured:
    """A row of the study.

    Attributes:
        row: of the table, each cell by its column.
        view, offered: as of `Experiment`.
    """

    row: Mapping[str, str]
    target: ProbeTarget
    view: str
    offered: int


def read(docs: Path) -> Sources:
    """The documents as they are committed."""
    return Sources(
        *((docs / name).read_text(encoding="utf-8") for name in ("servers.md", "settings.md", "conformance.md"))
    )


def pages(sources: Sources) -> Mapping[str, str]:
    """Path on the site -> Markdown, for every server that holdfast can start."""
    return {f"servers/{name}.md": _page(name, sources) for name in sorted(ADAPTERS)}


def _page(name: str, sources: Sources) -> str:
    adapter = ADAPTERS[name]
    found = [each for each in of_study(sources.study) if each.target.server == name]
    parts = [f"# {name}", _what_it_is(name, adapter)]
    if shown := [each for each in found if each.row["handlers run on"]]:
        parts += ["## What it does", *_in_words(shown), *_measured(shown, sources.study), *_to_try(name, shown)]
    else:
        parts += ["## What it does", "It was not installed when the [table of servers](../servers.md) was made."]
        parts += _to_try(name, [])
    parts += _settings(name, sources.settings)
    parts += _timeouts(adapter)
    parts += _conformance(name, sources.conformance)
    return "\n\n".join(parts) + "\n"


def of_study(study: str) -> Iterator[Measured]:
    """Every row of the study that is in its table, whether it could be measured or not."""
    measured = {row["row"].replace("\\_", "_"): row for row in rows(study)}
    for case in STUDY.cases:
        target, view = case.experiment.target, case.experiment.view
        if case.id in measured and isinstance(target, ProbeTarget) and view is not None:
            yield Measured(measured[case.id], target, view, case.experiment.max_offered)


def _what_it_is(name: str, adapter: Adapter) -> str:
    *some, last = (INTERFACES[each] for each in adapter.frameworks)
    serves = f"{', '.join(some)} and {last}" if some else last
    needed = [each.requirement for each in adapter.packages if each.requirement and each.distribution]
    install = f"`pip install {needed[0]}` installs it." if needed else "It comes with Python."
    return f"`holdfast probe --server {name}` starts it. It serves {serves}. {install}"


def _in_words(found: list[Measured]) -> Iterator[str]:
    defaults = [each for each in found if not each.target.arguments] or found[:1]
    said = "\n".join(f"- {_sentence(each)}" for each in defaults)
    how = "its defaults" if not defaults[0].target.arguments else defaults[0].row["settings"]
    yield f"With {how}, version {defaults[0].row['server'].partition(' ')[2]}:\n\n{said}"


def _sentence(of: Measured) -> str:
    row = of.row
    text = f"**{of.target.framework}, {_VIEWS[of.view]}**: "
    if _at_once(row).endswith("+"):
        offered = _at_once(row)[:-1]
        text += f"no bound met: all {offered} requests that were offered ran, {_MODELS[row['handlers run on']]}."
    else:
        text += f"{_thousands(_at_once(row))} at once, {_MODELS[row['handlers run on']]}. {_waiting(row)}"
    gone = row["client gone"].partition(" (")[0]
    return f"{text} When a client leaves, its handler {_GONE[gone]}." if gone in _GONE else text


def _at_once(row: Mapping[str, str]) -> str:
    """Without its notes."""
    return row["at once"].split()[0]


def _waiting(row: Mapping[str, str]) -> str:
    own, queue, gets = row["own queue"], row["accept queue"], row["one more gets"]
    if own.endswith("+"):
        return "The server accepts the rest and lets them wait inside; no end of that queue was met."
    places = [f"{_thousands(own)} inside the server"] if own not in {"0", "-", "?"} else []
    if queue.endswith(" full"):
        places.append(f"{_thousands(queue.split()[0])} in the accept queue")
    last = _NEXT.get(gets, f"the next client gets {gets}")
    waits = f"Then {' and '.join(places)} wait" if places else "None wait"
    return f"{waits}; {last}." if last else f"{waits}."


def _measured(found: list[Measured], study: str) -> Iterator[str]:
    yield "## Measured"
    made = re.search(r"Made by .* on (\S+), (.*)\.\n", study)
    assert made is not None, "docs/servers.md says when and where it was made"
    yield f"On {made[1]}, {made[2]}. The columns are explained [below the whole table](../servers.md)."
    head = [column for column in found[0].row if column not in _NOT_SHOWN]
    yield table(head, ([each.row[column] for column in head] for each in found))
    cells = " ".join(cell for each in found for cell in each.row.values())
    notes = dict(re.findall(r"^(\d+)\. (.*)$", study, re.MULTILINE))
    if numbers := sorted({int(number) for number in re.findall(r"\[(\d+)\]", cells)}):
        yield "\n".join(f"- [{number}] {notes[str(number)]}" for number in numbers)


def _to_try(name: str, found: list[Measured]) -> Iterator[str]:
    commands = [(command(each), f"# {_at_once(each.row)} at once") for each in found]
    commands.append((f"holdfast explain --server {name}", "# which setting decides"))
    widest = max(len(line) for line, _ in commands)
    lines = [f"{line:{widest}}   {comment}" for line, comment in commands]
    yield "## Try it"
    if found:
        yield f"`holdfast study servers --only {name}` measures all of it again; these are its rows one by one."
    yield "```sh\n" + "\n".join(lines) + "\n```"


def command(of: Measured) -> str:
    """The command line that probes what a row of the study probed."""
    words = ["holdfast", "probe", "--server", of.target.server]
    usual = next(iter(ADAPTERS[of.target.server].frameworks.values()))[0]
    if of.target.framework is not None and of.target.framework != usual:
        words += ["--framework", of.target.framework]
    words += ["--view", of.view, "--max-offered", str(of.offered)]
    return shlex.join([*words, *(("--", *of.target.arguments) if of.target.arguments else ())])


def _settings(name: str, settings: str) -> Iterator[str]:
    yield "## Settings"
    yield "What each one bounds, and how it is given ([all servers](../settings.md)). `holdfast explain` varies them."
    yield section(settings, name)
    sources = {
        row["Server"].lower(): row["The later ones win"] for row in rows(section(settings, "Where a value comes from"))
    }
    yield f"Where a value comes from, the later ones win: {sources.get(name, sources['the others'])}."


def _timeouts(adapter: Adapter) -> Iterator[str]:
    found = adapter.timeouts(())
    if found:
        yield "## Time-outs"
        yield "After which time it is said to end [silent connections](../silent.md)."
        body = [
            (
                each.name,
                f"{each.seconds:g} s" if each.seconds is not None else "none",
                ", ".join(f"`{option}`" for option in each.options if option.startswith("-")) or "none",
                ", ".join(each.ends),
            )
            for each in found
        ]
        yield table(("Time-out", "Default", "Option", "Ends connections that are"), body)


def _conformance(name: str, conformance: str) -> Iterator[str]:
    found = section(conformance, name)
    if found:
        yield "## What its source says"
        yield (
            "What holdfast must find, with the source of each figure. `make conformance` compares "
            "([all servers](../conformance.md), with an explanation of the columns)."
        )
        # What is bold there is what `make test` runs.
        yield found.replace("**", "")
    streams = rows(section(conformance, "Streams of HTTP/2"))
    own = [row for row in streams if row["Server and settings"].partition(",")[0] == name]
    if own:
        yield "### Streams of HTTP/2"
        yield table(list(own[0]), (list(row.values()) for row in own))


def _thousands(number: str) -> str:
    return f"{int(number):,}" if number.isdigit() else number
