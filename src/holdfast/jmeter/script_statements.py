"""Whether the statements of a script can only read values, compare them and write to a log; pure, and nothing is run.

A script has to be all of this grammar, whatever the language in which JMeter reads it:

    statement    declaration | log | "if" "(" condition ")" body ["else" body] | ";"
    body         statement | "{" statement ... "}"
    declaration  type name "=" value
    log          log.info(value), OUT.println(value), ...; in Groovy without brackets too
    condition    ["!"] value [== != < > <= >= value] [&& || condition]
    value        part + part ...
    part         "text" | 7 | name | vars.get("x") | props.get("x") | prev.getX(), and .equals(value) and the like
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|//[^\n]*|/\*.*?\*/|\s+|(?P<number>\d+(?:\.\d+)?[lLdDfF]?)"""
    r"""|(?P<name>[A-Za-z_]\w*)|(?P<sign>==|!=|<=|>=|&&|\|\||[-+(){};,.=<>!])""",
    re.DOTALL,
)
# A text may have values in it: of JMeter, or of Groovy, where more than a name may call anything.
_CALLS = re.compile(r"\$\{(?![\w .-]*\})|\\u")
_TYPES = frozenset({"String", "Object", "def", "var", "int", "long", "double", "float", "boolean"})
_OF_JMETER = frozenset({"vars", "props", "prev", "sampler", "ctx", "log", "OUT", "out", "System", "Label", "args"})
_READS = frozenset(
    {"equals", "equalsIgnoreCase", "contains", "startsWith", "endsWith", "isEmpty", "length", "size", "trim"}
    | {"toString", "toLowerCase", "toUpperCase", "toInteger", "toLong", "intValue", "indexOf"}
)
_LEVELS = frozenset({"trace", "debug", "info", "warn", "error"})
_PRINTS = frozenset({"print", "println"})
_WORDS = frozenset({"true", "false", "null"})
_END = ("end", "")


class _OtherError(Exception):
    """Something else than the grammar has."""


def only_reads(script: str, *, groovy: bool) -> bool:
    """Whether a script sets nothing but names of its own.

    Args:
        groovy: in which a call may have no brackets.
    """
    if _CALLS.search(script):
        return False
    try:
        _Reader(list(_tokens(script)), groovy=groovy).statements(_END)
    except (_OtherError, RecursionError):
        return False
    return True


def _tokens(script: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(script):
        found = _TOKEN.match(script, at)
        if found is None:
            raise _OtherError
        at = found.end()
        if found.lastgroup is not None:
            yield found.lastgroup, found[0]
    yield _END


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]], *, groovy: bool) -> None:
        self.tokens = tokens
        self.groovy = groovy
        self.at = 0
        self.own: set[str] = set()

    def next(self) -> tuple[str, str]:
        token = self.tokens[min(self.at, len(self.tokens) - 1)]
        self.at += 1
        return token

    def sees(self, *texts: str) -> bool:
        """Whether one of these signs or words comes next; it is taken then."""
        kind, text = self.tokens[min(self.at, len(self.tokens) - 1)]
        if kind == "text" or text not in texts:
            return False
        self.at += 1
        return True

    def expect(self, *texts: str) -> None:
        for text in texts:
            if not self.sees(text):
                raise _OtherError

    def statements(self, end: tuple[str, str]) -> None:
        while self.tokens[min(self.at, len(self.tokens) - 1)] != end:
            self.statement()
        self.at += 1

    def statement(self) -> None:
        if self.sees(";"):
            return
        kind, word = self.next()
        if kind != "name":
            raise _OtherError
        if word == "if":
            self.expect("(")
            self.condition()
            self.expect(")")
            self.body()
            if self.sees("else"):
                self.body()
        elif word in _TYPES:
            self.declaration()
        else:
            self.log(word)

    def body(self) -> None:
        if self.sees("{"):
            self.statements(("sign", "}"))
        else:
            self.statement()
            self.sees(";")

    def declaration(self) -> None:
        kind, name = self.next()
        if kind != "name" or name in _OF_JMETER:
            raise _OtherError
        self.expect("=")
        self.value()
        self.own.add(name)

    def log(self, word: str) -> None:
        if word == "System":
            self.expect(".", "out")
            word = "OUT"
        if word not in _PRINTS:
            self.expect(".")
            _, method = self.next()
            if method not in (_LEVELS if word == "log" else _PRINTS if word == "OUT" else ()):
                raise _OtherError
        if not self.groovy and self.tokens[min(self.at, len(self.tokens) - 1)] != ("sign", "("):
            raise _OtherError
        self.value()

    def condition(self) -> None:
        while True:
            if self.sees("!"):
                continue
            self.value()
            if self.sees("==", "!=", "<", ">", "<=", ">="):
                self.value()
            if not self.sees("&&", "||"):
                return

    def value(self) -> None:
        self.part()
        while self.sees("+"):
            self.part()

    def part(self) -> None:
        if self.sees("("):
            self.condition()
            self.expect(")")
        else:
            kind, text = self.next()
            if kind == "name":
                self.named(text)
            elif kind not in ("text", "number"):
                raise _OtherError
        while self.sees("."):
            _, method = self.next()
            if method not in _READS:
                raise _OtherError
            self.expect("(")
            if not self.sees(")"):
                self.value()
                self.expect(")")

    def named(self, name: str) -> None:
        if name in self.own or name in _WORDS:
            return
        self.expect(".")
        _, method = self.next()
        self.expect("(")
        if name in ("vars", "props") and method == "get":
            self.value()
        elif name == "Thread" and method == "currentThread":
            self.expect(")", ".", "getName", "(")
        elif not (name in ("prev", "sampler", "ctx") and re.match("(?:get|is)[A-Z]", method)):
            raise _OtherError
        self.expect(")")
