"""An explanation for a person's terminal: what decides, the trials that show it, and what they rule out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from holdfast.model.advice import Advice, Wish
from holdfast.model.binding import INSIDE, Binding
from holdfast.model.explanation import Explanation, RequestCost, Slope
from holdfast.model.places import Place
from holdfast.model.sizes import shown_size
from holdfast.model.trial import SET_AT_START, RivalKind, Trial, named
from holdfast.report.layout import Column, Indent, Renderable, Stack, Table, Text, doubt
from holdfast.report.overload import render_overload
from holdfast.report.silent import render_silent

_KIB = 1024
_ALIKE = 2
_LONGER = 2
# What sets a limit of a library to a number (AnyIO, to_thread.current_default_thread_limiter(); asyncio,
# loop.set_default_executor()).
_IN_THE_APPLICATION = {
    "AnyIO tokens": "anyio.to_thread.current_default_thread_limiter().total_tokens = {}",
    "default executor": "asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor({}))",
}
# CPython, concurrent/futures/thread.py, ThreadPoolExecutor.__init__().
_COMPUTED = {
    "default executor": "Unless something sets another one, the default executor has min(32, cores + 4) threads; since "
    "Python 3.13, PYTHON_CPU_COUNT is the number of cores where it is set."
}
_PLACES = {
    "in_service": "requests at once",
    "userspace_queue": "accepted requests",
    "accept_queue": "accept queue",
    "one_connection": "streams of one connection",
}


def render_explanation(explanation: Explanation) -> Renderable:
    """The whole explanation, as a person reads it."""
    parts: list[Renderable] = [_title(explanation), Text(), Indent(headline(explanation), 2), Text()]
    parts += [Indent(_trials(explanation), 2), Text()]
    parts += [Indent(Text(line), 2) for line in sentences(explanation)]
    if explanation.overload is not None:
        parts += [Text(), render_overload(explanation.overload)]
    if explanation.silent is not None:
        parts += [Text(), Text("Silent clients", style="bold"), Indent(render_silent(explanation.silent), 2)]
    if explanation.verdict.warnings:
        parts.append(Text())
        parts += map(doubt, explanation.verdict.warnings)
    return Stack(*parts)


def _title(explanation: Explanation) -> Text:
    target = explanation.verdict.target
    title = Text(f"{target.server} {target.version or ''}".rstrip(), style="bold")
    python = f"  {target.interpreter}".rstrip()
    return title.append(f"  {target.app}{python}", style="not bold dim")


def headline(explanation: Explanation) -> Renderable:
    """How many requests run at once, and what decides that."""
    ceiling, binding = explanation.verdict.ceiling, explanation.verdict.binding
    if binding is not None and binding.setting == INSIDE:
        requests = "request" if binding.effective == 1 else "requests"
        text = Text(f"{binding.effective} {requests} at once", style="bold green")
        return text.append("  decided inside the application", style="not bold")
    number = "an unknown number of" if ceiling.in_service is None else str(ceiling.in_service)
    how = "" if ceiling.bounded else "at least "
    requests = "request" if ceiling.in_service == 1 else "requests"
    text = Text(f"{how}{number} {requests} at once", style="bold green" if binding else "bold yellow")
    if binding is None:
        why = "no bound was met" if ceiling.bounded is False else "what decides that was not found"
        return text.append(f"  {why}", style="not bold")
    return text.append(f"  decided by {binding.setting}: ", style="not bold").append(binding.formula, style="bold")


def _trials(explanation: Explanation) -> Renderable:
    heads, rows = trial_table(explanation)
    run, *changed, at_once, _purpose = heads
    table = Table(
        Column(run, right=True),
        *(Column(name, right=True, whole=True) for name in changed),
        Column(at_once, right=True),
        Column(""),
    )
    for cells in rows:
        table.add_row(*cells)
    return table


def trial_table(explanation: Explanation) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Heads and rows: each trial with the law's settings and those changed in any, what ran at once, its purpose."""
    changed = list(dict.fromkeys([*_in_the_law(explanation), *_changed(explanation)]))
    # Those of the queues are told with the queues.
    queues = {each.name for each in explanation.rivals if each.place is not Place.IN_SERVICE}
    changed = [name for name in changed if name not in queues]
    kinds = {each.name: each.kind for each in explanation.rivals}
    rows = []
    for trial in explanation.trials:
        values = {each.name: each.value for each in trial.values}
        cells = [_shown(values.get(name), kinds.get(name)) for name in changed]
        rows.append((_or_dash(trial.run), *cells, _at_once(trial), trial.purpose or "as asked"))
    return ("run", *changed, "at once", "purpose"), tuple(rows)


def _changed(explanation: Explanation) -> Iterator[str]:
    return (each.name for trial in explanation.trials for each in trial.changes)


