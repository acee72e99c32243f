"""Cases of how often texts are evaluated: of controllers in each other, of names, of what cannot be sent."""

from __future__ import annotations

import jmx_elements as e
from cases_of_controllers import action, for_each, if_, interleave, loop, once
from oracle_case import Case
from plans.writing import collection, csv, element, group, text, variables

K = "${__counter(TRUE,k)}"
SHOWN = "/${o}/${k}"
FAILS = "${__intSum(${none},1)}"
TWICE = '${__setProperty(aa,it\'s "q" ${v})} ;; ${__setProperty(aa,2 ${v})}'
COUNTS = "${__jexl3(${__counter(TRUE,k)} %% %d != 0,)}"


def _shows(path: str, name: str = "", below: str = "") -> str:
    items = [e.argument("s", "${__samplerName}", encode=True), e.argument("u", "${u}", encode=True)]
    return e.request(f"{path}{SHOWN}", e.arguments(*items), name=name or f"plain {path}", below=below)


def _each(below: str, of: str, into: str = "o", **more: str) -> str:
    said = {"ForeachController__inputVal": of, "ForeachController__returnVal": into}
    return e.controller("ForeachController", below, "Each", **said, **more)


def _groups(*bodies: str, loops: str = "3", on_error: str = "continue") -> str:
    begin = variables(i_1="e1", i_2="e2", i_3="e3", j_1="f1", j_2="f2", k_1="i", k_2="j", e1_1="x", o="-", k="-", u="-")
    after = text("ThreadGroup.on_sample_error", on_error)
    fields = (e.header_manager(X_G=str(number)) for number, _ in enumerate(bodies))
    return begin + "".join(
        group(field + each + _shows("/end"), after, loops=loops, name="group")
        for field, each in zip(fields, bodies, strict=True)
    )


def _asked_by_name() -> str:
    return _grows("${__samplerName}")


def _grows(value: str = "${u}+", each_pass: str = "true") -> str:
    row = collection("1", text("1", value))
    return element(
        "UserParameters",
        "Users",
        collection("UserParameters.names", text("1", "u")),
        collection("UserParameters.thread_values", row),
        f'<boolProp name="UserParameters.per_iteration">{each_pass}</boolProp>',
    )


def _transaction(below: str, parent: str, name: str = f"all {K}") -> str:
    flag = f'<boolProp name="TransactionController.parent">{parent}</boolProp>'
    return e.controller("TransactionController", below, name, flag)


def _form(*triples: tuple[str, str, str], name: str = "form", multipart: str = "true") -> str:
    items = e.arguments(e.argument("a", K), e.argument("b", "${k}"))
    return e.request("/p", e.files(*triples), items, name=name, method="POST", DO_MULTIPART_POST=multipart)


def _calls(script: str) -> str:
    return element(
        "BeanShellPostProcessor",
        "calls",
        text("filename", ""),
        text("parameters", ""),
        '<boolProp name="resetInterpreter">false</boolProp>',
        text("script", script),
    )


def _numbered(below: str) -> str:
    return e.request("/nth/x", name="nth", below=e.regex("v", '"n": (\\d+)') + below)


def _asks() -> str:
    items = [e.argument(name, f"${{__P({name},none)}}", encode=True) for name in ("aa", "bb", "cc")]
    return e.request("/shown", e.arguments(*items))


