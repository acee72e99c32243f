"""Options that take a whole number."""

from __future__ import annotations

from typing import Any

import click


class WholeNumber(click.IntRange):
    """A whole number between two others; its error says in words which."""

    name = "whole number"

    def __init__(self, least: int, most: int | None = None) -> None:
        """None: without a bound."""
        super().__init__(least, most)
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401 - click's
        """See click."""
        try:
            number: int | None = int(value)
        except ValueError:
            number = None
        if number is None or number < self._least or (self._most is not None and number > self._most):
            bounds = f"of at least {self._least:,}" if self._most is None else f"from {self._least:,} to {self._most:,}"
            self.fail(f"{value!r} is not a whole number {bounds}.", param, ctx)
        return number
