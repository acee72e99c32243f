"""What became of silent clients in a run, for what shows it."""

from __future__ import annotations

from holdfast.model.silent import EndedBy, SilenceFound

WAITS = SilenceFound(
    silence="nothing",
    connections=4,
    at_least=4,
    by_chance=None,
    tried=4,
    request_gets="waits",
    usual_ms=1.5,
    waited_s=5.02,
    waits_up_to_s=5.04,
    watched_s=5.1,
    answered_once_they_left=None,
    connection_gets="closed",
    ended_after_s=7.0,
    worker_ended=False,
    ended_by=EndedBy("timeout", 5.0, proved=True, changed_to_s=2.0, then_s=2.1),
)
