"""What waits in the queue of an executor, as a question from outside finds it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor

from holdfast.inside.holdfast_inside import executors


class Lazy:
    """As Django's lazy objects and Werkzeug's proxies: it does something when it is asked for what it has not."""

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(f"asked for {name}")


def test_what_a_callback_keeps_is_found_without_asking_objects_of_the_persons() -> None:
    let_go, lazy = threading.Event(), Lazy()
    kept: list[object] = []
    loop = asyncio.new_event_loop()
    told = loop.create_future()

    def tell(_done: Future[bool]) -> None:
        kept[:] = lazy, told

    with ThreadPoolExecutor(1) as pool:
        pool.submit(let_go.wait)
        waits = pool.submit(let_go.is_set)
        waits.add_done_callback(tell)
        try:
            found = executors.queued()
        finally:
            let_go.set()
    loop.close()

    assert {id(waits), id(told)} <= found.keys()
