"""Parses the schedule of JMeter's Open Model Thread Group into phases of arrivals; pure.

    rate(10/min) random_arrivals(5 min) rate(1/sec) even_arrivals(30 s) pause(10 s) /* a comment */ // another

A rate holds until the next one. Arrivals followed by a rate rise or fall to it; otherwise they keep their rate.
Source: apache/jmeter, threads/openmodel/scheduleParser.kt, scheduleTokenizer.kt, ThreadScheduleProcessGenerator.kt.
"""

from __future__ import annotations

import re

from holdfast.model.frozen import frozen
from holdfast.model.schedule import Segment

_TOKEN = re.compile(
    r"\s+|/\*.*?\*/|//[^\n\r]*"
    r"|(?P<number>\d+(?:\.\d+)?|\.\d+)|(?P<word>[A-Za-z][A-Za-z0-9_]*)|(?P<mark>[()/])",
    re.DOTALL,
)
_UNITS = (("ms", 0.001, False), ("sec", 1.0, True), ("s", 1.0, False), ("min", 60.0, True), ("m", 60.0, False))
_LONG_UNITS = (("hour", 3600.0, True), ("h", 3600.0, False), ("day", 86400.0, True), ("d", 86400.0, False))
_WORDS = ("rate", "random_arrivals", "even_arrivals", "pause")


@frozen
class _Token:
    text: str
    kind: str
    at: int


@frozen
class _Rate:
    per_s: float


@frozen
class _Arrivals:
    for_s: float
    by_chance: bool


def phases(text: str) -> tuple[Segment, ...]:
    """Parses a schedule; a whole number alone means that many arrivals within one second.

    Raises:
        ValueError: it is not a schedule; the message names the character.
    """
    if re.fullmatch(r"\s*\d+\s*", text):
        return (Segment(float(text), float(text), 1.0),)
    steps = _Parser(text).steps()
    rate = 0.0
    found = []
    for index, step in enumerate(steps):
        if isinstance(step, _Rate):
            rate = step.per_s
            continue
        following = steps[index + 1] if index + 1 < len(steps) else None
        end = following.per_s if isinstance(following, _Rate) else rate
        if step.for_s > 0:
            found.append(Segment(rate, end, step.for_s, step.by_chance))
    return tuple(found)


class _Parser:
    """Takes tokens one after another; `at` is the index of the next one."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.end = len(text)

    def steps(self) -> list[_Rate | _Arrivals]:
        steps: list[_Rate | _Arrivals] = []
        rate = _Rate(0.0)
        while self.at < len(self.tokens):
            word = self.take("word", f"one of {', '.join(_WORDS)}").lower()
            if word not in _WORDS:
                raise self.error(f"{word!r} is unknown; use {', '.join(_WORDS)}", self.at - 1)
            self.expect("(")
            if word == "rate":
                rate = self.rate()
                steps.append(rate)
            elif word == "pause":
                # A rate does not rise or fall to a pause: the arrivals before and after it keep theirs.
                pause = _Arrivals(self.duration(), by_chance=False)
                steps += [rate, _Rate(0.0), pause, _Rate(0.0), rate] if rate.per_s else [pause, rate]
            else:
                steps.append(_Arrivals(self.duration(), by_chance=word == "random_arrivals"))
            self.expect(")")
        return steps

    def rate(self) -> _Rate:
        count = float(self.take("number", "a number"))
        if not count and self.is_next(")"):
            return _Rate(0.0)
        if not self.is_next("per"):
            self.expect("/")
        else:
            self.at += 1
        return _Rate(count / self.unit_s())

    def duration(self) -> float:
        seconds = 0.0
        while True:
            count = float(self.take("number", "a number"))
            if not count and self.is_next(")"):
                return seconds
            seconds += count * self.unit_s()
            if self.at >= len(self.tokens) or self.tokens[self.at].kind != "number":
                return seconds

    def unit_s(self) -> float:
        word = self.take("word", "a unit: ms, s, min, h or d").lower()
        for name, seconds, longer in (*_UNITS, *_LONG_UNITS):
            if word == name or (longer and word.startswith(name)):
                return seconds
        raise self.error(f"{word!r} is not a unit; use ms, s, min, h or d", self.at - 1)

    def take(self, kind: str, what: str) -> str:
        if self.at < len(self.tokens) and self.tokens[self.at].kind == kind:
            self.at += 1
            return self.tokens[self.at - 1].text
        raise self.error(f"{what} is missing", self.at)

    def expect(self, text: str) -> None:
        if not self.is_next(text):
            raise self.error(f"{text} is missing", self.at)
        self.at += 1

    def is_next(self, text: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at].text.lower() == text

    def error(self, why: str, at: int) -> ValueError:
        position = self.tokens[at].at if at < len(self.tokens) else self.end
        return ValueError(f"at character {position + 1}, {why}")


def _tokens(text: str) -> list[_Token]:
    found = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"at character {at + 1}, {text[at]!r} is not allowed")
        if match.lastgroup is not None:
            found.append(_Token(match[0], match.lastgroup, at))
        at = match.end()
    return found
