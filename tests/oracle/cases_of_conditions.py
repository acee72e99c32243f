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
)  # fmt: skip
OF_JAVASCRIPT = (
    '"${n}" === 3', '"${n}" === "3"', 'parseInt("${n}") > 2', '"${state}".length == 4', "null == 0", '"" == 0',
)  # fmt: skip


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


def of_conditions() -> list[Case]:
    given = variables(**VALUES)
    return [
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
