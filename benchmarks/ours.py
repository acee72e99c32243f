"""holdfast's load engine as a program of its own, as the other load generators are; prints one JSON object.

python -m benchmarks.ours PORT open REQUESTS SECONDS       open model, one connection for each request
python -m benchmarks.ours PORT kept REQUESTS SECONDS       open model, connections are used again
python -m benchmarks.ours PORT closed CONNECTIONS SECONDS  closed model, connections are kept
"""

from __future__ import annotations

import json
import sys

from holdfast.load import schedule
from holdfast.load.http1 import host_field, request_head
from holdfast.load.plan import Closed, Open, Plan
from holdfast.load.processes import load_run

ADDRESS = "127.0.0.1"
MOST_PER_S = 200_000


def main() -> None:
    port, model, count, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    if model != "closed":
        shape: Open | Closed = Open(schedule.spread(count, seconds))
    else:
        shape = Closed(count, int(MOST_PER_S * seconds), seconds)
    head = request_head("GET", "/", host_field(ADDRESS, port))
    summary = load_run(Plan(ADDRESS, port, head, shape, keep_alive=model != "open")).summary
    told = {
        "outcomes": {outcome.name.lower(): number for outcome, number in summary.outcomes.items()},
        "throughput_per_s": summary.throughput_per_s,
        "peak_in_flight": summary.peak_in_flight,
        "lag_p50_ns": summary.pacing_lag.p50,
        "lag_p99_ns": summary.pacing_lag.p99,
        "lag_max_ns": summary.pacing_lag.max,
        "latency_p50_ns": summary.latency_from_due.p50,
        "latency_p99_ns": summary.latency_from_due.p99,
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
