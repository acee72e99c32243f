"""The conditions of choices and loops, read in a small grammar of their own and never run as code; pure.

    choice      either ("?" choice ":" choice)?        where what is before the ? is true or false
    either      both ("||" both)*                      also: or
    both        one ("&&" one)*                        also: and
    one         "!" one | comparison                   also: not
    comparison  sum (("==" | "!=" | "<" | "<=" | ">" | ">=" | "=~" | "!~" | "eq" | "ne" | ...) sum)?
    sum         product (("+" | "-") product)*
    product     value (("*" | "/" | "%") value)*
    value       operand ("." method "(" arguments ")")*
    operand     text in quotes | number | true | false | null | name | "(" choice ")" | "-" value
                | "!" value                                in script languages, where !a == b is (!a) == b
                | vars.get("name") | props.get("name") | vars["name"] | prev.isSuccessful() | prev.getResponseCode()

References are replaced before, so that what is read is a text like `"done" == "done"`. In conditions of our own, a name
without quotes is the client's variable. JavaScript and JEXL compare a text with a number as numbers, Groovy never does.
Source: ECMA-262, 7.2.14 (IsLooselyEqual); commons.apache.org/jexl, JexlArithmetic (equals, compare).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from holdfast.journeys.calculating import TYPES, added, can_convert, cast, converted, multiplied, signed, subtracted
from holdfast.journeys.comparing import UNDEFINED, JavaText, Value, compared, is_true, matches, written
from holdfast.journeys.condition_literals import NotDefinedError, number_written, text_in_quotes
from holdfast.journeys.condition_tokens import Token, Tokens, tokens_of
from holdfast.journeys.in_time import in_time
from holdfast.journeys.sources import text_of_body
from holdfast.journeys.text_methods import asked, length_of, most_arguments

if TYPE_CHECKING:
    from holdfast.journeys.context import Context

_Made = TypeVar("_Made")
MOST_NESTED = 50
_COMPARES = frozenset(("==", "!=", "<", "<=", ">", ">="))
_COMPARES_IN = {
    "own": _COMPARES | {"===", "!==", "=~", "!~", "==~"},
    "javascript": _COMPARES | {"===", "!=="},
    "groovy": _COMPARES | {"=~", "==~"},
    "jexl": _COMPARES | {"=~", "!~"},
}
"""Groovy's === asks whether both are one object, which is not known here; JEXL has none."""
_PATTERNS = frozenset(("=~", "!~", "==~"))
_NAMED: dict[str, Value] = {"true": True, "false": False, "null": None, "undefined": UNDEFINED}
# Words and objects of the language that are not read here; any other name stands for nothing.
_OF_JAVASCRIPT = frozenset(
    re.findall(
        r"\w+",
        "var let const if else for while do function return new typeof instanceof in delete void this throw try catch "
        "finally switch case break continue with class Math Date JSON Object Array Boolean RegExp Error NaN Infinity "
        "isNaN isFinite eval java javax org com Packages importPackage importClass JavaImporter print log ctx sampler",
    )
)


def value_of(text: str, language: str = "own", client: Context | None = None) -> Value:
    """What an expression comes to.

    Args:
        text: without references.
        client: whose variables it names; None only looks whether it can be read.

    Raises:
        ValueError: it cannot be read; the message says where, in words.
    """
    reader = _Reader(tokens_of(text, language), language, client)
    try:
        found = reader.choice(0)
    except OverflowError as error:
        raise ValueError(f"a number in it is too large: {error}") from error
    while reader.is_next(";"):
        reader.at += 1
    if reader.at < len(reader.tokens):
        raise ValueError(f"{reader.tokens[reader.at].text!r} is not understood at character {reader.place()}")
    return found


def chooses(text: str) -> bool:
    """Whether an expression is a choice between two texts or whole numbers, each as it is written.

    Raises:
        ValueError: it cannot be read.
    """
    *before, mark, yes, between, no = [Token("mark", "", 0)] * 4 + tokens_of(text)
    words = all(each.kind == "text" or each.text.isdecimal() for each in (yes, no))
    return words and (mark.text, between.text) == ("?", ":") and all(each.text != "?" for each in before)


