"""A Flask application whose views just sleep: what a held request is compared with. Knows nothing of holdfast.

Run as a script it serves itself as `app.run` does: `sleeping_app.py PORT [PROCESSES]`.
"""

from __future__ import annotations

import sys
import time

from flask import Flask

LONG_S = 3600

application = Flask("sleeping", static_folder=None)


@application.get("/sync")
def sleep_in_view() -> str:
    time.sleep(LONG_S)
    return "slept\n"


@application.get("/async")
async def sleep_in_async_view() -> str:
    import asyncio  # noqa: PLC0415 - a server of sync views does not load it

    await asyncio.sleep(LONG_S)
    return "slept\n"


if __name__ == "__main__":
    processes = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    application.run("127.0.0.1", int(sys.argv[1]), threaded=processes == 1, processes=processes)
