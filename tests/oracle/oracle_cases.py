"""Small plans, one for each element: what JMeter and holdfast send for it must agree."""

from __future__ import annotations

import jmx_elements as e
from cases_of_answers import of_assertions, of_extractors
from cases_of_blocks import of_blocks
from cases_of_caches import of_caches
from cases_of_combinations import of_combinations
from cases_of_conditions import of_conditions
from cases_of_controllers import of_controllers
from cases_of_cookies import of_cookies
from cases_of_counting import of_counting
from cases_of_forms import of_forms
from cases_of_java import of_java
from cases_of_logins import of_logins
from cases_of_made_up import of_made_up, of_oddities
from cases_of_modifiers import of_modifiers
from cases_of_parts import of_parts
from cases_of_random_tables import of_random_tables
from cases_of_requests import of_requests
from journeys.function_cases import OF_JMETER
from oracle_case import Case, seen
from plans.writing import counter, csv, element, group, variables


def _values() -> list[Case]:
    user = element(
        "UserParameters",
        "Users",
        '<collectionProp name="UserParameters.names"><stringProp name="1">who</stringProp></collectionProp>',
        '<collectionProp name="UserParameters.thread_values"><collectionProp name="1"><stringProp name="1">ann'
        '</stringProp></collectionProp><collectionProp name="2"><stringProp name="1">ben</stringProp></collectionProp>'
        "</collectionProp>",
        '<boolProp name="UserParameters.per_iteration">false</boolProp>',
    )
    return [
        Case(
            "functions",
            "Functions",
            variables(letters="vanivnov")
            + "".join(e.raw("/f", each, contentEncoding="UTF-8", name="dig") for each, _ in OF_JMETER),
        ),
        Case(
            "references",
            "References: names, nesting, escapes, what is not closed",
            variables(**{"a": "1", "b c": "2", "d.e": "3", "n": "a", "x_1": "4", "p": "${a", "esc": "\\$ \\, \\\\"})
            + "".join(
                e.raw("/t", each, contentEncoding="UTF-8", name="t")
                for each in (
                    "${a}${b c}${d.e}${ a }${}",
                    "${${n}} ${__V(${n})} ${__V(x_${a})} ${__V(x_${__V(n)})}",
                    "$a {a} $ {a} $${a} ${a",
                    "\\${a} \\$ \\, \\\\ \\n ${a}",
                    "\\$ \\, \\\\ \\n",
                    "${p}} ${esc}",
                    "${__V( a )} ${__V(a ,b)} ${__V(\\,,a)}",
                    "${__V(z,(b))} ${__eval(${a}-\\${a})}",
                    "${__intSum(${a},${b c})}${__intSum(1,2,s)}${s}",
                )
            ),
        ),
        Case(
            "labels",
            "Names of elements with references, as labels of results",
            variables(v="mole")
            + e.request("/l", name="r ${v} ${__counter(FALSE,)}")
            + e.request("/m", name="in ${v} ${nobody}"),
            loops="2",
        ),
        Case(
            "functions-of-files",
            "Functions that read files, and those of names",
            "".join(
                e.raw("/f", each, contentEncoding="UTF-8", name="dig")
                for each in (
                    "${__FileToString(n.txt,UTF-8,text)}|${text}",
                    "${__StringFromFile(n.txt,line)}|${line}",
                    "${__CSVRead(rows.csv,0)}-${__CSVRead(rows.csv,1)}${__CSVRead(rows.csv,next())}",
                    "${__CSVRead(rows.csv,*r)}${__CSVRead(*r,1)}",
                    "${__samplerName} ${__TestPlanName} ${__threadGroupName}",
                )
            ),
            loops="3",
            files={"n.txt": "é\nb\n".encode(), "rows.csv": b"x,1\ny,2\n"},
        ),
        Case(
            "variables",
            "User Defined Variables, undefined ones, User Parameters, Counter, CSV Data Set, Random Variable",
            variables(a="1", b="${a}2", c="${__P(absent,x)}")
            + user
            + counter("n", "5", "5", "10")
            + csv("rows.csv", "p,q")
            + e.simple(
                "RandomVariableConfig",
                "R",
                variableName="r",
                minimumValue="7",
                maximumValue="7",
                outputFormat="000",
                perThread="true",
                randomSeed="",
            )
            + seen("a", "b", "c", "nobody", "who", "n", "p", "q", "r"),
            loops="3",
            files={"rows.csv": b"x,1\ny,2\n"},
        ),
    ]


