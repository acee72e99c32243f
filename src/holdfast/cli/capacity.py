"""`holdfast capacity`: the highest rate that holds, and what ends it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from holdfast.api import option_values
from holdfast.api.input_files import read_body
from holdfast.api.searching import (
    AskedSearch,
    Searched,
    check_rates,
    checked_thresholds,
    names_a_url,
    searched,
    shown_again,
    timeout_s_for,
    title_of,
)
from holdfast.cli.answer import bid_farewell
from holdfast.cli.checks import Checks, check_options, checks_of, no_checks
from holdfast.cli.click_types import checked, html_option, insecure_option, json_option, quiet_option
from holdfast.cli.live_view import View, shown_while_it_lasts
from holdfast.cli.option_groups import (
    CONNECTIONS,
    MEASUREMENT,
    GroupedCommand,
    declared,
    option,
)
from holdfast.cli.probe import (
    OF_A_KNOWN_SERVER,
    PORT_OF_PROBE,
    limit_options,
    names_a_known_server,
    request_options,
    server_options,
    target_options,
    typed_experiment,
    was_given,
    with_defaults,
)
from holdfast.cli.sending_options import (
    allow_remote_option,
    answer_options,
    data_option,
    method_option,
    processes_option,
)
from holdfast.console import tell
from holdfast.engine import quantities
from holdfast.engine.processes import Watched
from holdfast.errors import (
    EXIT_ANSWERED,
    EXIT_ENVIRONMENT,
    EXIT_EXPECTATION_FAILED,
    EXIT_INCONCLUSIVE,
)
from holdfast.infer.capacity_search import NextLoad, interval_of
from holdfast.interrupts import Interrupts, listening
from holdfast.model.capacity import DEFAULT_RUN_S, AtRate, Capacity, CapacityAsked, LiveSearch
from holdfast.model.experiment import Experiment
from holdfast.model.live import Watch
from holdfast.model.scenario import Check, Timeouts
from holdfast.model.units import NS_PER_S
from holdfast.searching.run import LoadWatch
from holdfast.searching.subject import Sent

if TYPE_CHECKING:
    from holdfast.checks.fields import Fields
    from holdfast.model.check import CheckResult

_EXAMPLES = """\b
Examples:
  holdfast capacity http://127.0.0.1:8000/ --threshold 'p99<200ms'
  holdfast capacity app.py --server gunicorn --threshold 'p99<200ms' -- -w 2 --threads 8
  holdfast capacity --threshold 'p99<200ms' --threshold 'errors<1%' -- gunicorn -c conf.py shop:app

