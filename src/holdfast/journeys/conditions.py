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
                | vars.get("name") | props.get("name") | vars["name"] | prev.isSuccessful() | prev.getResponseCode()

References are replaced before, so that what is read is a text like `"done" == "done"`. In conditions of our own, a name
without quotes is the client's variable. JavaScript and JEXL compare a text with a number as numbers, Groovy never does.
Source: ECMA-262, 7.2.14 (IsLooselyEqual); commons.apache.org/jexl, JexlArithmetic (equals, compare).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from holdfast.journeys.comparing import METHODS, Fraction, Value, as_number, compared, is_true, number, written

if TYPE_CHECKING:
    from holdfast.journeys.context import Context

MOST_NESTED = 50
_TOKEN = re.compile(
    r"\s+|//[^\n]*|/\*.*?\*/"
    r"|(?P<number>0[xX][\da-fA-F]+[lL]?(?![\w.])|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?[lLfFdD]?(?![\w.]))"
    r"|(?P<text>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')"
    r"|(?P<name>[A-Za-z_$][\w$]*)"
    r"|(?P<mark>===|!==|==~|==|!=|<=|>=|=~|!~|&&|\|\||[-+*/%!<>().,\[\];?:])",
    re.DOTALL,
)
_WORDS = {"and": "&&", "or": "||", "not": "!", "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_COMPARES = frozenset(("==", "===", "!=", "!==", "<", "<=", ">", ">=", "=~", "!~", "==~"))
_PATTERNS = frozenset(("=~", "!~", "==~"))
_NAMED: dict[str, Value] = {"true": True, "false": False, "null": None, "undefined": None}
# Words and objects of the language that are not read here; any other name stands for nothing.
_OF_JAVASCRIPT = frozenset(
    re.findall(
        r"\w+",
        "var let const if else for while do function return new typeof instanceof in delete void this throw try catch "
        "finally switch case break continue with class Math Date JSON Object Array Boolean RegExp Error NaN Infinity "
        "isNaN isFinite eval java javax org com Packages importPackage importClass JavaImporter print log ctx sampler",
    )
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}


def value_of(text: str, language: str = "own", client: Context | None = None) -> Value:
    """What an expression comes to.

    Args:
        text: without references.
        client: whose variables it names; None only looks whether it can be read.

    Raises:
        ValueError: it cannot be read; the message says where, in words.
    """
    reader = _Reader(_tokens(text), language, client)
    found = reader.choice(0)
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
    *before, mark, yes, between, no = [_Token("mark", "", 0)] * 4 + _tokens(text)
    words = all(each.kind == "text" or each.text.isdecimal() for each in (yes, no))
    return words and (mark.text, between.text) == ("?", ":") and all(each.text != "?" for each in before)


class NotDefinedError(ValueError):
    """A name stands for nothing: in JavaScript that ends the script, and its condition does not hold."""


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def _tokens(text: str) -> list[_Token]:
    found = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"{text[at]!r} is not understood at character {at + 1}")
        if match.lastgroup is not None:
            kind, part = match.lastgroup, match[0]
            if kind == "name" and part in _WORDS:
                kind, part = "mark", _WORDS[part]
            found.append(_Token(kind, part, at))
        at = match.end()
    return found