def _in_the_law(explanation: Explanation) -> Iterator[str]:
    """The settings of the law, also where no trial changed them: their values may come from a file or a variable."""
    binding = explanation.verdict.binding
    formula = "" if binding is None else binding.formula
    known = {each.name for each in explanation.trials[0].values}
    of_law = (each.name for each in explanation.rivals if each.name in known)
    return (name for name in of_law if re.search(rf"(?<![\w]){re.escape(name)}(?![\w])", formula))


def _at_once(trial: Trial) -> str:
    if trial.in_service is None:
        return "no verdict"
    return str(trial.in_service) if trial.bounded else f"{trial.in_service} or more"


def _shown(number: int | None, kind: RivalKind | None) -> str:
    if number is None or kind not in {"bytes", "switch"}:
        return _or_dash(number)
    return shown_size(number) if kind == "bytes" else ("on" if number else "off")


def _or_dash(number: int | None) -> str:
    return "-" if number is None else str(number)


def sentences(explanation: Explanation) -> Iterator[str]:
    """Each finding as one sentence, with the runs behind it."""
    yield from _beside(explanation)
    yield from _set_at_start(explanation)
    for each in explanation.bindings:
        if each.place != "in_service":
            yield _other_place(each)
    for undecided in explanation.undecided:
        if undecided.place == "in_service":
            start = "" if explanation.verdict.ceiling.bounded is False else "Undecided: "
            sentence = f"{start}{undecided.why}."
            yield sentence[0].upper() + sentence[1:]
    yield from _not_shown(explanation)
    backlogs = {each.name for each in explanation.rivals if each.place is Place.ACCEPT_QUEUE}
    by: dict[str, list[str]] = {}
    for ruled_out in explanation.ruled_out:
        name = ruled_out.setting
        said = f"{name} (the backlog)" if name in backlogs and "backlog" not in name else name
        by.setdefault(ruled_out.by, []).append(said)
    for reason, names in by.items():
        yield f"Ruled out: {', '.join(names)} ({reason})."
    yield from _held_up(explanation)
    yield from _next(explanation)
    yield from _failures(explanation)
    yield from _cost(explanation.cost)
    if explanation.advice is not None:
        yield from _advice(explanation.advice, explanation.trials[0])
    yield from _cut_short(explanation)
    again = "" if explanation.run is None else f" holdfast show {explanation.run} prints this again."
    number = _probes(explanation)
    yield f"{number} {'probe' if number == 1 else 'probes'} in {explanation.seconds:.1f} s.{again}"


def _beside(explanation: Explanation) -> Iterator[str]:
    """What there is to know of the setting that decides, besides its law."""
    binding = explanation.verdict.binding
    if binding is None:
        return
    if binding.setting == INSIDE:
        yield f"Inside the application: {'; '.join(binding.evidence)}."
        if binding.effective != explanation.trials[0].in_service:
            yield "The runs above hold each request before its body, so they count those too that would wait in it."
    if binding.setting in _COMPUTED:
        yield _COMPUTED[binding.setting]


def _set_at_start(explanation: Explanation) -> Iterator[str]:
    """What no trial could change."""
    for each in explanation.rivals:
        if each.fixed == SET_AT_START:
            yield f"{each.name} stayed at {_shown(each.value, each.kind)}: {each.fixed}. Change it there."


def _not_shown(explanation: Explanation) -> Iterator[str]:
    """That a person's command names no server whose settings could be varied."""
    target, known = explanation.verdict.target, explanation.verdict.binding is not None
    of_server = [each for each in explanation.rivals if not each.inside and each.kind not in {"share", "bytes"}]
    # Of a person's own command, the version of the server is not known.
    if not known and not of_server and target.version is None:
        yield (
            f"The command does not show which server it starts: {target.app}. If it starts one from Python, a Procfile "
            "or a supervisor's file, explain that server's own command: holdfast explain -- COMMAND"
        )


def _cut_short(explanation: Explanation) -> Iterator[str]:
    if explanation.interrupted:
        yield "Interrupted: this is what was shown by then."
    elif explanation.out_of_time:
        yield "Out of time: a further trial would not have been over within a minute."


def _probes(explanation: Explanation) -> int:
    attempts = () if explanation.advice is None else explanation.advice.attempts
    return len(explanation.trials) + sum(each.trial not in explanation.trials for each in attempts)


def _other_place(binding: Binding) -> str:
    effective = ""
    if binding.configured != binding.effective:
        effective = f" ({binding.configured} asked for, {binding.effective} in force)"
    evidence = f" ({'; '.join(binding.evidence)})" if binding.evidence else ""
    return f"{_PLACES[binding.place].capitalize()}: {binding.formula}{effective}{evidence}."


