"""The methods of texts that script languages know, as far as they only look at the text; pure.

Source: java.lang.String; Groovy, StringGroovyMethods.java; ECMA-262, 22.1.3, and Rhino, which gives texts of JavaScript
two of Java's. Which language knows which was measured with JMeter 5.5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from holdfast.journeys.calculating import whole
from holdfast.journeys.comparing import JavaText, Value, matches, number, number_of_javascript, written

_JAVA = frozenset({"own", "jexl", "groovy", "java"})
_ALL = _JAVA | {"javascript"}
_GROOVY = frozenset({"own", "groovy"})
_Does = Callable[[str, list[Value]], Value]


def _part(text: str, arguments: list[Value]) -> Value:
    first = int(number(arguments[0]))
    last = int(number(arguments[1])) if len(arguments) > 1 else len(text)
    if not 0 <= first <= last <= len(text):
        raise ValueError(f"{text!r} has no characters from {first} to {last}")
    return text[first:last]


def _part_in_javascript(text: str, arguments: list[Value]) -> Value:
    bounds = [number_of_javascript(each) for each in arguments] + [float(len(text))] * (2 - len(arguments))
    first, last = sorted(int(min(max(each, 0), len(text))) if each == each else 0 for each in bounds)  # noqa: PLR0124 - NaN
    return text[first:last]


_METHODS: Mapping[str, tuple[int, int, frozenset[str], _Does]] = {
    "equals": (1, 1, _ALL, lambda of, given: of == written(given[0])),
    "equalsIgnoreCase": (1, 1, _ALL, lambda of, given: of.lower() == written(given[0]).lower()),
    "contains": (1, 1, _JAVA, lambda of, given: written(given[0]) in of),
    "includes": (1, 1, frozenset({"own", "java", "javascript"}), lambda of, given: written(given[0]) in of),
    "startsWith": (1, 1, _ALL, lambda of, given: of.startswith(written(given[0]))),
    "endsWith": (1, 1, _ALL, lambda of, given: of.endswith(written(given[0]))),
    "matches": (1, 1, _JAVA, lambda of, given: matches(of, "==~", written(given[0]), "java")),
    "indexOf": (1, 1, _ALL, lambda of, given: float(of.find(written(given[0])))),
    "isEmpty": (0, 0, _JAVA, lambda of, _given: not of),
    "length": (0, 0, _JAVA, lambda of, _given: float(len(of))),
    "size": (0, 0, _JAVA - {"java"}, lambda of, _given: float(len(of))),
    "trim": (0, 0, _ALL, lambda of, _given: of.strip()),
    "toLowerCase": (0, 0, _ALL, lambda of, _given: of.lower()),
    "toUpperCase": (0, 0, _ALL, lambda of, _given: of.upper()),
    "toString": (0, 0, _ALL, lambda of, _given: of),
    "toInteger": (0, 0, _GROOVY, lambda of, _given: whole(of, 32, trims=True)),
    "toLong": (0, 0, _GROOVY, lambda of, _given: whole(of, 64, trims=True)),
    "intValue": (0, 0, _GROOVY, lambda of, _given: number(of)),
    "substring": (1, 2, _JAVA, _part),
}
"""The fewest and most arguments, who has it (`java`: a text of Java's in JavaScript), and what it does."""
_OF_JAVASCRIPT: Mapping[str, tuple[int, int, frozenset[str], _Does]] = {
    "substring": (1, 2, _ALL, _part_in_javascript),
}
_LENGTHS = frozenset({"length", "size"})
_OF_ANY = frozenset({"toString", "toInteger", "toLong", "intValue"})
_TAKE_A_TEXT = frozenset({"equalsIgnoreCase", "contains", "startsWith", "endsWith", "matches", "indexOf"})
_CONVERTS = {
    "groovy": frozenset[str](),
    "jexl": frozenset({"contains", "startsWith", "endsWith"}),
    "javascript": _TAKE_A_TEXT - {"contains"},
}
"""Of those, which take a number too: JEXL by its JexlArithmetic, Rhino for an argument that is a String."""


def most_arguments(of: Value, name: str, language: str) -> tuple[int, int]:
    """The fewest and most arguments of a method.

    Raises:
        ValueError: such a text has none of this name.
    """
    return _found(of, name, language)[:2]


def asked(of: Value, name: str, arguments: list[Value], language: str) -> Value:
    """What a method of a text or number says.

    Raises:
        ValueError: there is no value that could be asked, or it cannot say.
    """
    if of is None:
        if language == "jexl":
            return None
        if name == "equals" and language in ("own", "groovy"):
            return language == "groovy" and arguments[0] is None
        if name == "toString" and language == "groovy":
            return "null"
        raise ValueError(f"there is no value of which .{name}() is asked")
    does = _found(of, name, language)[3]
    if language != "own" and not isinstance(of, str) and name not in _OF_ANY:
        if name != "equals":
            raise ValueError(f"{written(of)} has no .{name}()")
        return type(of) is type(arguments[0]) and of == arguments[0]
    if language in ("jexl", "groovy") or isinstance(of, JavaText):
        other = _other_than_text(name, arguments, converts=name in _CONVERTS[language])
        if other is not None:
            return other
    said = does(written(of), arguments)
    return JavaText(said) if isinstance(of, JavaText) and isinstance(said, str) else said


def _other_than_text(name: str, arguments: list[Value], *, converts: bool) -> Value:
    """What a method of Java's says to something else than a text; None: it is one, or counts as one.

    Args:
        converts: a number becomes one.

    Raises:
        ValueError: it has to be a text.
    """
    if not arguments or isinstance(arguments[0], str) or name not in {*_TAKE_A_TEXT, "equals"}:
        return None
    if name == "equals" or (arguments[0] is None and name == "equalsIgnoreCase"):
        return False
    if arguments[0] is None or not converts:
        raise ValueError(f".{name}() is asked about something that is not a text")
    return None


def length_of(of: Value, language: str) -> float:
    """The property `length` of a text; Java's have a method of this name instead, which is not a number.

    Raises:
        ValueError: the language does not know it, or there is no value.
    """
    if language not in ("own", "javascript"):
        raise ValueError(".length is not known without brackets")
    if of is None:
        raise ValueError("there is no value of which .length is asked")
    return float("nan") if isinstance(of, JavaText) else float(len(written(of)))


def _found(of: Value, name: str, language: str) -> tuple[int, int, frozenset[str], _Does]:
    who = "java" if isinstance(of, JavaText) or (of is None and language == "javascript") else language
    known = (_OF_JAVASCRIPT.get(name) if who == "javascript" else None) or _METHODS.get(name)
    if known is None or who not in known[2]:
        raise ValueError(f".{name}{'()' if name in _LENGTHS else ''} is not known")
    return known
