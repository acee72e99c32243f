r"""Splits a text at JMeter's references, `${name}` and `${__function(a,b)}`; pure.

Source: apache/jmeter, engine/util/FunctionParser.java. A backslash escapes `$`, `,` and `\` only, and only in a text
that contains a reference. Parameters are split at commas outside nested references and parentheses.
"""

from __future__ import annotations

from holdfast.model.answers import FunctionCall, Template, Variable

MOST_NESTED = 40
_ESCAPABLE = "$,\\"


def template_of(text: str, level: int = 0) -> Template:
    """Splits a text into its parts, in order; plain texts are never empty and never adjacent.

    Args:
        level: how deep the text is nested in other references.

    Raises:
        ValueError: references are nested too deep, or a function call is not closed.
    """
    if "${" not in text:
        return (text,) if text else ()
    if level > MOST_NESTED:
        raise ValueError(f"references are nested more than {MOST_NESTED} deep")
    parts: list[str | Variable | FunctionCall] = []
    literal: list[str] = []
    at = 0

    def end_literal() -> None:
        if literal:
            parts.append("".join(literal))
            literal.clear()

    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            literal.append(text[at + 1] if text[at + 1] in _ESCAPABLE else text[at : at + 2])
            at += 2
        elif text.startswith("${", at):
            found, at = _reference(text, at + 2, level)
            if isinstance(found, str):
                literal.append(found)
            else:
                end_literal()
                parts.append(found)
        else:
            literal.append(text[at])
            at += 1
    end_literal()
    # A whole text without any reference stays as written, backslashes included.
    if not level and all(isinstance(part, str) for part in parts):
        return (text,)
    return tuple(parts)


def _reference(text: str, at: int, level: int) -> tuple[str | Variable | FunctionCall, int]:
    """The reference that begins with the `${` before `at`, and its end; a reference that is not closed is text."""
    begin = at - len("${")
    name: list[str] = []
    while at < len(text):
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            name.append(text[at + 1])
            at += 2
        elif char == "(" and name and "".join(name).strip().startswith("__"):
            arguments, at = _arguments(text, at + 1, level)
            while at < len(text) and text[at].isspace():
                at += 1
            if text[at : at + 1] != "}":
                raise ValueError(f"a }} is missing after ${{{''.join(name)}(...)")
            return FunctionCall("".join(name).strip(), arguments, text[begin : at + 1]), at + 1
        elif char == "}":
            known = "".join(name)
            written = text[begin : at + 1]
            return (FunctionCall(known, (), written) if known.startswith("__") else Variable(known, written)), at + 1
        else:
            name.append(char)
            at += 1
    return "".join(name), at


def _arguments(text: str, at: int, level: int) -> tuple[tuple[Template, ...], int]:
    """The arguments that begin at `at`, and the position after their `)`."""
    found: list[str] = []
    argument: list[str] = []
    references = parentheses = 0
    before = ""
    while at < len(text):
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            argument.append(text[at : at + 2])
            at, before = at + 2, ""
            continue
        if char == "," and not references:
            found.append("".join(argument))
            argument.clear()
        elif char == ")" and not references and not parentheses:
            at += 1
            if found or argument:
                found.append("".join(argument))
            return tuple(template_of(_unescaped(each), level + 1) for each in found), at
        else:
            references += (char == "{" and before == "$") - (char == "}" and references > 0)
            parentheses += 0 if references else (char == "(") - (char == ")")
            argument.append(char)
        before = char
        at += 1
    found.append("".join(argument))
    return tuple(template_of(_unescaped(each), level + 1) for each in found), at


def _unescaped(argument: str) -> str:
    """An argument without its escapes; one that contains references keeps them for `template_of`."""
    if "${" in argument or "\\" not in argument:
        return argument
    out, at = [], 0
    while at < len(argument):
        if argument[at] == "\\" and at + 1 < len(argument) and argument[at + 1] in _ESCAPABLE:
            at += 1
        out.append(argument[at])
        at += 1
    return "".join(out)
