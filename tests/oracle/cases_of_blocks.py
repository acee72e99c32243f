"""Cases of controllers within controllers that are rarely put together, and of what is counted in them."""

from __future__ import annotations

import jmx_elements as e
from cases_of_controllers import action, for_each, if_, interleave, loop, once, share
from oracle_case import Case
from plans.writing import collection, counter, csv, element, group, text, variables

A, B, C = (e.request(f"/{name}") for name in "abc")
FAILS = e.request("/status/500", name="fails")
COUNT = "${__counter(FALSE,)}"
LESS = "${__jexl3(${__counter(TRUE,)} < %d,)}"
OK = "${JMeterThread.last_sample_ok}"


def _switch(value: str, below: str) -> str:
    return e.controller("SwitchController", below, "Switch", SwitchController__value=value)


def _while(below: str, condition: str) -> str:
    return e.controller("WhileController", below, "While", WhileController__condition=condition)


def _transaction(below: str, parent: str, name: str = "all") -> str:
    flag = f'<boolProp name="TransactionController.parent">{parent}</boolProp>'
    return e.controller("TransactionController", below, name, flag)


def _handler(number: str) -> str:
    return e.simple("ResultAction", "handler", OnError__action=number)


def _parameters(per_iteration: str, **values: str) -> str:
    return element(
        "UserParameters",
        "Users",
        collection("UserParameters.names", *[text(name, name) for name in values]),
        collection("UserParameters.thread_values", collection("1", *[text(name, values[name]) for name in values])),
        f'<boolProp name="UserParameters.per_iteration">{per_iteration}</boolProp>',
    )


def _groups(*bodies: str, loops: str = "3", on_error: str = "continue") -> str:
    after = text("ThreadGroup.on_sample_error", on_error)
    return "".join(
        group(e.header_manager(X_G=f"{on_error} {number}") + each + e.request("/end"), after, loops=loops, name="group")
        for number, each in enumerate(bodies)
    )


def _module(name: str) -> str:
    path = [text(str(number), each) for number, each in enumerate(("Test Plan", "Plan", "piece", name))]
    return element("ModuleController", "module", collection("ModuleController.node_path", *path))


def _of_choices() -> list[Case]:
    never, table, sets = if_("false", e.request("/no")), csv("rows.csv", "q"), counter("c")
    return [
        Case(
            "done-blocks",
            "Switch, Interleave and Throughput Controller: a block that is done for good",
            _groups(
                _switch("1", A + share("1", "0.0", B, "false") + C),
                _switch(LESS % 3, share("0", "1", A) + share("1", "0.0", B) + C),
                _switch("0", loop("2", A, again="false") + B),
                _switch("0", e.controller("GenericController", "") + B),
                interleave("1", share("0", "1", A + never) + B + C),
                interleave("0", share("0", "2", A + never) + B + C),
                loop("2", share("0", "3", A + never) + B),
                loops="4",
            ),
            whole=True,
        ),
        Case(
            "blocks-without-anything",
            "Interleave and Random Controller: a block that has nothing to do ends the thread",
            _groups(
                interleave("0", A + never + C),
                interleave("1", A + never + C),
                interleave("0", for_each(A) + B),
                interleave("0", _while(A, "false") + B),
                interleave("0", share("1", "50.0", A) + B),
                interleave("0", if_("${__jexl3(${__counter(TRUE,)} > 500,)}", A)),
                e.controller("RandomController", never, "Random", InterleaveControl__style="0"),
            ),
            whole=True,
        ),
        Case(
            "whole-blocks-without-anything",
            "Interleave Controller: a block that is done for good, and the others have nothing to do",
            _groups(
                interleave("1", e.controller("GenericController", "") + _while(A, "false")),
                interleave("1", _while(A, LESS % 3) + share("1", "0.0", B)),
                interleave("1", never + e.controller("GenericController", "")),
                interleave("1", share("1", "0.0", A) + share("1", "0.0", B)),
                interleave("1", share("1", "0.0", B) + if_("${__jexl3(${__counter(TRUE,)} > 500,)}", A)),
                interleave("1", share("1", "0.0", B) + loop("2", _while(A, "false"))),
            ),
            whole=True,
        ),
        Case(
            "blocks-that-only-set",
            "Controllers with nothing but what sets values: they are come to once",
            _groups(
                *[
                    each + e.request("/${c}")
                    for each in (
                        *(e.controller("GenericController", sets), loop("2", sets), if_("true", sets), once(sets)),
                        *(for_each(sets), _while(sets, LESS % 4), _transaction(sets, "true"), _switch("0", sets)),
                        *(share("1", "50.0", sets), loop("2", e.controller("GenericController", sets) + A)),
                    )
                ]
            ),
            whole=True,
        ),
        Case(
            "for-each-ends",
            "ForEach Controller: an end that is not a number",
            variables(i_1="x", i_2="y", v="none")
            + "".join(
                for_each(e.request(f"/{number}/${{o}}"), ForeachController__endIndex=each)
                for number, each in enumerate(("${v}", "${nobody}", "1", "", "9"))
            )
            + for_each(_parameters("true", p="${o}") + e.request("/p/${p}/${o}") + e.request("/again/${p}")),
        ),
        Case(
            "modules-count-apart",
            "Module Controller: what counts in it counts for each of them alone",
            element(
                "TestFragmentController",
                "piece",
                below=e.controller(
                    "GenericController",
                    counter("c") + table + e.request(f"/{COUNT}/${{c}}/${{q}}") + share("0", "1", B) + once(C),
                    "part",
                ),
            )
            + _groups(_module("part") + _module("part"), _module("part")),
            whole=True,
            files={"rows.csv": b"x\ny\nz\n"},
        ),
        Case(
            "tables-read-again",
            "CSV Data Set: of one file, with and without an end",
            _groups(
                csv("rows.csv", "q", recycle="false", stopThread="false") + e.request("/${q}"),
                table + e.request("/${q}"),
                csv("rows.csv", "q", recycle="false", stopThread="true") + e.request("/${q}"),
                table + e.request("/${q}"),
                loops="5",
            ),
            whole=True,
            files={"rows.csv": b"x\ny\nz\n"},
        ),
        Case(
            "called-once",
            "Functions are called once for each text of a request, and each text counts on its own",
            variables(u=COUNT, w=COUNT)
            + e.header_manager(X_A=COUNT, X_B=COUNT)
            + e.defaults(e.arguments(e.argument("d", COUNT), e.argument("dd", COUNT)))
            + _parameters("true", p=COUNT, q=COUNT)
            + "".join(
                e.request("/x", e.arguments(e.argument("a", COUNT), e.argument(COUNT, "b")), method=method)
                + e.raw("/raw", COUNT, method=method)
                for method in ("DELETE", "GET", "POST")
            )
            + e.request("/p/${p}${q}${u}${w}"),
            files={"rows.csv": b"x\n"},
            loops="3",
            results=False,
        ),
        Case(
            "names-in-parameters",
            "User Parameters: with the name of the request that is to come",
            _parameters("false", p="${__samplerName}")
            + e.request("/${p}", name="one")
            + e.request("/${p}", name="two"),
            loops="2",
        ),
    ]