def of_counting() -> list[Case]:
    """Of how often texts are evaluated."""
    every = '<boolProp name="IfController.evaluateAll">true</boolProp>'
    inner = _each(_shows("/b"), "j")
    named, block = f"n{K}", e.controller("GenericController", _shows("/c"))
    return [
        Case(
            "for-each-with-one-name",
            "ForEach Controllers within each other whose values have one name",
            _groups(
                _each(_shows("/a") + inner + _shows("/c"), "i"),
                _each(inner + _shows("/c"), "i"),
                _each(_shows("/a") + loop("2", inner + _shows("/d")) + _shows("/c"), "i"),
                _each(_each(_shows("/b"), "${o}") + _shows("/c"), "k"),
                _each(_shows("/a") + _each(_shows("/b"), "j", ForeachController__startIndex="1") + _shows("/c"), "i"),
                _each(interleave("1", inner + _shows("/d")) + once(inner) + _shows("/c"), "i"),
                _each(_each(_shows("/a"), "e1", "i_2") + _shows("/b"), "i", "i_1"),
                _each(_each(_shows("/a"), "k") + block, "${o}"),
                loops="2",
            ),
            whole=True,
        ),
        Case(
            "asked-anew",
            "Controllers that ask themselves anew after a controller within them",
            _groups(
                e.controller(
                    "IfController",
                    loop("2", _shows("/a")) + block + _shows("/b") + block,
                    "If",
                    '<boolProp name="IfController.useExpression">true</boolProp>',
                    every,
                    IfController__condition=COUNTS % 5,
                ),
                for_each(block + block, ForeachController__endIndex=K),
                for_each(block + block, ForeachController__endIndex="${__intSum(5,-${__counter(TRUE,k)},)}"),
                for_each(block + block, ForeachController__startIndex=K),
                loop(K, loop(K, _shows("/a")) + block),
                loops="5",
            ),
            whole=True,
        ),
        Case(
            "names-that-count",
            "Functions in names, and ${__samplerName} after the sampler of such a name",
            _groups(
                _asked_by_name() + _shows("/a") + _shows("/b", named),
                loop("2", _asked_by_name() + _shows("/a", named)),
                _shows("/b", named) + if_("${__jexl3('${__samplerName}' != '',)}", _shows("/a", named)),
                _shows("/b", named) + _each(_shows("/a"), "i", ForeachController__endIndex="${__samplerName}"),
                _asked_by_name() + e.dummy(named, waits="false") + _shows("/a"),
                _asked_by_name() + _shows("/a", named) + action("1"),
                _asked_by_name() + _shows("/b") + _transaction(_shows("/a"), "true"),
                _asked_by_name() + _shows("/b") + _transaction(_shows("/a"), "false"),
            ),
            whole=True,
            results=False,
        ),
        Case(
            "kept-user-parameters",
            "User Parameters: passes in which no request was sent",
            _groups(
                *(
                    loop("2", _grows() + each) + _shows("/s")
                    for each in (if_("false", _shows("/no")), if_("false", _shows("/no")) + loop("1", _shows("/a")))
                ),
                _each(_grows() + if_("false", _shows("/no")), "i"),
                e.controller("WhileController", _grows() + if_("false", ""), WhileController__condition=COUNTS % 4),
            ),
            whole=True,
        ),
        Case(
            "functions-that-fail",
            "Functions without a value for their arguments, in requests, controllers, extractors and assertions",
            _groups(
                *(
                    _shows("/a") + each + _shows("/b")
                    for each in (
                        e.request(f"/bad/{FAILS}", name="bad"),
                        e.request("/bad", name=FAILS),
                        e.request("/x", below=e.regex("u", "nothing", default=FAILS)),
                        e.request("/x", below=e.response_assertion("response_code", 8, FAILS)),
                        if_(f"${{__jexl3({FAILS} == 2,)}}", _shows("/in")),
                        loop(FAILS, _shows("/in")),
                        _each(_shows("/in"), "i", ForeachController__endIndex=FAILS),
                        e.dummy("d", data=FAILS, waits="false"),
                    )
                ),
                _grows(FAILS) + _shows("/a"),
                e.controller("GenericController", _grows(FAILS, "false") + _shows("/a")) + _shows("/b"),
                on_error="startnextloop",
            ),
            whole=True,
            results=False,
        ),
        Case(
            "evaluated-anew",
            "Functions in texts that are evaluated: each time they are others",
            csv("texts.csv", "q", delimiter=";")
            + "".join(
                e.request("/e", e.arguments(e.argument("x", each, encode=True)), name="e")
                for each in ("${__evalVar(q)}", "${__eval(${q})}", "${__eval(${q})} ${__counter(FALSE,)}")
            ),
            loops="4",
            files={"texts.csv": b"${__counter(FALSE,)}\nx${__counter(TRUE,k)}${k}\n${__counter(FALSE\n"},
        ),
        Case(
            "scripts-of-calls",
            "BeanShell PostProcessor: nothing but ${__setProperty(...)}, called at the start of the test too",
            variables(v="-")
            + "".join(
                group(e.header_manager(X_G=str(number)) + each + _asks(), loops="2", name="group")
                for number, each in enumerate(
                    (
                        "",
                        _numbered(_calls("${__setProperty(aa,Bearer ${v})}\n${__setProperty(bb,${v},)};")),
                        _asks() + _calls("${__setProperty(aa,x${v})};${__setProperty(cc,${none})}") + _numbered(""),
                        e.dummy("d", data="n7", waits="false", below=e.regex("v", "n(.)")) + _numbered(_calls(TWICE)),
                    )
                )
            ),
            whole=True,
            results=False,
        ),
        Case(
            "transactions-whose-names-change",
            "Transaction Controller: its name is that of its begin",
            _transaction(e.request("/a") + e.request(f"/b/{K}"), "true")
            + _transaction(e.request("/a") + e.request(f"/b/{K}"), "false"),
            loops="3",
        ),
        Case(
            "transactions-in-blocks",
            "Transaction Controller: one in a block of one that has its requests below it",
            _transaction(
                e.controller("GenericController", _transaction(e.request("/status/500"), "false", "inner")),
                "true",
                "all",
            )
            + _transaction(_transaction(e.request("/status/500"), "false", "next"), "true", "both"),
        ),
        Case(
            "forms-that-cannot-be-sent",
            "HTTP Request: what is evaluated of a form that cannot be sent",
            _groups(
                _form(("f.txt", "up", "")),
                _form(("f.txt", "up", "text/plain"), ("f.txt", "up", "")),
                _form(("f.txt", "", "text/plain")),
                _form(("f.txt", "", ""), multipart="false"),
                _form(("f.txt", "up", ""), name=named),
            ),
            whole=True,
            files={"f.txt": b"file\n"},
        ),
        Case(
            "defined-and-set",
            "User Defined Variables whose names a file's first line, extractors and functions set too",
            variables(user="old", w_1="old", w_g1="old", w_matchNr="7", p_3="old", kept_1="kept")
            + e.element("CSVDataSet", "rows", text("filename", "users.csv"), text("delimiter", ","))
            + e.request("/a/${user}/${kept_1}", below=e.regex("w", "([a-z]+)", match="-1"))
            + e.request("/b/${w_g1}/${w_matchNr}/${w_2}/${kept_1}")
            + e.request("/c/${__split(x:y,p,:)}")
            + e.request("/d/${p_1}/${p_2}/${p_n}")
            + variables(named="v", v="old", sum="old")
            + e.request("/e/${__intSum(1,2,${__P(none,sum)})}", below=e.regex("${named}", "([a-z]+)"))
            + e.request("/f/${v}/${sum}"),
            files={"users.csv": b"user,n\nann,1\nbo,2\n"},
            loops="2",
        ),
    ]
