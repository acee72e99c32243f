"""Cases of conditions: what JMeter's script engines make of those that holdfast reads."""

from __future__ import annotations

import jmx_elements as e
from oracle_case import Case
from plans.writing import variables

VALUES = {
    "state": "done",
    "n": "3",
    "ten": "10",
    "yes": "true",
    "no": "false",
    "empty": "",
    "mixed": "Done",
    "dec": "3.0",
}
OF_ALL = (
    '"${state}" == "done"', "'${state}' != 'done'", "${n} < ${ten}", '"${n}" < "${ten}"', "${n} >= 3", "${n} == 3",
    '"${n}" == 3', "${n} == ${dec}", '"${n}" == "${dec}"', "${yes}", "!${yes}", "${yes} && ${no}", "${yes} || ${no}",
    '!("${state}" == "open")', '"${state}" == "done" && ${n} > 2 || ${no}', '"${empty}" == ""', "${n} % 2 == 1",
    "${n} + 1 == 4", "${ten} - ${n} * 2 == 4", "(${n} + 1) * 2 == 8", "-${n} < 0", '"${state}" == "Done"', "1 == 1.0",
    '"a" < "b"', "${ten} / 4 == 2.5", '(${n} > 2 ? "a" : "b") == "a"', "${n} > 5 ? false : ${ten} > 5 ? true : false",
    '"${state}" == "open" ? ${n} == 3 : 1 == 2',
)  # fmt: skip
OF_JVM = (
    '"${state}".equals("done")', '"${state}".contains("on")', '"${mixed}".equalsIgnoreCase("DONE")',
    '"${state}".startsWith("do") && "${state}".endsWith("ne")', '"${state}".length() == 4', '"${empty}".isEmpty()',
    '"${state}".indexOf("n") == 2', '"${state}".substring(1,3) == "on"', 'vars.get("state") == "done"',
    'vars.get("none") == null', 'vars.get("none") != null', 'vars.get("state").equals("done")',
    'vars.get("n").trim() == "3"', '"${state}".matches("d.*e")', '"${mixed}".toLowerCase() == "done"',
)  # fmt: skip
OF_JEXL = (
    '"${state}" eq "done"', "${n} lt 4 and ${ten} ge 10", "not (${n} gt 5)", '"${state}" =~ "do"',
    '"${state}" =~ "do.*"',
    'empty("${empty}")', 'size("${state}") == 4', '"${n}" + 1 == 4', "${ten} / 4 == 2", '"10" > 9',
    'null == "x"', '"true" == true', '1 == "1"',
)  # fmt: skip
OF_GROOVY = (
    '"${state}" ==~ "do"', '"${state}" =~ "on" && true', '"${n}".toInteger() > 2', '"${n}".toInteger() == 3',
    'Integer.parseInt("${n}") < 5', 'vars["state"] == "done"', '"${n}" == 3', "vars.state == 'x'",
    "0.1 + 0.2 == 0.3", "1.1 * 1.1 == 1.21", "${ten} / ${n} == 3.3333333333", "${n} / 7 * 7 == ${n}",
    "0.1d + 0.2 == 0.3", '("0.1" as BigDecimal) + 0.2 > 0.3', '1.0 * 3 + "" == "3.0"', "7.5 % 2 == 1.5",
    'vars["none"]?.isEmpty()',
)  # fmt: skip
OF_JAVASCRIPT = (
    '"${n}" === 3', '"${n}" === "3"', 'parseInt("${n}") > 2', '"${state}".length == 4', "null == 0", '"" == 0',
)  # fmt: skip


