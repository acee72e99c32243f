"""Results to expect something of, and the fields that each has."""

from __future__ import annotations

from holdfast.checks.explanation_fields import explanation_fields
from holdfast.checks.load_fields import load_fields
from holdfast.checks.verdict_fields import verdict_fields

VERDICT = verdict_fields()
LOAD = load_fields()
EXPLANATION = explanation_fields()

# Of a pool of 8 threads with a queue that was not driven full.
RESULT = {
    "offered": 20,
    "places": {"in_service": 7},
    "ceiling": {"in_service": 8, "bounded": True, "at_exact_load": [8, 8], "userspace_queue": None},
    "model": {"kind": "thread-pool", "spread": [4, 4]},
    "overflow": {"first": "accept_queue", "then": ["syn"], "client_sees": None},
    "cost": {"memory_bytes": 3 * 1024 * 1024, "descriptors": 1.0},
    "timing": {"total_s": 1.5, "pacing_lag_p99_us": 300},
    "call": None,
    "unknown": {"overflow.client_sees": "no request got that far", "call": "--call was not asked for"},
}
LOADED = {
    "offered": 200,
    "outcomes": {"answered": 190, "rejected": 10},
    "statuses": {"200": 190, "503": 10},
    "throughput_per_s": 49.9,
    "latency_from_due_ms": {"p99": 200.0},
    "latency_from_sent_ms": {"p99": 100.0},
    "pacing_lag_us": {"p99": 50},
    "steps": [
        {"label": "GET /", "offered": 100, "outcomes": {"answered": 100}, "latency_from_due_ms": {"p99": 90.0}},
        {"label": "it's", "offered": 100, "outcomes": {"answered": 90}, "latency_from_due_ms": {"p99": None}},
    ],
}
