"""holdfast's load engine without the command around it: no options, no saving, no report; prints one JSON object.

Nobody runs this: it is the second row of a comparison, and shows what the command itself costs.

python -m benchmarks.engine PORT open REQUESTS SECONDS       open model, one connection for each request
python -m benchmarks.engine PORT kept REQUESTS SECONDS       open model, connections are used again
python -m benchmarks.engine PORT closed CONNECTIONS SECONDS  closed model, connections are kept
"""

from __future__ import annotations

import json
import sys

from holdfast.engine.http1 import host_field, request_head
from holdfast.engine.plan import Plan
from holdfast.engine.processes import load_runs
from holdfast.engine.shapes import Closed, Open
from holdfast.model import schedule

ADDRESS = "127.0.0.1"
MOST_PER_S = 200_000


def main() -> None:
    port, model, count, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    if model != "closed":
        shape: Open | Closed = Open(schedule.spread(count, seconds))
    else:
        shape = Closed(count, int(MOST_PER_S * seconds), seconds)
    head = request_head("GET", "/", host_field(ADDRESS, port))
    summary = load_runs((Plan(ADDRESS, port, head, shape, keep_alive=model != "open"),)).summary
    told = {
        "rate_reached_per_s": summary.throughput_per_s,
        "peak_in_flight": summary.peak_in_flight,
        "pacing_lag_us": {"p99": summary.pacing_lag_us.p99},
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
