"""Applications of ASGI 2, which a server calls with the scope, and what that returns with receive and send."""

from __future__ import annotations

import asyncio

from holdfast.inside.holdfast_inside import entry_wrappers, interface


class Double:
    def __call__(self, scope):
        async def instance(receive, send):
            await send({"type": "http.response.start", "status": 204, "headers": [], "path": scope["path"]})

        return instance


def test_a_server_that_was_handed_an_application_of_asgi_2_calls_it_so():
    sent = []

    async def send(message):
        sent.append(message)

    async def call(application):
        await application({"type": "http", "path": "/", "headers": []})(None, send)

    wrapped = entry_wrappers.wrap_once(Double(), "daphne.server", entry_wrappers.EntryPoint("", interface="asgi"))
    asyncio.run(call(wrapped))

    assert interface.is_double_callable(wrapped)
    assert [each["path"] for each in sent] == ["/"]