class _Reader:
    """Takes tokens one after another; `at` is the index of the next one, `skips`: they do not count."""

    def __init__(self, tokens: list[_Token], language: str, client: Context | None) -> None:
        self.tokens = tokens
        self.language = language
        self.client = client
        self.at = 0
        self.skips = False

    def choice(self, level: int) -> Value:
        found = self.either(level)
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
        if level > MOST_NESTED:
            raise ValueError(f"it is nested more than {MOST_NESTED} deep")
        found = self.both(level)
        while self.took("||"):
            other = self.skipping(self.both, level, skip=is_true(found))
            found = is_true(found) or is_true(other)
        return found

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
            other = self.skipping(self.one, level, skip=not is_true(found))
            found = is_true(found) and is_true(other)
        return found

    def one(self, level: int) -> Value:
        if level > MOST_NESTED:
            raise ValueError(f"it is nested more than {MOST_NESTED} deep")
        if self.took("!"):
            return not is_true(self.one(level + 1))
        left = self.sum(level)
        if self.at < len(self.tokens) and self.tokens[self.at].text in _COMPARES and self.kind() == "mark":
            mark = self.tokens[self.at].text
            self.at += 1
            found = self.compared(left, mark, self.sum(level))
            # Groovy's =~ is a matcher, which counts as true or false only within a condition.
            return float(found) if mark == "=~" and self.language == "groovy" else found
        return left

    def compared(self, left: Value, mark: str, right: Value) -> bool:
        """Whether a comparison holds; one that does not count, or is only read, need not have a meaning."""
        if self.skips:
            return False
        try:
            return compared(left, mark, right, self.language)
        except ValueError:
            if self.client is None and mark not in _PATTERNS:
                return False
            raise

    def sum(self, level: int) -> Value:
        found = self.product(level)
        while (plus := self.took("+")) or self.took("-"):
            other = self.product(level)
            if plus and (isinstance(found, str) or isinstance(other, str)) and not self.adds(found, other):
                found = written(found) + written(other)
            else:
                found = number(found) + (number(other) if plus else -number(other))
        return found

    def adds(self, left: Value, right: Value) -> bool:
        """Whether + adds texts as numbers; of script languages, none does."""
        return self.language == "own" and as_number(left) is not None and as_number(right) is not None

    def product(self, level: int) -> Value:
        found = self.value(level)
        while self.at < len(self.tokens) and self.kind() == "mark" and self.tokens[self.at].text in ("*", "/", "%"):
            mark = self.tokens[self.at].text
            self.at += 1
            left, right = number(found), number(self.value(level))
            if mark == "*":
                found = left * right
            elif not right and self.client is None:
                found = 0.0
            elif not right:
                raise ValueError("it divides by zero")
            else:
                whole = mark == "/" and self.language == "jexl" and left == int(left) and right == int(right)
                found = float(int(left / right)) if whole else left / right if mark == "/" else left % right
        return found

    def value(self, level: int) -> Value:
        found = self.operand(level)
        while self.is_next("."):
            self.at += 1
            found = self.method(found, self.name(), level)
        return found

    def operand(self, level: int) -> Value:
        if self.took("("):
            found = self.choice(level + 1)
            self.expect(")")
            return found
        if self.took("-"):
            return -number(self.value(level + 1) if level < MOST_NESTED else None)
        if self.at >= len(self.tokens):
            raise ValueError("it ends where a value is due")
        token = self.tokens[self.at]
        self.at += 1
        if token.kind == "number":
            return self.literal(token.text)
        if token.kind == "text":
            return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), token.text[1:-1], flags=re.DOTALL)
        if token.kind == "name":
            return self.named(token.text, level)
        self.at -= 1
        raise ValueError(f"{token.text!r} is not understood at character {self.place()}")

    def literal(self, text: str) -> float:
        """A number as it is written; in script languages one that begins with 0 is octal.

        Source: measured with JMeter 5.5; only JavaScript takes 08 for a decimal number, and only JEXL refuses .5.
        """
        if text[:2] in ("0x", "0X"):
            return float(int(text.rstrip("lL"), 16))
        if text[-1] in "lLfFdD" and self.language == "javascript":
            raise NotDefinedError(f"{text} is not a number")
        digits = text.rstrip("lLfFdD")
        begins_with_0 = len(digits) > 1 and digits.isdigit() and digits[0] == "0" and self.language != "own"
        if begins_with_0 and not {*digits} & {"8", "9"}:
            return float(int(digits, 8))
        if (begins_with_0 and self.language != "javascript") or (digits[0] == "." and self.language == "jexl"):
            raise NotDefinedError(f"{text} is not a number")
        is_whole = digits.isdigit() or self.language != "jexl"
        return float(digits) if is_whole else Fraction(digits)

    def named(self, name: str, level: int) -> Value:
        if name in _NAMED:
            return _NAMED[name]
        if name in ("vars", "props"):
            return self.looked_up(name, level)
        if name in ("prev", "ctx"):
            return self.of_answer(name)
        if name in ("parseInt", "parseFloat", "Number", "Integer", "Long", "Double", "String"):
            return self.converted(name, level)
        if self.is_next("("):
            return self.asked_of(name, level)
        if self.language != "own":
            # None of them knows the client's variables by bare names.
            known = name in _OF_JAVASCRIPT or self.is_next(".")
            raise (ValueError if known else NotDefinedError)(f"{name} is not defined")
        return None if self.client is None else self.client.variables.get(name)

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
            self.not_in_jexl(f"{name}[...]")
        else:
            self.expect(".")
            key = method = self.name()
            if not self.is_next("("):
                self.not_in_jexl(f"{name}.{method}")
            else:
                if method not in ("get", "getProperty", "getObject"):
                    raise ValueError(f"{name}.{method}(...) is not known")
                (key,) = self.arguments(1, 1, level)
        if self.client is None:
            return None
        known = self.client.variables if name == "vars" else self.client.properties
        return known.get(written(key))

    def not_in_jexl(self, what: str) -> None:
        if self.language == "jexl":
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
            "getResponseDataAsString": lambda: "" if answer is None else answer.body.decode("utf-8", "replace"),
            "getTime": lambda: 0.0 if answer is None else float(int(answer.took_ms)),
        }
        asked = {"successful": "isSuccessful", "responseCode": "getResponseCode"}.get(asked, asked)
        if asked not in known:
            raise ValueError(f"{name}.{asked} is not known")
        return known[asked]()

    def converted(self, name: str, level: int) -> Value:
        """parseInt("5"), Integer.parseInt("5") and the like."""
        if name in ("Integer", "Long", "Double", "String"):
            self.expect(".")
            method = self.name()
            if method not in ("parseInt", "parseLong", "parseDouble", "valueOf"):
                raise ValueError(f"{name}.{method} is not known")
        (found,) = self.arguments(1, 1, level)
        if name == "String":
            return written(found)
        return None if self.client is None and as_number(found) is None else number(found)

    def method(self, of: Value, name: str, level: int) -> Value:
        """A method of a text or number."""
        if name in ("length", "size") and not self.is_next("("):
            return float(len(written(of)))
        if name not in METHODS:
            raise ValueError(f".{name} is not known")
        fewest, most, does = METHODS[name]
        arguments = [written(each) for each in self.arguments(fewest, most, level)]
        if self.client is not None and of is None and name != "equals":
            raise ValueError(f"there is no value of which .{name}() is asked")
        try:
            return does(written(of) if of is not None else "", arguments, of is None)
        except ValueError:
            if self.client is None:
                return ""  # it is only read: what the text will be like is not known yet
            raise

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

    def kind(self) -> str:
        return self.tokens[self.at].kind

    def is_next(self, mark: str) -> bool:
        return self.at < len(self.tokens) and self.kind() == "mark" and self.tokens[self.at].text == mark

    def took(self, mark: str) -> bool:
        found = self.is_next(mark)
        self.at += found
        return found

    def expect(self, mark: str) -> None:
        if not self.took(mark):
            raise ValueError(f"{mark} is missing at character {self.place()}")

    def name(self) -> str:
        if self.at < len(self.tokens) and self.kind() == "name":
            self.at += 1
            return self.tokens[self.at - 1].text
        raise ValueError(f"a name is missing at character {self.place()}")

    def place(self) -> int:
        if self.at < len(self.tokens):
            return self.tokens[self.at].at + 1
        return self.tokens[-1].at + len(self.tokens[-1].text) + 1 if self.tokens else 1
