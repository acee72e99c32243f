"""Starts Tornado's own server, `tornado.httpserver.HTTPServer`: `python -m holdfast_inside.tornado_server`.

With several processes it follows Tornado's documentation: bind, fork, then run an event loop and a server in each
child.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Dict, List

from . import options, runner

KNOWN: options.Known = {
    "processes": ("processes", options.whole),
    "backlog": ("backlog", options.whole),
    "reuse-port": ("reuse_port", True),
    "idle-connection-timeout": ("idle_connection_timeout", options.seconds),
    "body-timeout": ("body_timeout", options.seconds),
    "no-keep-alive": ("no_keep_alive", True),
}
OF_LISTEN = ("backlog", "reuse_port")


def _serve(application: Any, host: str, port: int, keywords: Dict[str, Any]) -> None:  # noqa: ANN401 - may be any
    from tornado import netutil, process

    processes = keywords.pop("processes", 1)
    listening = {name: keywords.pop(name) for name in OF_LISTEN if name in keywords}
    sockets = netutil.bind_sockets(port, host, **listening)
    # 0 means one per core, as everywhere in Tornado.
    if processes != 1:
        process.fork_processes(processes)
    asyncio.run(_run(application, sockets, keywords))


async def _run(application: Any, sockets: List[Any], keywords: Dict[str, Any]) -> None:  # noqa: ANN401 - may be any
    from tornado import httpserver

    server = httpserver.HTTPServer(application, **keywords)
    server.add_sockets(sockets)
    await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    sys.exit(runner.run("Tornado", KNOWN, _serve, interface="tornado"))
