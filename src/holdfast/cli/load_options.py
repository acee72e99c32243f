"""The options of `holdfast load`: how they are called, checked and explained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.api import option_values
from holdfast.cli.click_types import checked, header_option, insecure_option
from holdfast.cli.option_groups import (
    CHECKS,
    CONNECTIONS,
    OUTPUT,
    REQUESTS,
    SENDERS,
    SESSIONS,
    SHAPE,
    TARGET,
    declared,
    option,
)
from holdfast.cli.sending_options import (
    allow_remote_option,
    answer_options,
    data_option,
    method_option,
    processes_option,
)
from holdfast.cli.whole_number import WholeNumber
from holdfast.engine import quantities
from holdfast.model.load import MOST_REQUESTS
from holdfast.model.scenario import DEFAULT_TIMEOUT_S
from holdfast.model.shapes import MOST_CLIENTS

if TYPE_CHECKING:
    from holdfast.model.answers import Extract


def _extract(text: str) -> Extract:
    from holdfast.api.extract_syntax import named_extract  # few loads take something from answers

    return named_extract(text)


_COUNT = WholeNumber(1, MOST_REQUESTS)
_FILE = click.Path(path_type=Path)
_SOME_TIME = checked(quantities.some_time_s)

EXAMPLES = """\b
Examples:
  holdfast load http://127.0.0.1:8000/ --rate 100/s --for 10s
  holdfast load http://127.0.0.1:8000/ --clients 50 --for 10s --threshold 'p99<200ms'
  holdfast load http://127.0.0.1:8000/slow --burst 200 --json -
  holdfast load http://127.0.0.1:8000/orders/{id} --ramp 10:500/30s --csv rows.csv
  holdfast load --jmx plan.jmx -J users=50
  holdfast load http://127.0.0.1:8000 --har recording.har