# Values that are missing, or are not what they are taken for.
ODD_OF_JAVASCRIPT = (
    'parseInt(vars.get("none"))<=5', 'parseInt("${state}") != 3', '!(parseInt("${state}") < 5)',
    'parseInt("12px") == 12', 'parseInt("0x1f") == 31', 'parseInt("08") == 8', 'parseFloat("3.5kg") == 3.5',
    'Number("${state}") < 4', 'Number("") == 0', 'vars.get("none") < 5', 'vars.get("none") >= 0',
    'vars.get("none") + 1 == 1', "null < 1", "undefined < 1", "undefined == null", "undefined === null",
    '"${state}" * 1 < 5', "3 / 0 > 5", "0 / 0 < 5",
    "5 % 0 < 1", '!vars.get("empty")', '!"${no}"', '"${no}" && true', 'parseInt(vars.get("none") || 0) < 1',
    '(vars.get("n") && "y") == "y"', 'vars.get("none") || false', 'vars.get("n") === "3"', 'vars.get("n") == 3',
    'vars.get("state").length == 4', 'vars.get("state").length() == 4', '"${state}".substring(2, 1) == "o"',
    'vars.get("state").trim().length == 4', 'parseInt("11", 2) == 3', '"5" > "10"', 'Number("7px") == 7',
    'String(3) == "3"', 'parseInt(vars.get("n")) == 3 && parseInt(vars.get("none")) < 5',
    'sampleResult.getResponseCode() === "200"',
    "sampleResult.getResponseCode() == 200", "true == 1", '" " == 0', 'vars.get("none") === null',
    '!vars.get("state") == "other"', '!"${no}" == true && "${n}" == 3', '!(parseInt("08") >= 0)',
    "parseInt('010') == 8", '"" + parseInt("x") == "NaN"', "parseInt('9' * 1e400) > 5",
    '"${state}" && "${yes}"', '${n} > 2 ? "true" : "false"', '"${yes}" && "${no}"',
)  # fmt: skip
ODD_OF_GROOVY = (
    'vars.get("none") < 5', 'vars.get("none") > 5', "null < 1", 'vars.get("n") < 5', 'vars.get("ten") < 5', '"3" == 51',
    'vars.get("none").toInteger() < 5', '"12345678901".toInteger() > 5', 'vars.get("empty").toInteger() == 0',
    'Integer.parseInt(vars.get("none")) < 5', 'Integer.parseInt(" 7 ") == 7', '" 7 ".toInteger() == 7', "null + 1 == 1",
    'vars.get("none") + 1 == "null1"', '"${n}" - 1 == 2', '"abc" - "b" == "ac"', '"ab" * 2 == "abab"', '-"3" < 0',
    "5 / 0 == 1", '!"${no}"', 'vars.get("state") && true', '(vars.get("none") ?: "0").toInteger() == 0',
    '(vars.get("n") ?: "0").toInteger() == 3', 'vars.get("none")?.trim() == null', 'vars.get("none")?.toInteger() < 5',
    'vars.get("n")?.toInteger() < 5', '!vars.get("none")?.trim()', '(vars.get("n") as int) < 10',
    '(vars.get("none") as int) < 10', '(vars.get("none") as Integer) < 10', '(vars.get("state") as int) < 10',
    '(vars.get("n") as long) - (vars.get("ten") as long) < 0', '(vars.get("dec") as double) < 3.2', "(3.7 as int) == 3",
    '(vars.get("no") as boolean) == true', 'prev.getResponseCode() == "200"', '!vars.get("state") == "other"',
)  # fmt: skip
ODD_OF_JEXL = (
    'vars.get("none") < 5', "null + 1 == 1", 'vars.get("none") + "x" == "x"', '!vars.get("none")', '!"False"',
    'vars.get("none") && true', 'vars.get("none").length() > 1', 'vars.get("none").equals("x")', '-"${n}" < 0',
    '"${state}" - 1 < 5', 'vars.get("none") * 2 == 0', "5 / 0 == 1", 'sampleResult.getResponseCode() == "200"',
    '!vars.get("state") == "other"', 'not vars.get("state") == "other"',
)  # fmt: skip


# Values with signs of the language in them, and what is asked of something else than a text.
TEXTS = VALUES | {"price": "US$5", "path": "C:\\new\\dir", "lines": "a\nb", "name": "Zo\xeb"}
TEXTS_OF_ALL = (
    '"${none}" != "DONE"', "'${none}' != 'DONE'", '"${price}" != "DONE"', "'${price}' == 'US$5'", '"${lines}" != ""',
    "'${lines}' == 'a'", '"${path}" != "DONE"', '"${none}" == "x" || ${n} == 3', 'vars.get("price") != "DONE"',
    'vars.get("lines") != ""', '"3".equals(3)', 'vars.get("n").equals(3)', '"null".equals(vars.get("none"))',
    '!vars.get("state").startsWith(vars.get("none"))', '!vars.get("state").equalsIgnoreCase(vars.get("none"))',
)  # fmt: skip
TEXTS_OF_JVM = (
    'vars.get("name").matches(".+")', '!vars.get("n").contains(3)',
    'vars.get("state").length().equals("4")', '"\\u0064one" == "${state}"', '"\\t".length() == 1',
)  # fmt: skip
TEXTS_OF_GROOVY = (
    'vars.get("name") ==~ "\\\\\\\\w+"',
    'vars.get("state") ==~ "\\\\\\\\w+"',
    "\"US\\\\$5\" == '${price}'",
)
TEXTS_OF_JEXL = (
    'vars.get("name").matches("\\\\w+")',
    '"${n}" =~ "\\d"',
    '"${state}" =~ "[^\\d]+"',
    '"\\d".length() == 2',
    '"${path}".length() == 10',
)
TEXTS_OF_JAVASCRIPT = ('"\\d" == "d"', '"\\x41" == "A"', '"${path}".indexOf("C:") == 0', '"\\u0064one" == "${state}"')