def _held_up(explanation: Explanation) -> Iterator[str]:
    """That bodies took longer together than alone, where it was not seen what they wait for."""
    call, binding = explanation.verdict.call, explanation.verdict.binding
    if call is None or call.at_once is None or (binding is not None and binding.setting == INSIDE):
        return
    together, alone = call.duration_ms, call.alone.duration_ms
    if together is None or alone is None or call.at_once == 1 or together.median < _LONGER * alone:
        return
    gil = "or for a core" if explanation.verdict.target.gil is False else "for a core, or for the interpreter (GIL)"
    yield (
        f"Up to {call.at_once} bodies ran at once, and took {together.median:.3g} ms (median), {alone:.3g} ms alone: "
        f"they hold each other up, at a lock that holdfast does not see, {gil}."
    )


def _next(explanation: Explanation) -> Iterator[str]:
    binding = explanation.verdict.binding
    if binding is None:
        return
    if binding.next is not None:
        found = binding.next
        raised = "once the application lets more run" if binding.setting == INSIDE else f"with {binding.setting} raised"
        yield f"Next limit, {raised}: {found.setting}, at {found.at} requests at once."
    elif explanation.reached is not None and explanation.reached > (explanation.verdict.ceiling.in_service or 0):
        yield f"Next limit: none was met up to {explanation.reached} requests at once."


def _failures(explanation: Explanation) -> Iterator[str]:
    for trial in explanation.trials:
        if trial.failure:
            said = ", ".join(f"{each.name}={each.value}" for each in trial.changes)
            yield f"With {said or 'nothing changed'} there was no verdict: {trial.failure}"


def _advice(advice: Advice, first: Trial) -> Iterator[str]:
    wish = advice.wish
    if wish.busy is not None:
        yield (
            f"{wish.rate_per_s:g} requests a second of {wish.service_s:g} s keep {wish.busy:.4g} places busy on "
            f"average (Little's law); {wish.at_once} places {_why_so_many(wish)}."
        )
    within = "" if wish.memory_bytes is None else f" within {_mib(wish.memory_bytes)}"
    if advice.fulfilled and advice.best is None:
        yield f"{wish.at_once} requests at once{within} need no change: {named(first)} had {first.in_service}."
        return
    if advice.best is None:
        yield f"No proposal for {wish.at_once} requests at once{within}: {advice.why_not}."
        return
    best = advice.best.trial
    said = ", ".join(f"{each.name}={each.value}" for each in advice.changes) or "nothing changed"
    beside = f"{best.in_service} at once in {named(best)}, {first.in_service} now"
    memory = ""
    if best.full_bytes is not None:
        # Requests that only waited took memory too: with many more of them, the first run cannot be compared.
        alike = first.full_bytes is not None and first.offered <= _ALIKE * best.offered
        now = f", {_mib(first.full_bytes)} now" if alike and first.full_bytes is not None else ""
        memory = f"; {_mib(best.full_bytes)} of memory{now}"
    if advice.fulfilled:
        yield f"For {wish.at_once} requests at once{within}: {said} ({beside}{memory})."
    else:
        yield f"{wish.at_once} requests at once{within} were not reached: {advice.why_not}."
        yield f"The most that was reached: {said} ({beside}{memory})."
    inside = [line for each in advice.changes if (line := _IN_THE_APPLICATION.get(each.name, "").format(each.value))]
    if inside:
        yield f"That is set in the application as it starts: {'; '.join(inside)}"
        yield f"Then see it with: {shlex.join(advice.best.command)}"
    else:
        yield f"See it with: {shlex.join(advice.best.command)}"


def _why_so_many(wish: Wish) -> str:
    if wish.p99_s is None:
        return "are busy for at most 80 % of the time"
    return f"let 99 in 100 be answered within {wish.p99_s:g} s (Erlang C)"


def _mib(number: int) -> str:
    return f"{number / (1 << 20):.0f} MiB"


def _cost(cost: RequestCost) -> Iterator[str]:
    parts = [
        _of(cost.descriptors, "descriptor"),
        _of(cost.threads, "thread"),
        _of(cost.processes, "process"),
        "" if cost.memory_bytes is None or cost.memory_bytes.value < _KIB else _memory(cost.memory_bytes),
    ]
    said = [each for each in parts if each]
    if said:
        yield f"One more request in service costs {', '.join(said)}."


def _of(slope: Slope | None, what: str) -> str:
    if slope is None or slope.most <= 0:
        return ""
    plural = "" if slope.value == 1 else "es" if what == "process" else "s"
    between = "" if slope.least == slope.most else f" ({slope.least:g} to {slope.most:g})"
    return f"{slope.value:g} {what}{plural}{between}"


def _memory(slope: Slope) -> str:
    least, value, most = (f"{each / _KIB:.0f}" for each in (slope.least, slope.value, slope.most))
    return f"{value} KiB of memory" + (f" ({least} to {most})" if least != most else "")