class _Reader(Tokens):
    """Reads a condition; `skips`: what is read does not count."""

    def __init__(self, tokens: list[Token], language: str, client: Context | None) -> None:
        super().__init__(tokens)
        self.language = "javascript" if language == "script" else language
        # An If Controller's own condition is told of nothing (JMeter's IfController.java).
        self.is_bare = language == "script"
        self.client = client
        self.only_reads = client is None
        self.skips = False

    def choice(self, level: int) -> Value:
        found = self.either(level)
        if self.language == "groovy" and self.took("?:"):
            holds = self.holds(found)
            other = self.skipping(self.choice, level + 1, skip=holds)
            return found if holds else other
        if not self.took("?"):
            return found
        # Each language has its own rules of what else counts as true.
        if found is not True and found is not False:
            raise ValueError(f"what is before the ? at character {self.tokens[self.at - 1].at + 1} is not a comparison")
        yes = self.skipping(self.choice, level + 1, skip=not found)
        self.expect(":")
        no = self.skipping(self.choice, level + 1, skip=found)
        return yes if found else no

    def either(self, level: int) -> Value:
        self.check_depth(level)
        found = self.both(level)
        while self.took("||"):
            holds = self.holds(found)
            other = self.skipping(self.both, level, skip=holds)
            found = self.decided(found if holds else other)
        return found

    def check_depth(self, level: int) -> None:
        if level > MOST_NESTED:
            raise ValueError(f"it is nested more than {MOST_NESTED} deep")

    def holds(self, value: Value) -> bool:
        """Whether a value counts as true; what is only read need not."""
        return False if value is None and self.client is None else is_true(value, self.language)

    def decided(self, value: Value) -> Value:
        """What && and || come to: in JavaScript the part that decided, in others whether it counts as true."""
        return value if self.language == "javascript" and self.client is not None else self.holds(value)

    def worked_out(self, make: Callable[[], Value]) -> Value:
        """A value; one that is only read need not have any."""
        try:
            return make()
        except ValueError:
            if self.client is None:
                return None
            raise

    def skipping(self, read: Callable[[int], Value], level: int, *, skip: bool) -> Value:
        """Reads a part, which is only looked at if the parts before it have decided already."""
        before = self.client, self.skips
        if skip:
            self.client, self.skips = None, True
        try:
            return read(level)
        finally:
            self.client, self.skips = before

    def both(self, level: int) -> Value:
        found = self.one(level)
        while self.took("&&"):
            holds = self.holds(found)
            other = self.skipping(self.one, level, skip=not holds)
            found = self.decided(other if holds else found)
        return found

    def one(self, level: int) -> Value:
        self.check_depth(level)
        if self.language == "own" and self.took("!"):
            return not self.holds(self.one(level + 1))
        left = self.typed(level)
        compares = _COMPARES_IN[self.language]
        if self.at < len(self.tokens) and self.tokens[self.at].text in compares and self.kind() == "mark":
            mark = self.tokens[self.at].text
            self.at += 1
            found = self.compared(left, mark, self.typed(level))
            # Groovy's =~ is a matcher, which counts as true or false only within a condition.
            return float(found) if mark == "=~" and self.language == "groovy" else found
        return left

    def compared(self, left: Value, mark: str, right: Value) -> bool:
        """Whether a comparison holds; one that does not count, or is only read, need not have a meaning."""
        if self.skips:
            return False
        try:
            if mark not in _PATTERNS:
                return compared(left, mark, right, self.language)
            return self.within(right, lambda of: compared(of, mark, right, self.language), left)
        except ValueError:
            if self.client is None and mark not in _PATTERNS:
                return False
            raise

    def sum(self, level: int) -> Value:
        found = self.product(level)
        while (plus := self.took("+")) or self.took("-"):
            found = self.reckoned(added if plus else subtracted, found, self.product(level))
        return found

    def reckoned(self, make: Callable[[Value, Value, str], Value], left: Value, right: Value) -> Value:
        return self.worked_out(lambda: make(left, right, self.language))

    def product(self, level: int) -> Value:
        found = self.value(level)
        while self.at < len(self.tokens) and self.kind() == "mark" and self.tokens[self.at].text in ("*", "/", "%"):
            mark = self.tokens[self.at].text
            self.at += 1
            make = partial(multiplied, mark)
            found = self.reckoned(make, found, self.value(level))
        return found

    def value(self, level: int) -> Value:
        found = self.operand(level)
        while self.took(".") or (safe := self.language == "groovy" and self.took("?.")):
            safe = self.tokens[self.at - 1].text == "?."
            name = self.name()
            if safe and found is None and self.client is not None:
                self.skipping(partial(self.method, None, name), level, skip=True)
            else:
                found = self.method(found, name, level)
        return found

    def operand(self, level: int) -> Value:
        if self.took("("):
            found = self.choice(level + 1)
            self.expect(")")
            return found
        if self.language != "own" and self.took("!"):
            self.check_depth(level)
            return not self.holds(self.value(level + 1))
        if (minus := self.took("-")) or (self.language != "own" and self.took("+")):
            found = self.value(level + 1) if level < MOST_NESTED else None
            return self.worked_out(lambda: signed(found, self.language, minus=minus))
        if self.at >= len(self.tokens):
            raise ValueError("it ends where a value is due")
        token = self.tokens[self.at]
        self.at += 1
        if token.kind == "number":
            return number_written(token.text, self.language)
        if token.kind == "text":
            return text_in_quotes(token.text, self.language, counts=not self.skips)
        if token.kind == "name":
            return self.named(token.text, level)
        self.at -= 1
        raise ValueError(f"{token.text!r} is not understood at character {self.place()}")

    def typed(self, level: int) -> Value:
        """A sum, in Groovy with `as` behind it, which comes before what compares; measured with JMeter 5.5."""
        found = self.sum(level)
        while self.language == "groovy" and self.at < len(self.tokens) and self.tokens[self.at][:2] == ("name", "as"):
            found = self.cast(found)
        return found

    def cast(self, found: Value) -> Value:
        self.at += 1
        kind = self.name()
        if kind not in TYPES:
            raise ValueError(f"as {kind} is not known")
        return self.worked_out(lambda: cast(found, kind))

    def named(self, name: str, level: int) -> Value:
        if name in _NAMED and (name != "undefined" or self.language in ("own", "javascript")):
            return _NAMED[name]
        if self.is_bare and name in ("vars", "props", "ctx", "sampleResult"):
            raise NotDefinedError(f"{name} is not defined")
        if name in ("vars", "props"):
            return self.looked_up(name, level)
        if name in ("ctx", "prev" if self.language in ("own", "groovy") else "sampleResult"):
            return self.of_answer(name)
        if name in ("parseInt", "parseFloat", "Number", "Integer", "Long", "Double", "String"):
            return self.converted(name, level)
        if self.is_next("("):
            return self.asked_of(name, level)
        return self.unknown(name)

    def unknown(self, name: str) -> Value:
        """A name that is not the language's: the client's variable in conditions of our own, nothing in others."""
        if self.language == "own":
            return None if self.client is None else self.client.variables.get(name)
        if name in _OF_JAVASCRIPT or self.is_next("."):
            raise ValueError(f"{name} is not defined")
        if self.skips and not self.only_reads:
            return None
        raise NotDefinedError(f"{name} is not defined")

    def asked_of(self, name: str, level: int) -> Value:
        """empty(x) and size(x), which JEXL has."""
        if name not in ("empty", "size") or self.language != "jexl":
            raise ValueError(f"{name}(...) is not known")
        (found,) = self.arguments(1, 1, level)
        return found in (None, "") if name == "empty" else float(len(written(found)))

    def looked_up(self, name: str, level: int) -> Value:
        """vars.get("x"), vars["x"], vars.x; and of properties."""
        if self.took("["):
            key = self.either(level + 1)
            self.expect("]")
            self.only_in_groovy(f"{name}[...]")
        else:
            self.expect(".")
            key = method = self.name()
            if not self.is_next("("):
                self.only_in_groovy(f"{name}.{method}")
            else:
                if method not in ("get", "getProperty", "getObject"):
                    raise ValueError(f"{name}.{method}(...) is not known")
                (key,) = self.arguments(1, 1, level)
        if self.client is None:
            return None
        known = self.client.variables if name == "vars" else self.client.properties
        return self.of_java(known.get(written(key)))

    def only_in_groovy(self, what: str) -> None:
        if self.language not in ("own", "groovy"):
            raise ValueError(f"{what} is not known")

    def of_answer(self, name: str) -> Value:
        """prev.isSuccessful() and what else of the last answer is asked for; ctx.getPreviousResult() is the same."""
        if name == "ctx":
            self.expect(".")
            if self.name() != "getPreviousResult":
                raise ValueError("of ctx, only getPreviousResult() is known")
            self.arguments(0, 0, 0)
        self.expect(".")
        asked = self.name()
        if self.is_next("("):
            self.arguments(0, 0, 0)
        answer = None if self.client is None else self.client.answer
        known: dict[str, Callable[[], Value]] = {
            "isSuccessful": lambda: answer is None or answer.answered,
            "getResponseCode": lambda: "" if answer is None else str(answer.status),
            "getResponseMessage": lambda: "" if answer is None else answer.message,
            "getResponseDataAsString": lambda: "" if answer is None else text_of_body(answer),
            "getTime": lambda: 0.0 if answer is None else float(int(answer.took_ms)),
        }
        asked = {"successful": "isSuccessful", "responseCode": "getResponseCode"}.get(asked, asked)
        if asked not in known:
            raise ValueError(f"{name}.{asked} is not known")
        return self.of_java(known[asked]())

    def converted(self, name: str, level: int) -> Value:
        """parseInt("5"), Integer.parseInt("5") and the like."""
        method = ""
        if name in ("Integer", "Long", "Double") or (name == "String" and self.is_next(".")):
            self.expect(".")
            method = self.name()
            if method not in ("parseInt", "parseLong", "parseDouble", "valueOf"):
                raise ValueError(f"{name}.{method} is not known")
        if not can_convert(name, method, self.language):
            raise ValueError(f"{name}{method and '.'}{method} is not known")
        arguments = self.arguments(1, 2 if name == "parseInt" else 1, level)
        return self.worked_out(lambda: converted(name, method, arguments, self.language))

    def method(self, of: Value, name: str, level: int) -> Value:
        """A method of a text or number."""
        if name in ("length", "size") and not self.is_next("("):
            return length_of(self.of_java("") if of is None and self.client is None else of, self.language)
        fewest, most = most_arguments(of, name, self.language)
        arguments = self.arguments(fewest, most, level)
        if self.client is None and of is None:
            of = self.of_java("")  # what is only read may be like anything later
        if name == "matches" and self.client is None:
            matches("", "==~", written(arguments[0]), "java")
        ask = partial(asked, name=name, arguments=arguments, language=self.language)
        found = self.worked_out(lambda: self.within(arguments[0], ask, of) if name == "matches" else ask(of))
        return self.of_java("") if found is None and self.client is None else found

    def within(self, pattern: Value, make: Callable[[Value], _Made], of: Value) -> _Made:
        """What a pattern makes of a text, in bounded time; of an empty one where the condition is only read."""
        client = self.client
        return make("") if client is None else in_time(written(pattern), lambda: make(of), client)

    def of_java(self, text: Value) -> Value:
        """A text that a script gets from JMeter."""
        return JavaText(text) if isinstance(text, str) and self.language == "javascript" else text

    def arguments(self, fewest: int, most: int, level: int) -> list[Value]:
        self.expect("(")
        found: list[Value] = []
        while not self.is_next(")"):
            if found:
                self.expect(",")
            found.append(self.either(level + 1))
        self.expect(")")
        if not fewest <= len(found) <= most:
            raise ValueError(f"{len(found)} arguments are too {'few' if len(found) < fewest else 'many'}")
        return found