CHOICES = (
    '"${state}" == "open" ? 2000 : 0', '${n} > 2 ? "x y" : "z"', "${n} > 2 && !${no} ? 1 : 0",
    "(${n} == 4) ? 'a' : 'b'",
)  # fmt: skip


def _ifs(conditions: tuple[str, ...], path: str, wrap: str = "", *, script: bool = False) -> str:
    by_words = f'<boolProp name="IfController.useExpression">{str(not script).lower()}</boolProp>'
    return "".join(
        e.controller(
            "IfController",
            e.request(f"/{path}/{number}"),
            "If",
            by_words,
            IfController__condition=wrap % each.replace(",", "\\,") if wrap else each,
        )
        for number, each in enumerate(conditions)
    )


def _once_while(conditions: tuple[str, ...], path: str, wrap: str) -> str:
    """A While for each condition, which the first pass leaves."""
    ends = e.simple(
        "TestAction", "ends", ActionProcessor__action="5", ActionProcessor__target="0", ActionProcessor__duration="0"
    )
    return "".join(
        e.controller(
            "LoopController",
            e.controller(
                "WhileController",
                e.request(f"/{path}/{number}") + ends,
                "While",
                WhileController__condition=wrap % each.replace(",", "\\,"),
            ),
            "Loop",
            LoopController__loops="1",
        )
        for number, each in enumerate(conditions)
    )


def _odd(name: str, about: str, values: dict[str, str], language: str, *conditions: str) -> Case:
    wrap = f"${{__{language}(%s,)}}"
    # An If Controller by itself is told of no variables; what comes before "||" may hold without them.
    alone = tuple(each for each in conditions if "||" not in each)
    return Case(
        f"conditions-of-odd-{name}-{language}",
        f"Conditions in __{language}: {about}",
        variables(**values)
        + e.request("/first")
        + _ifs(conditions, "if", wrap)
        + _once_while(conditions, "while", wrap)
        + (_ifs(alone, "script", script=True) if language == "javaScript" else ""),
    )


def _odd_values(language: str, *conditions: str) -> Case:
    about = "values that are missing, or not what they are taken for"
    return _odd("values", about, VALUES, language, *conditions)


def _odd_texts(language: str, *conditions: str) -> Case:
    about = "texts with signs of the language in them, patterns, and questions about something else than a text"
    return _odd("texts", about, TEXTS, language, *TEXTS_OF_ALL, *conditions)


def of_conditions() -> list[Case]:
    given = variables(**VALUES)
    return [
        _odd_values("javaScript", *ODD_OF_JAVASCRIPT),
        _odd_values("groovy", *ODD_OF_GROOVY),
        _odd_values("jexl3", *ODD_OF_JEXL),
        _odd_texts("javaScript", *TEXTS_OF_JAVASCRIPT),
        _odd_texts("groovy", *TEXTS_OF_JVM, *TEXTS_OF_GROOVY),
        _odd_texts("jexl3", *TEXTS_OF_JVM, *TEXTS_OF_JEXL),
        Case(
            "conditions-of-jexl",
            "Conditions in __jexl3",
            given + _ifs((*OF_ALL, *OF_JVM, *OF_JEXL), "jexl", "${__jexl3(%s,)}"),
        ),
        Case(
            "conditions-of-groovy",
            "Conditions in __groovy",
            given + _ifs((*OF_ALL, *OF_JVM, *OF_GROOVY), "groovy", "${__groovy(%s,)}"),
        ),
        Case(
            "conditions-of-javascript",
            "Conditions in __javaScript and in an If Controller by itself",
            given
            + _ifs((*OF_ALL, *OF_JAVASCRIPT), "function", "${__javaScript(%s,)}")
            + _ifs((*OF_ALL, *OF_JAVASCRIPT), "script", script=True),
        ),
        Case(
            "choices-of-scripts",
            "Scripts that choose between two texts or numbers, as values and in timers",
            given
            + "".join(
                e.request(
                    f"/{language}",
                    e.arguments(e.argument("v", f"${{__{language}({each},)}}", encode=True)),
                    below=e.simple("ConstantTimer", "t", ConstantTimer__delay=f"${{__{language}({CHOICES[0]},)}}"),
                )
                for language in ("jexl3", "groovy", "javaScript")
                for each in CHOICES
            ),
        ),
    ]
