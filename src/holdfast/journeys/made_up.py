"""The answer of a `MadeUp`; pure."""

from __future__ import annotations

from holdfast.journeys.client import Client
from holdfast.journeys.numbers import integer
from holdfast.journeys.templates import text_of
from holdfast.model.answers import Answer
from holdfast.model.journey_request import MadeUp


def lasts_ms(node: MadeUp, client: Client) -> int:
    """How long it takes; its name is replaced before, as by JMeter."""
    _ = client.label
    return max(0, integer(text_of(node.lasts_ms, client)))


def made_up(node: MadeUp, client: Client, took_ms: int) -> Answer:
    """The answer, as if it had come now."""
    text = text_of(node.body, client)
    body = text.encode(node.charset, "replace").decode(node.charset).encode()
    return Answer(
        url=text_of(node.url, client),
        answered=text_of(node.answered, client).strip().lower() == "true",
        status=max(0, integer(text_of(node.status, client))),
        message=text_of(node.message, client),
        head="",
        body=body,
        took_ms=float(took_ms),
        size=len(body),
    )
