"""From the arguments of `holdfast.capacity` to the search that they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any

import msgspec

from holdfast.api.asked import started_experiment
from holdfast.api.checked_arguments import checked, several
from holdfast.api.option_layers import Source, plain, read_options
from holdfast.api.searching import AskedSearch, check_rates, checked_thresholds, names_a_url, timeout_s_for
from holdfast.engine import quantities
from holdfast.model.capacity import DEFAULT_RUN_S, CapacityAsked
from holdfast.model.scenario import Check, Timeouts
from holdfast.searching.subject import Sent

_CALL = "holdfast.capacity()"
_Amount = float | str


class _Search(msgspec.Struct, kw_only=True):
    threshold: list[str] = []
    for_: _Amount = DEFAULT_RUN_S
    from_: _Amount | None = None
    up_to: _Amount | None = None
    at_most: _Amount | None = None
    poisson: bool = False
    seed: int = 0
    keep_alive: bool = False
    method: str | None = None
    data: Any = None
    expect_status: list[Annotated[int, msgspec.Meta(ge=100, le=599)]] = []
    expect_body: list[str] = []
    timeout: _Amount | None = None
    processes: Annotated[int, msgspec.Meta(ge=1, le=256)] | None = None
    allow_remote: list[str] = []
    insecure: bool = False


_SEVERAL = ("threshold", "expect_status", "expect_body", "allow_remote")
_CHECKS: Mapping[str, Callable[[str], Any]] = {
    "threshold": quantities.threshold,
    "for_": quantities.some_time_s,
    "from_": quantities.rate_per_s,
    "up_to": quantities.rate_per_s,
    "at_most": quantities.some_time_s,
    "timeout": quantities.some_time_s,
}


def asked_search(subject: str | None, given: Mapping[str, Any]) -> AskedSearch:
    """What is loaded, and what has to hold.

    Args:
        subject: a URL, or an application as `probe` takes it; None is a command, or the built-in application.
        given: the arguments by name, as `options.CapacityOptions` has them without `save`.

    Raises:
        UsageError: an argument is unknown or cannot be used, or two exclude each other.
        EnvironmentFailure: as `started_experiment`.
    """
    source, names = Source(None, _CALL), _Search.__struct_fields__
    own = {name: several(name, value, _SEVERAL) for name, value in given.items() if name in names}
    asked = checked(read_options(plain(own), _Search, source), _CHECKS, source)
    thresholds = checked_thresholds(asked["threshold"])
    check_rates(asked["from_"], asked["up_to"])
    others = {name: value for name, value in given.items() if name not in names}
    search = CapacityAsked(
        thresholds=tuple(each.text for each in thresholds),
        run_s=asked["for_"],
        from_per_s=asked["from_"],
        up_to_per_s=asked["up_to"],
        at_most_s=asked["at_most"],
        poisson=asked["poisson"],
        keep_alive=asked["keep_alive"],
    )
    data = asked["data"].encode() if isinstance(asked["data"], str) else asked["data"]
    if not isinstance(data, bytes | None):
        raise source.wrong("data", f"Expected `str` or `bytes`, got `{type(data).__name__}`.")
    sent = Sent(
        method=asked["method"] or ("GET" if data is None else "POST"),
        body=data,
        expected=frozenset(asked["expect_status"]) or None,
        checks=tuple(map(Check, asked["expect_body"])),
        timeouts=Timeouts(None, None, asked["timeout"] or timeout_s_for(thresholds)),
        keep_alive=asked["keep_alive"],
        processes=asked["processes"],
        seed=asked["seed"],
        verify=not asked["insecure"],
    )
    if subject is not None and names_a_url(subject):
        headers = others.pop("headers", {})
        if others:
            raise source.wrong(next(iter(others)), f"It is of a server that holdfast starts; {subject} runs already.")
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        return AskedSearch(
            None, subject, asked["allow_remote"], replace(sent, headers=tuple(pairs)), search, thresholds
        )
    experiment = started_experiment(subject, others, _CALL)
    return AskedSearch(experiment, "", (), replace(sent, headers=experiment.headers), search, thresholds)
