"""What a verdict may say where requests were held in front of code that holdfast cannot see into."""

from __future__ import annotations

from dataclasses import replace

from holdfast.infer.known import because, missing
from holdfast.model.timeline import FirstRequest
from holdfast.model.verdict import Ceiling, Model, Overflow, Verdict

ENTRY_OF_UNKNOWN = "unknown"
"""`via` of a first request that was held so."""
_WITHOUT_VIEW = "entry"
"""`via` of one that was held in a framework that has no view at its path."""


def is_at_entry(first_request: FirstRequest) -> bool:
    """Whether what was measured is the entry's and tells nothing of the view's ceiling.

    Where a framework that is known has no view at the path, and calls views on the thread that it was called on, they
    have the entry's places.
    """
    return first_request.via == ENTRY_OF_UNKNOWN or _is_of_another_thread(first_request)


def _is_of_another_thread(first_request: FirstRequest) -> bool:
    return first_request.via == _WITHOUT_VIEW and first_request.kind != "sync"


def why_at_entry(first_request: FirstRequest) -> str:
    """The reason for each figure of the view."""
    if _is_of_another_thread(first_request):
        return (
            f"requests were held at the {first_request.held_in}, and the framework may run a view on other threads, or "
            "one at a time"
        )
    return (
        f"requests were held at the {first_request.held_in}, and holdfast did not find the function behind it that "
        "answers: a framework may run that function on other threads, or one at a time"
    )


def without_view(verdict: Verdict, first_request: FirstRequest) -> Verdict:
    """The verdict without the figures that are the view's. What the kernel showed of the accept queue stays.

    Where a function at the entry is called for one request at a time, no more than one can run behind it: that ceiling
    is the view's, too. A coroutine there may only have been blocked by the hold.
    """
    seen = verdict.ceiling
    ceiling = replace(Ceiling.unknown(), accept_queue=seen.accept_queue, accept_queue_limit=seen.accept_queue_limit)
    model = replace(Model.unknown(), listen_queues=verdict.model.listen_queues)
    overflow = Overflow(None, (), verdict.overflow.client_sees)
    if seen.in_service == 1 and seen.bounded and seen.interval is None and first_request.kind == "sync":
        ceiling, overflow = seen, verdict.overflow
    target = replace(verdict.target, view=None)
    http2, of_streams = verdict.http2, set[str]()
    if http2 is not None:
        http2 = replace(
            http2,
            on_one_connection=None,
            on_one_connection_bounded=None,
            over_connections=None,
            over_connections_bounded=None,
        )
        of_streams = {*missing("http2", http2)} - {*missing("http2", verdict.http2)}
    nulls = {
        *missing("ceiling", ceiling),
        *missing("model", model),
        *missing("overflow", overflow),
        "target.view",
        *of_streams,
    }
    reasons = because(why_at_entry(first_request), nulls - {"ceiling.interval", "model.handler_threads_reused"})
    return replace(
        verdict,
        ceiling=ceiling,
        model=model,
        overflow=overflow,
        target=target,
        http2=http2,
        unknown={**verdict.unknown, **reasons},
    )