Arguments after -- are the server's own, as for `holdfast probe`. Without APP and --server, they are your own command,
as for `holdfast exec`.
"""
_OF_A_STARTED_SERVER = (*OF_A_KNOWN_SERVER, "view", "port", "path", "tls", "nofile", "nproc", "address_space")


def _subject_of(text: str) -> str:
    return text if names_a_url(text) else option_values.app_of(text)


@click.command("capacity", cls=GroupedCommand, passes_on=True, epilog=_EXAMPLES)
@click.argument("app", required=False, metavar="[URL|APP]", callback=checked(_subject_of))
@declared(
    *server_options(),
    *target_options(PORT_OF_PROBE, "Kind of the built-in application's view."),
    allow_remote_option(),
    insecure_option(),
    *request_options(),
    method_option(),
    data_option(),
    option(
        MEASUREMENT,
        "--threshold",
        "thresholds",
        multiple=True,
        metavar="RULE",
        callback=checked(quantities.threshold),
        help="Search for the highest rate at which this holds, as in p99<200ms or errors<1% (repeatable).",
    ),
    option(
        MEASUREMENT,
        "--for",
        "run_s",
        metavar="DURATION",
        callback=checked(quantities.some_time_s),
        default=f"{DEFAULT_RUN_S:g}s",
        show_default=True,
        help="Load for this long at each rate near the edge.",
    ),
    option(
        MEASUREMENT,
        "--from",
        "from_per_s",
        metavar="RATE",
        callback=checked(quantities.rate_per_s),
        help="Begin at this rate.  [default: half of what one request after another comes to]",
    ),
    option(
        MEASUREMENT,
        "--up-to",
        "up_to_per_s",
        metavar="RATE",
        callback=checked(quantities.rate_per_s),
        help="Try no higher rate than this.",
    ),
    option(
        MEASUREMENT,
        "--at-most",
        "at_most_s",
        metavar="DURATION",
        callback=checked(quantities.some_time_s),
        help="End the search after this time, with what is known by then.",
    ),
    option(MEASUREMENT, "--poisson", is_flag=True, help="Let requests come at random instants instead of evenly."),
    option(MEASUREMENT, "--seed", type=int, default=0, show_default=True, metavar="N", help="Seed of --poisson."),
    *answer_options(),
    option(
        CONNECTIONS, "--keep-alive/--no-keep-alive", default=False, help="Reuse connections.  [default: one for each]"
    ),
    option(
        CONNECTIONS,
        "--timeout",
        "timeout_s",
        metavar="DURATION",
        callback=checked(quantities.some_time_s),
        help="Give up a request that has not ended after this time.  [default: 10 times the highest threshold, and 5s "
        "at least]",
    ),
    processes_option(),
    *limit_options(),
    *check_options("rate >= 75"),
    html_option(),
    json_option("result"),
    quiet_option("Show nothing while it runs."),
)
@click.pass_context
def capacity(
    context: click.Context,
    /,
    html_target: str | None,
    json_target: str | None,
    quiet: bool,  # noqa: FBT001 - a flag of the command line
    **given: Any,  # noqa: ANN401 - click's options
) -> int:
    """Find the highest rate that a server holds, and what ends it.

    It loads the server at one rate after another until the interval between a rate at which every threshold holds and
    one at which one does not is at most 5 %. Of a server on this machine it then names the place that is full.
    """
    checks = checks_of(given, "capacity", _fields, "capacity")
    asked = _asked(context, given)
    # A signal that comes in between is raised once the result is out.
    with checks.told_without_result(), listening(reports=True) as interrupts, interrupts.undisturbed():
        with shown_while_it_lasts(_view, title_of(asked), quiet=quiet) as shown:
            # A view says what the lines would.
            line = None if shown.watch is not None else shown.tell
            found = searched(asked, interrupts, line, _watch(asked, interrupts, shown.watch))
        if found.unsaved is not None:
            tell(found.unsaved)
        checked_ = _publish(found.found, json_target, checks, html_target)
    bid_farewell(interrupts)
    return checks.exit_code(_code(found), checked_)


def show_capacity(number: int, json_target: str | None) -> int:
    """Prints a saved search again."""
    found = shown_again(number)
    _publish(found, json_target, no_checks("show"))
    return exit_code(found)


def exit_code(found: Capacity) -> int:
    """As docs/exit-codes.md says: "at least" answers where that was all that was to be tried."""
    if found.interrupted or found.out_of_time or found.status in {"unknown", "not stationary"}:
        return EXIT_INCONCLUSIVE
    if found.status == "none":
        return EXIT_EXPECTATION_FAILED
    # If no higher rate was tried, everything held up to the highest one that was to be.
    tried_more = any(each.rate_per_s > (found.interval.low or 0.0) for each in found.loads)
    limited = found.status == "at least" and (tried_more or found.ended_by is not None)
    return EXIT_INCONCLUSIVE if limited else EXIT_ANSWERED


def _code(found: Searched) -> int:
    return EXIT_ENVIRONMENT if found.unsaved is not None else exit_code(found.found)


def _view() -> View[LiveSearch]:
    from holdfast.report.live_capacity import search_view

    return search_view


def _watch(asked: AskedSearch, interrupts: Interrupts, watch: Watch[LiveSearch] | None) -> LoadWatch | None:
    """What is told of each load while it runs; None where it is not seen."""
    if watch is None:
        return None
    began_s = time.monotonic()

    def look(step: NextLoad, before: Sequence[AtRate], watched: Watched) -> None:
        def seen() -> LiveSearch:
            return LiveSearch(
                elapsed_s=time.monotonic() - began_s,
                loads=tuple(before),
                interval=interval_of(asked.asked, before)[0],
                rate_per_s=step.rate_per_s,
                seconds=step.seconds,
                load_s=max(0.0, (time.monotonic_ns() - watched.start_ns) / NS_PER_S),
                begun=sum(watched.tally.begun),
                ended=sum(watched.tally.ended),
                why=step.why,
                asked_to_end=interrupts.heard,
            )

        watch(seen)

    return look


def _publish(found: Capacity, json_target: str | None, checks: Checks, html_target: str | None = None) -> CheckResult:
    from holdfast.cli.checks import with_table
    from holdfast.cli.click_types import put_out
    from holdfast.model.check import NOTHING_EXPECTED
    from holdfast.report.capacity import render_capacity
    from holdfast.report.json import as_json, capacity_json

    picture = partial(render_capacity, found)
    checked_ = checks.check(as_json(found)) if checks.expects else NOTHING_EXPECTED
    checks.write(checked_, picture)
    put_out(
        partial(with_table, picture, checked_),
        (html_target, partial(_html, found)),
        (json_target, partial(capacity_json, found, checked_)),
    )
    checks.tell(checked_, "-" if "-" in {html_target, json_target} else None)
    return checked_


def _html(found: Capacity) -> bytes:
    from holdfast.page.of_capacity import document_of_capacity
    from holdfast.page.render import page

    return page(document_of_capacity(found))


def _fields() -> Fields:
    from holdfast.checks.capacity_fields import capacity_fields

    return capacity_fields()


def _asked(context: click.Context, given: dict[str, Any]) -> AskedSearch:
    thresholds = checked_thresholds(given.pop("thresholds"))
    check_rates(given["from_per_s"], given["up_to_per_s"])
    asked = CapacityAsked(
        thresholds=tuple(each.text for each in thresholds),
        **{name: given.pop(name) for name in ("run_s", "from_per_s", "up_to_per_s", "poisson", "at_most_s")},
        keep_alive=given["keep_alive"],
    )
    allowed = given.pop("allowed_hosts")
    sent = _sent(given, timeout_s_for(thresholds))
    app = given["app"]
    if app is not None and names_a_url(app):
        if misplaced := [name for name in _OF_A_STARTED_SERVER if name != "app" and was_given(context, name)]:
            raise click.UsageError(
                f"--{misplaced[0].replace('_', '-')} is of a server that holdfast starts; {app} runs already.",
                ctx=context,
            )
        if context.obj:
            raise click.UsageError("Give either a URL or a command after --.", ctx=context)
        return AskedSearch(None, app, allowed, sent, asked, thresholds)
    return AskedSearch(_experiment(context, given), "", allowed, sent, asked, thresholds)


def _sent(given: dict[str, Any], usual_timeout_s: float) -> Sent:
    """What is sent; takes the options of it that a started server does not have out of these."""
    data = given.pop("data")
    body = read_body(data)
    statuses, texts = given.pop("expected"), given.pop("body_texts")
    timeout_s = given.pop("timeout_s") or usual_timeout_s
    return Sent(
        method=given.pop("method") or ("GET" if body is None else "POST"),
        headers=tuple(given["headers"]),
        body=body,
        expected=frozenset(statuses) or None,
        checks=tuple(map(Check, texts)),
        timeouts=Timeouts(None, None, timeout_s),
        keep_alive=given.pop("keep_alive"),
        processes=given.pop("processes"),
        seed=given.pop("seed"),
        verify=not given.pop("insecure"),
    )


def _experiment(context: click.Context, given: dict[str, Any]) -> Experiment:
    options = with_defaults(context, given)
    if not context.obj and not names_a_known_server(context, options):
        raise click.UsageError("Say what to load: a URL, an APP with --server, or a command after --.", ctx=context)
    return typed_experiment(context, options)
