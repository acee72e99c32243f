"""Cases of controllers within controllers, and of what belongs to them: counters, tables, actions, failures."""

from __future__ import annotations

import jmx_elements as e
from oracle_case import Case, seen
from plans.writing import collection, counter, csv, element, group, text, variables

A, B, C = (e.request(f"/{name}") for name in "abc")
FAILS = e.request("/fails/w", name="fails")


def loop(loops: str, below: str, again: str = "true") -> str:
    return e.controller("LoopController", below, LoopController__loops=loops, LoopController__continue_forever=again)


def interleave(style: str, below: str) -> str:
    return e.controller("InterleaveControl", below, InterleaveControl__style=style)


def if_(condition: str, below: str) -> str:
    by_words = '<boolProp name="IfController.useExpression">true</boolProp>'
    return e.controller("IfController", below, "If", by_words, IfController__condition=condition)


def for_each(below: str, **more: str) -> str:
    said = {"ForeachController__inputVal": "i", "ForeachController__returnVal": "o"}
    return e.controller("ForeachController", below, "Each", **said, **more)


def _block(below: str, name: str = "block") -> str:
    return e.controller("GenericController", below, name)


def once(below: str) -> str:
    return e.controller("OnceOnlyController", below)


def share(style: str, number: str, below: str, own: str = "true") -> str:
    percent = (
        "<FloatProperty><name>ThroughputController.percentThroughput</name>"
        f"<value>{number}</value><savedValue>0.0</savedValue></FloatProperty>"
    )
    most = number if style == "0" else "1"
    return e.controller(
        "ThroughputController",
        below,
        "Share",
        percent,
        ThroughputController__style=style,
        ThroughputController__perThread=own,
        ThroughputController__maxThroughput=most,
    )


def action(number: str, target: str = "0", duration: str = "0") -> str:
    said = {"ActionProcessor__action": number, "ActionProcessor__target": target, "ActionProcessor__duration": duration}
    return e.simple("TestAction", "action", **said)


def _path(*names: str) -> str:
    return collection("ModuleController.node_path", *[text(str(number), name) for number, name in enumerate(names)])