def _controllers() -> list[Case]:
    two = e.request("/a") + e.request("/b")
    true = '<boolProp name="IfController.useExpression">true</boolProp>'
    return [
        Case(
            "if",
            "If Controller",
            variables(v="yes", n="3")
            + "".join(
                e.controller("IfController", e.request(f"/if/{number}"), "If", true, IfController__condition=each)
                for number, each in enumerate(
                    [
                        "true",
                        "false",
                        '${__jexl3("${v}" == "yes",)}',
                        "${__jexl3(${n} > 3,)}",
                        '${__groovy("${v}" != "no",)}',
                        "${v}",
                    ]
                )
            )
            + e.controller(
                "IfController", e.request("/js"), "If", IfController__condition='"${v}" == "yes" && ${n} < 4'
            ),
        ),
        Case(
            "loops",
            "Loop, While, Once Only and ForEach Controller",
            variables(i_1="x", i_2="y")
            + e.controller("LoopController", two, LoopController__loops="2")
            + e.controller("OnceOnlyController", e.request("/once"))
            + e.controller(
                "ForeachController",
                seen("o"),
                ForeachController__inputVal="i",
                ForeachController__returnVal="o",
                ForeachController__useSeparator="true",
            )
            + e.controller("WhileController", e.request("/fails/w"), WhileController__condition="")
            + e.controller(
                "WhileController",
                e.request("/nth/x", below=e.json("n", "$.n")),
                WhileController__condition='${__jexl3("${n}" != "3",)}',
            ),
            loops="2",
        ),
        Case(
            "turns",
            "Interleave, Switch, Transaction and Simple Controller",
            e.controller("InterleaveControl", two + e.request("/c"), InterleaveControl__style="1")
            + e.controller("SwitchController", two, SwitchController__value="1")
            + e.controller("SwitchController", two, SwitchController__value="/a")
            + e.controller("TransactionController", two, "all", TransactionController__parent="false")
            + e.controller("GenericController", two),
            loops="3",
            results=False,
        ),
        Case(
            "chance",
            "Random, Random Order and Throughput Controller: how often",
            e.controller("RandomOrderController", two)
            + e.controller(
                "ThroughputController",
                e.request("/half"),
                "Half",
                "<FloatProperty><name>ThroughputController.percentThroughput</name><value>50.0</value>"
                "<savedValue>0.0</savedValue></FloatProperty>",
                ThroughputController__style="1",
                ThroughputController__perThread="false",
                ThroughputController__maxThroughput="1",
            ),
            loops="4",
            ordered=False,
        ),
    ]


def _timers() -> list[Case]:
    constant = e.simple("ConstantTimer", "T", ConstantTimer__delay="100")
    return [
        Case(
            "constant-timer",
            "Constant Timer",
            constant + e.request("/a") + e.request("/b"),
            loops="5",
            lasts=True,
        ),
        Case(
            "throughput-timer",
            "Constant Throughput Timer",
            element(
                "ConstantThroughputTimer",
                "T",
                "<doubleProp><name>throughput</name><value>300.0</value><savedValue>0.0</savedValue></doubleProp>",
                '<intProp name="calcMode">0</intProp>',
            )
            + e.request("/a"),
            loops="10",
            lasts=True,
        ),
    ]


def _groups() -> list[Case]:
    keep = e.request("/set/${__setProperty(season,y1)}", name="keep")
    return [
        Case(
            "before-and-after",
            "setUp and tearDown Thread Group, groups one after the other",
            group(e.request("/one/${__P(season)}"), name="one", loops="2")
            + group(e.request("/two/${__P(season)}"), name="two")
            + e.renamed(group(keep, name="before"), "SetupThreadGroup")
            + e.renamed(group(e.request("/end/${__P(season)}"), name="after"), "PostThreadGroup"),
            whole=True,
        ),
        Case(
            "threads",
            "Thread Group: several threads",
            e.request("/t/${__threadNum}") + e.request("/c/${__counter(FALSE,)}") + e.request("/o/${__counter(TRUE,)}"),
            threads="4",
            loops="3",
            ordered=False,
            results=False,
        ),
    ]


CASES = [
    *of_requests(),
    *of_made_up(),
    *of_oddities(),
    *of_modifiers(),
    *of_logins(),
    *of_forms(),
    *of_caches(),
    *of_java(),
    *of_extractors(),
    *of_assertions(),
    *of_parts(),
    *_values(),
    *_controllers(),
    *of_controllers(),
    *of_conditions(),
    *of_combinations(),
    *of_blocks(),
    *of_counting(),
    *of_random_tables(),
    *of_cookies(),
    *_timers(),
    *_groups(),
]