DURATION is a number with ms, s, m or h, such as 500ms, 10s or 2m; without a unit it is seconds. RATE is a number of
requests per second, or such as 100/s, 6000/m.
"""


load_options = declared(
    option(TARGET, "--jmx", type=_FILE, metavar="FILE", help="Run a JMeter test plan, on URL if there is one."),
    option(TARGET, "--har", type=_FILE, metavar="FILE", help="Replay what a browser recorded, on URL if there is one."),
    option(
        TARGET,
        "--map",
        "maps",
        multiple=True,
        metavar="HOST[=URL]",
        help="Load this server of the file, or URL instead of it (repeatable); others are left out.",
    ),
    option(
        TARGET,
        "-J",
        "properties",
        multiple=True,
        metavar="NAME=VALUE",
        callback=checked(quantities.property_),
        help="Set a property of the JMeter plan, or a value of the scenario (repeatable).",
    ),
    allow_remote_option(),
    insecure_option(),
    option(
        SHAPE,
        "--requests",
        type=_COUNT,
        metavar="N",
        help="Send this many requests; with --clients, all clients together.",
    ),
    option(
        SHAPE,
        "--over",
        "over_s",
        metavar="DURATION",
        callback=checked(quantities.duration_s),
        help="Spread --requests evenly over this time.",
    ),
    option(
        SHAPE,
        "--rate",
        metavar="RATE",
        callback=checked(quantities.rate_per_s),
        help="Send at this constant rate until --for or --requests is reached.",
    ),
    option(
        SHAPE,
        "--for",
        "for_s",
        metavar="DURATION",
        callback=checked(quantities.duration_s),
        help="Stop after this time; with --rate, --clients or --jmx.",
    ),
    option(
        SHAPE,
        "--ramp",
        metavar="RATE:RATE/DURATION",
        callback=checked(quantities.ramp),
        help="Change the rate evenly, as in 10:500/30s.",
    ),
    option(
        SHAPE,
        "--stages",
        metavar="RATE:DURATION,...",
        callback=checked(quantities.stages),
        help="Send at one rate after the other, as in 100/s:10s,500/s:30s.",
    ),
    option(SHAPE, "--burst", type=_COUNT, metavar="N", help="Send this many requests at once."),
    option(
        SHAPE,
        "--clients",
        type=WholeNumber(1, MOST_CLIENTS),
        metavar="N",
        help="Closed model: each of N clients sends its next request when its last one has ended.",
    ),
    option(
        SHAPE,
        "--think",
        metavar="DURATION",
        callback=checked(quantities.pause),
        help="Pause each client before each request; 1s-3s is a random pause.",
    ),
    option(
        SHAPE,
        "--pauses",
        type=click.FloatRange(0, 1_000_000),
        metavar="FACTOR",
        help="Keep the pauses of --har, this many times as long: 1 as recorded.",
    ),
    option(SHAPE, "--poisson", is_flag=True, help="Randomize arrivals around the rates of --rate or --stages."),
    option(SHAPE, "--seed", type=int, default=0, show_default=True, metavar="N", help="Seed of everything random."),
    option(
        SHAPE,
        "--stop",
        metavar="RULE",
        callback=checked(quantities.stop_rule),
        help="End the load early: first-failure, or errors>10%.",
    ),
    method_option(),
    header_option(option_values.header_of_a_load),
    data_option(),
    option(
        REQUESTS,
        "--data-rows",
        type=_FILE,
        metavar="FILE",
        help="Fill {column} in path, headers and body from the rows of a CSV file with a header line.",
    ),
    option(
        REQUESTS, "--once", is_flag=True, help="End the load with the last of --data-rows instead of starting over."
    ),
    option(
        SESSIONS,
        "--first",
        multiple=True,
        metavar="REQUEST",
        help="Let each client send this once before URL, as in 'POST /login name=ann' (repeatable).",
    ),
    option(
        SESSIONS,
        "--then",
        multiple=True,
        metavar="REQUEST",
        help="Let each client send this after URL, as in /orders/{number} (repeatable).",
    ),
    option(
        SESSIONS,
        "--extract",
        "extracts",
        multiple=True,
        metavar="NAME=KIND:WHERE",
        callback=checked(_extract),
        help="Take {NAME} from an answer by json:, regex:, header:, boundary:, css: or xpath: (repeatable).",
    ),
    option(SESSIONS, "--cookies", is_flag=True, help="Let each client keep the cookies that it is given."),
    option(
        SESSIONS,
        "--follow",
        type=WholeNumber(0, option_values.MOST_HOPS),
        metavar="N",
        help="Follow at most N redirects of a request; each is counted as a request.",
    ),
    option(
        SESSIONS,
        "--hook",
        "hooks",
        multiple=True,
        metavar="FILE.py:FUNCTION",
        help="Call this function with each answer and the client's values; it returns new values (repeatable).",
    ),
    *answer_options(),
    option(
        CHECKS,
        "--expect-match",
        "body_patterns",
        multiple=True,
        metavar="REGEX",
        callback=checked(quantities.pattern),
        help="Require a match of this regular expression in the body (repeatable).",
    ),
    option(
        CHECKS,
        "--threshold",
        "thresholds",
        multiple=True,
        metavar="RULE",
        callback=checked(quantities.threshold),
        help="Exit with 1 unless this holds, as in p99<200ms or errors<1% (repeatable).",
    ),
    option(
        CONNECTIONS,
        "--keep-alive/--no-keep-alive",
        default=None,
        help="Reuse connections, or open one for each request.  [default: reuse with --clients]",
    ),
    option(
        REQUESTS,
        "--events",
        is_flag=True,
        help="Replies are streams of events (text/event-stream, JSON lines, pieces): measure each event.",
    ),
    option(
        CONNECTIONS,
        "--http2",
        is_flag=True,
        help="Speak HTTP/2: with prior knowledge to http://, after ALPN to https://.",
    ),
    option(
        CONNECTIONS,
        "--streams",
        type=WholeNumber(1, option_values.MOST_STREAMS),
        metavar="N",
        help="With --http2, send at most N requests at once on a connection; with --clients, each has N.  "
        "[default: 1 with --clients, otherwise 100]",
    ),
    option(
        CONNECTIONS,
        "--connect-timeout",
        "connect_s",
        metavar="DURATION",
        callback=_SOME_TIME,
        help="Give up a connection attempt after this time.",
    ),
    option(
        CONNECTIONS,
        "--first-byte-timeout",
        "first_byte_s",
        metavar="DURATION",
        callback=_SOME_TIME,
        help="Give up a request whose reply has not begun after this time.",
    ),
    option(
        CONNECTIONS,
        "--timeout",
        "timeout_s",
        metavar="DURATION",
        callback=_SOME_TIME,
        default=f"{DEFAULT_TIMEOUT_S:g}s",
        show_default=True,
        help="Give up a request that has not ended after this time.",
    ),
    option(
        CONNECTIONS,
        "--source",
        "sources",
        multiple=True,
        metavar="ADDRESS",
        callback=checked(quantities.source),
        help="Send from this IP address of this machine (repeatable).",
    ),
    processes_option(),
    option(
        SENDERS,
        "--cluster",
        metavar="ADDRESS",
        callback=checked(quantities.cluster),
        help="Share the load among the workers of this Dask scheduler; local:N starts N workers here.",
    ),
    option(OUTPUT, "--quiet", is_flag=True, help="Show nothing while the load runs."),
    option(
        OUTPUT,
        "--prometheus",
        type=WholeNumber(0, 65535),
        metavar="PORT",
        help="Serve Prometheus metrics on this port during the run; 0 is any free port.",
    ),
)
"""All of them but those that say where results go (`load_report.output_options`)."""