def _of_failures() -> list[Case]:
    names = ("startnextloop", "stopthread", "continue")
    ok = e.request(f"/after/{OK}")
    empty = (
        *(share("0", "1", A), share("1", "0.0", A), if_("false", A), once(A), "", A + action("0")),
        *(FAILS + A + action("3"), FAILS + action("4") + A),
    )
    return [
        Case(
            "while-after-failure",
            "While Controller: its condition is looked at once more when a failure begins the next loop",
            "".join(
                _groups(
                    _while(FAILS + A, LESS % 5),
                    loop("2", _while(FAILS, LESS % 7) + B),
                    _while(_while(FAILS, LESS % 7), LESS % 9),
                    _while(if_("true", action("3")) + A, LESS % 5),
                    on_error=each,
                )
                for each in names
            ),
            whole=True,
        ),
        Case(
            "handlers-of-transactions",
            "Result Status Action Handler: that applies to a Transaction Controller with a parent sample too",
            _groups(
                *[
                    each
                    for number in ("4", "5", "6", "1")
                    for parent in ("true", "false")
                    for each in (
                        _handler(number) + _transaction(FAILS + A, parent),
                        _transaction(_handler(number) + FAILS + A, parent),
                        _transaction(FAILS.replace("<hashTree>", f"<hashTree>{_handler(number)}") + A, parent),
                        loop("2", _handler(number) + _transaction(_transaction(FAILS + A, parent, "in") + B, "true")),
                    )
                ],
                loops="2",
            ),
            whole=True,
        ),
        Case(
            "judged-transactions",
            "Transaction Controller: assertions that apply to its parent sample, and how it ends",
            "".join(
                _groups(
                    *[
                        each
                        for parent in ("true", "false")
                        for judge in (
                            e.response_assertion("response_data", 2, '"ok"'),
                            e.response_assertion("response_code", 8, "200"),
                            e.json_assertion("$.ok"),
                        )
                        for each in (judge + _transaction(A, parent) + ok, _transaction(judge + A, parent) + ok)
                    ],
                    _transaction(FAILS + A, "true") + ok,
                    _transaction(_transaction(FAILS + A, "true", "in") + B, "true") + ok,
                    loops="2",
                    on_error=each,
                )
                for each in names
            ),
            whole=True,
        ),
        Case(
            "empty-transactions",
            "Transaction Controller: without a request, at the end of a thread, left under way",
            _groups(
                *[
                    _transaction(below, parent, f"{number} {parent}")
                    for parent in ("true", "false")
                    for number, below in enumerate((*empty, _transaction(if_("false", A), parent, "in")))
                ]
            ),
            whole=True,
        ),
    ]


def of_blocks() -> list[Case]:
    return [*_of_choices(), *_of_failures()]