def of_controllers() -> list[Case]:
    values = variables(i_1="x", i_2="y", i_3="z", n="0")
    idx = e.request("/loop/${__jm__Controller__idx}")
    return [
        Case(
            "loops-in-loops",
            "Loop Controller: within others, its variable, once for good",
            loop("2", A + loop("2", idx + once(B))) + loop("2", C, again="false") + loop("0", A) + loop("", A),
            loops="3",
        ),
        Case(
            "interleaved-blocks",
            "Interleave Controller: blocks, loops and conditions within it, both ways",
            "".join(
                interleave(style, A + _block(B + C) + loop("2", e.request("/l")) + if_("false", e.request("/no")))
                for style in ("1",)
            )
            + interleave("0", A + _block(B + C) + loop("2", e.request("/l"))),
            loops="9",
        ),
        Case(
            "interleaved-counters",
            "Interleave and Random Order Controller: what sets values within them",
            interleave("1", counter("k") + e.request("/k/${k}") + _block(counter("m") + e.request("/m/${k}/${m}"))),
            loops="5",
        ),
        Case(
            "for-each",
            "ForEach Controller: bounds, within a loop, its variable after it",
            values
            + for_each(e.request("/e/${o}"), ForeachController__startIndex="1")
            + for_each(e.request("/f/${o}"), ForeachController__endIndex="2")
            + loop("2", for_each(e.request("/g/${o}/${__jm__Each__idx}")))
            + seen("o", path="/after"),
            loops="2",
        ),
        Case(
            "once-only",
            "Once Only Controller: in loops, blocks, conditions and ForEach",
            values
            + once(A)
            + loop("2", once(e.request("/in-loop")) + B)
            + loop("2", _block(once(e.request("/in-block")) + C))
            + for_each(once(e.request("/in-each")) + e.request("/each"))
            + if_("true", once(e.request("/in-if"))),
            loops="3",
        ),
        Case(
            "shares",
            "Throughput Controller: percentages and numbers, in loops and blocks",
            share("1", "30.0", A)
            + share("0", "2", B)
            + loop("3", share("1", "50.0", C) + share("0", "3", A))
            + interleave("1", share("1", "50.0", e.request("/s")) + e.request("/t")),
            loops="6",
        ),
        Case(
            "while-counting",
            "While Controller: what counts within it, its variable, LAST",
            e.controller(
                "WhileController",
                counter("w") + e.request("/w/${w}/${__jm__While__idx}"),
                "While",
                WhileController__condition='${__jexl3("${w}" != "3",)}',
            )
            + e.controller("WhileController", A + FAILS, "Last", WhileController__condition="LAST")
            + e.controller("WhileController", A, "Never", WhileController__condition="false"),
            loops="2",
        ),
        Case(
            "flow-control",
            "Flow Control Action: next iteration of the thread or the loop, leaving a loop",
            loop("2", A + action("4") + B)
            + loop("3", e.request("/x") + action("5") + B)
            + _block(_block(C + action("3")) + B),
            loops="2",
        ),
        Case(
            "stop-thread",
            "Flow Control Action: the end of a thread",
            A + loop("2", B + action("0")) + C,
            loops="2",
            threads="2",
            ordered=False,
        ),
        Case(
            "next-loop-after-failure",
            "Thread Group: the next loop after a failure",
            group(
                loop("2", A + _block(FAILS + B)) + C,
                text("ThreadGroup.on_sample_error", "startnextloop"),
                loops="2",
            ),
            whole=True,
        ),
        Case(
            "stop-after-failure",
            "Thread Group: the end of a thread after a failure",
            group(A + FAILS + B, text("ThreadGroup.on_sample_error", "stopthread"), loops="2"),
            whole=True,
        ),
        Case(
            "result-status-action",
            "Result Status Action Handler",
            "".join(
                loop(
                    "2",
                    e.request(f"/r{number}", name="ok")
                    + e.request("/fails/r", name="bad", below=e.simple("ResultAction", "h", OnError__action=number))
                    + e.request(f"/after{number}"),
                )
                for number in ("5", "6", "0", "4")
            ),
            loops="2",
        ),
        Case(
            "switches",
            "Switch Controller: numbers, names, default, blocks, unknown names",
            variables(k="1")
            + "".join(
                e.controller(
                    "SwitchController",
                    A + _block(B + C, "two") + e.request("/d", name="Default"),
                    SwitchController__value=each,
                )
                for each in ("0", "1", "7", "", "two", "none", "${k}", "DEFAULT")
            )
            + e.controller("SwitchController", A, SwitchController__value="none"),
            loops="2",
        ),
        Case(
            "run-time",
            "Runtime Controller",
            # The first request of a JVM may take a second.
            A
            + e.controller(
                "RunTime",
                e.request("/r", below=e.simple("ConstantTimer", "t", ConstantTimer__delay="700")),
                RunTime__seconds="2",
            )
            + B,
            lasts=True,
        ),
        Case(
            "modules-with-loops",
            "Module Controller: into a disabled group and a Test Fragment, twice",
            group(loop("2", A + counter("c") + e.request("/c/${c}")), name="store", enabled=False)
            + element("TestFragmentController", "piece", below=_block(B + once(C), "part"))
            + group(
                element("ModuleController", "m1", _path("Test Plan", "Plan", "store", "Controller"))
                + element("ModuleController", "m2", _path("Test Plan", "Plan", "piece", "part"))
                + element("ModuleController", "m3", _path("Test Plan", "Plan", "piece", "part")),
                loops="2",
            ),
            whole=True,
        ),
        Case(
            "tables-in-loops",
            "CSV Data Set: in a loop, beside the groups, of each thread, short rows, an empty line",
            csv("outer.csv", "p")
            + group(
                loop("2", csv("rows.csv", "q,r") + seen("p", "q", "r"))
                + csv("own.csv", "s", shareMode="shareMode.thread")
                + seen("s", path="/s"),
                loops="3",
            )
            + group(seen("p", path="/second"), loops="2", name="second"),
            whole=True,
            files={"outer.csv": b"1\n2\n3\n4\n", "rows.csv": b"a,b\nc\n\nd,e\n", "own.csv": b"m\nn\n"},
        ),
        Case(
            "tables-that-end",
            "CSV Data Set: rows that end the thread, or go on as <EOF>",
            group(csv("rows.csv", "q", recycle="false", stopThread="true") + seen("q"), loops="-1")
            + group(csv("more.csv", "q", recycle="false", stopThread="false") + seen("q", path="/e"), loops="4"),
            whole=True,
            files={"rows.csv": b"a\nb\n", "more.csv": b"c\nd\n"},
        ),
        Case(
            "counters",
            "Counter: end, format, reset in each iteration, below a request",
            counter("a", "1", "2", "5", "user_000")
            + element(
                "CounterConfig",
                "own",
                *[
                    text(f"CounterConfig.{name}", value)
                    for name, value in (
                        ("name", "b"),
                        ("start", "1"),
                        ("incr", "1"),
                        ("per_user", "true"),
                        ("reset_on_tg_iteration", "true"),
                    )
                ],
            )
            + loop("2", counter("c", "10", "-1", "") + seen("a", "b", "c"))
            + e.request("/below/${d}", below=counter("d")),
            loops="4",
        ),
        Case(
            "if-evaluates-all",
            "If Controller: looked at before each request",
            variables(go="true")
            + e.controller(
                "IfController",
                e.request("/nth/z", below=e.json("go", "$.none")) + B,
                "If",
                '<boolProp name="IfController.useExpression">true</boolProp>',
                '<boolProp name="IfController.evaluateAll">true</boolProp>',
                IfController__condition="${go}",
            )
            + C,
            loops="2",
        ),
        Case(
            "timers-by-scope",
            "Timers: what applies to which request, also to pauses",
            A
            + _block(
                e.simple("ConstantTimer", "t", ConstantTimer__delay="200") + B + _block(C + action("1", "0", "150"))
            )
            + e.request("/d", below=e.simple("ConstantTimer", "t", ConstantTimer__delay="300"))
            + e.controller(
                "InterleaveControl",
                e.simple("ConstantTimer", "t", ConstantTimer__delay="${__Random(100,100)}") + A + B,
                InterleaveControl__style="1",
            ),
            loops="3",
            lasts=True,
        ),
        Case(
            "last-sample",
            "Variables that JMeter sets itself",
            A
            + e.request("/l/${JMeterThread.last_sample_ok}")
            + FAILS
            + e.request("/l/${JMeterThread.last_sample_ok}")
            + e.request("/i/${__jm__Group__idx}"),
            loops="2",
        ),
    ]
