"""What a type checker knows of a program that calls holdfast; checked by mypy and never run."""

from __future__ import annotations

from typing import assert_type

import holdfast


def ceilings(url: str) -> list[int | None]:
    """A program that asks everything."""
    verdict = holdfast.probe("app:app", server="gunicorn", args=["--threads", "8"], nofile=256, headers={"A": "b"})
    outside = holdfast.attach(url, timeout=3)
    explanation = holdfast.explain(command=["gunicorn", "app:app"], want=16, service_time="200ms")
    result = holdfast.load(url, rate="100/s", for_=10, threshold=["p99<200ms"])
    capacity = holdfast.capacity("app:app", server="gunicorn", threshold="p99<200ms", for_="5s")
    assert_type(capacity, holdfast.Capacity)
    assert_type(verdict, holdfast.Verdict)
    assert_type(explanation, holdfast.Explanation)
    assert_type(result, holdfast.LoadResult)
    assert_type(holdfast.to_json(result), bytes)
    assert_type(result.latency_from_due_ms.p99, float | None)
    return [each.ceiling.in_service for each in (verdict, outside, explanation.verdict)]


def mistakes(url: str) -> None:
    """What a type checker finds before anything is run; an ignore that is not needed is an error of its own."""
    holdfast.probe(max_ofered=3)  # type: ignore[call-arg]
    holdfast.probe(args="--threads", view="asynk")  # type: ignore[arg-type]
    holdfast.load(url, expect_status="200")  # type: ignore[arg-type]


def refused() -> str:
    """An error in three parts."""
    try:
        holdfast.probe()
    except holdfast.HoldfastError as error:
        return error.what + error.why + error.remedy
    return ""
