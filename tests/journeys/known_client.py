"""A client whose time and surroundings a test decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.journeys.client import Client, Shared, Surroundings
from holdfast.journeys.steps import Sending
from holdfast.model.answers import Answer
from holdfast.model.journey import Crew, Journeys, Sequence, Stay

NOW_MS = 1_709_294_400_123  # 2024-03-01 12:00:00.123 UTC


def known_client(  # parameters: what a client knows
    variables: Mapping[str, str] | None = None,
    *,
    client: int = 1,
    iteration: int = 1,
    files: Mapping[str, bytes] | None = None,
    environment: Mapping[str, str] | None = None,
    answer: Answer | None = None,
    sent: Sending | None = None,
    remembered: dict[object, Any] | None = None,
) -> Client:
    """A client of the crew `moles`, whose request `dig` is being put together."""
    crew = Crew("moles", Sequence(()), (Stay(0),) * client, missing="as written")
    surroundings = Surroundings(
        NOW_MS * 1_000_000, files or {}, environment or {}, machine=("desk", "192.0.2.7"), plan="plan.jmx"
    )
    shared = Shared(Journeys((crew,)), surroundings=surroundings)
    if remembered is not None:
        shared.remembered = remembered
    known = Client(crew, client - 1, shared)
    known.variables.update(variables or {})
    known.iteration = iteration
    known.labels(("dig",))
    known.answer, known.sent = answer, sent
    return known
