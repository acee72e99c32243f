"""Cases of elements that are rarely combined, as plans of other people combine them."""

from __future__ import annotations

import jmx_elements as e
from oracle_case import Case, seen
from plans.writing import csv, group, text, variables

A, B, C = (e.request(f"/{name}") for name in "abc")
FAILS = e.request("/status/500", name="fails")
CONDITIONS = (
    "${o} == 10", "0x10 == 16", "010L == 8", "${o} < ${n}", "${e} == 8", "-${o} == -10", '"${o}" == 12', '"${e}" == 8',
    '"1e1" == 10', '"1e1" == 10.0', '"9.5" < 10', '"9.5" < 10.0', '" 10 " == 10', '"${nobody}" != 200',
    'true || "abc" == 1', '!("abc" < 1)', '"" == 0', '"1_0" == 10', '"-" == 1',
)  # fmt: skip


def _handler(action: str) -> str:
    return e.simple("ResultAction", "handler", OnError__action=action)


def _loop(below: str) -> str:
    return e.controller("LoopController", below, LoopController__loops="2")


def _block(below: str) -> str:
    return e.controller("GenericController", below)


def _if(condition: str, path: str) -> str:
    by_words = '<boolProp name="IfController.useExpression">true</boolProp>'
    return e.controller("IfController", e.request(path), "If", by_words, IfController__condition=condition)


def _each(below: str, values: str, name: str, separator: str = "true") -> str:
    return e.controller(
        "ForeachController",
        below,
        f"Each {name}",
        f'<boolProp name="ForeachController.useSeparator">{separator}</boolProp>',
        ForeachController__inputVal=values,
        ForeachController__returnVal=name,
    )


def _redirected(status: int, method: str, how: str) -> str:
    to = f"/go?to=/landed/{method}&code={status}"
    return e.request(to, e.arguments(e.argument("a", "1")), method=method, name=f"{method} {how}", **{how: "true"})


def of_combinations() -> list[Case]:
    methods = ("GET", "HEAD", "POST", "PUT", "OPTIONS")
    form = e.arguments(e.argument("a", "1 2", encode=True), e.argument("b", "x%20y"), e.argument("c", ""))
    places = ("rel", "../up", "%23part", "/a%2520b", "/a%20b", "/x%5By%5D", "http://127.0.0.1:${__P(port)}")
    return [
        Case(
            "redirect-methods",
            "HTTP Request: which methods are redirected by which status, and with which method",
            "".join(
                _redirected(status, method, how)
                for status in (301, 303, 307, 308, 300, 304)
                for method in methods
                for how in ("follow_redirects", "auto_redirects")
            ),
        ),
        Case(
            "redirect-places",
            "HTTP Request: where redirects lead, in circles too, and those without a Location",
            "".join(
                e.request(f"/go?to={each}", name=f"{each} {how}", **{how: "true"})
                for each in places
                for how in ("follow_redirects", "auto_redirects")
            )
            + e.request("/status/302", name="nowhere")
            + e.request("/status/302", follow_redirects="true", name="followed nowhere")
            + e.request("/status/307", method="POST", auto_redirects="true", name="posted nowhere")
            + e.request("/status/307", method="POST", name="not a redirect"),
        ),
        Case(
            "redirected-elsewhere",
            "HTTP Header Manager: its fields go with redirects and embedded resources to other servers too",
            e.header_manager(Authorization="Bearer x", X_A="1")
            + "".join(
                e.request("/go?to=http://localhost:${__P(port)}/page", name=how, image_parser="true", **{how: "true"})
                for how in ("follow_redirects", "auto_redirects")
            ),
            ordered=False,
        ),
        Case(
            "host-fields",
            "HTTP Header Manager: a Host field gets the port of the request's URL",
            variables(p="${__P(port)}", h="127.0.0.1", v="v.example")
            + e.request("/a", below=e.header_manager(Host="a.example"))
            + e.request("/b", below=e.header_manager(Host="b.example:81"))
            + e.request("/c", port="${p}", domain="${h}", below=e.header_manager(Host="${v}")),
        ),
        Case(
            "host-of-values",
            "HTTP Header Manager: a Host field whose port is in a variable, and beside paths in variables",
            csv("rows.csv", "path,host")
            + e.request("${path}", below=e.header_manager(Host="${host}"))
            + e.request("/plain", below=e.header_manager(Host="${host}"))
            + e.request("${path}", below=e.header_manager(Host="d.example"))
            + e.request("/number", below=e.header_manager(Host="e.example:${path}")),
            loops="4",
            files={
                "rows.csv": b"one,a.example:81\nhttp://127.0.0.1:PORT/whole,b.example:80\n/two,c.example\n82,127.0.0.1\n"
            },
        ),
        Case(
            "for-each-nested",
            "ForEach Controller: whose prefix is a value of another one",
            variables(i_1="p", i_2="q", p_1="1", p_2="2", q_1="3", p1="s", q1="t")
            + _each(
                _each(e.request("/${o}/${u}"), "${o}", "u") + _each(e.request("/b/${u}"), "${o}", "u", "false"),
                "i",
                "o",
            ),
            loops="2",
        ),
        Case(
            "several-handlers",
            "Result Status Action Handler: several that apply, and beside what the Thread Group does",
            _handler("4")
            + group(
                _loop(A + FAILS + B) + _block(_handler("5") + _loop(C + FAILS + B)),
                loops="2",
            )
            + group(_block(_handler("1") + _block(_handler("5") + _loop(A + FAILS)) + C), loops="2", name="second")
            + group(
                _block(_handler("1") + A + FAILS) + B,
                text("ThreadGroup.on_sample_error", "startnextloop"),
                loops="2",
                name="third",
            ),
            whole=True,
        ),
        Case(
            "unsent-extracts",
            "Extractors: of a request that cannot be sent",
            e.request("/${nobody}", name="unsent", below=e.regex("x", "zz(.)") + e.json("y", "$.a", defaults="D"))
            + seen("x", "y"),
        ),
        Case(
            "rows-end-in-a-transaction",
            "Transaction Controller: in a loop that the end of a CSV Data Set ends",
            _loop(
                csv("rows.csv", "q", recycle="false", stopThread="true")
                + e.controller("TransactionController", e.request("/${q}"), "all")
            ),
            loops="3",
            files={"rows.csv": b"1\n2\n3\n"},
        ),
        Case(
            "thread-ends-in-a-transaction",
            "Transaction Controller: whose thread ends within it",
            "".join(
                group(
                    e.controller(
                        "TransactionController",
                        A
                        + e.controller(
                            "TransactionController",
                            below + B,
                            "inner",
                            f'<boolProp name="TransactionController.parent">{parent}</boolProp>',
                        ),
                        "outer",
                        f'<boolProp name="TransactionController.parent">{parent}</boolProp>',
                    ),
                    text("ThreadGroup.on_sample_error", "stopthread"),
                    name=f"group {number}",
                    loops="2",
                )
                for number, (parent, below) in enumerate(
                    (parent, below)
                    for parent in ("true", "false")
                    for below in (FAILS, C + e.simple("TestAction", "end", ActionProcessor__action="0"))
                )
            ),
            whole=True,
        ),
        Case(
            "functions-in-labels",
            "Functions in names of elements are called after those of the request",
            e.request("/${__counter(FALSE,x)}/${__setProperty(s,${__counter(TRUE,)},true)}", name="${__P(s,none)}"),
            loops="2",
        ),
        Case(
            "named-files",
            "HTTP Request: files whose names and types are variables, and one without a parameter's name",
            variables(n="n.txt", t="text/plain")
            + e.request("/p", e.files(("${n}", "f", "${t}"), ("m.bin", "f", "x/y")), method="POST")
            + e.request("/q", e.files(("n.txt", "", "text/plain"), ("m.bin", "", "x/y")), method="POST"),
            files={"n.txt": b"note\n", "m.bin": b"\0\1"},
        ),
        Case(
            "numbers-in-conditions",
            "Conditions: numbers that begin with 0, and texts that are compared with numbers",
            variables(o="012", n="11", e="08")
            + "".join(
                _if(f"${{__{language}({each},)}}", f"/{language}/{number}")
                for language in ("jexl3", "javaScript", "groovy")
                for number, each in enumerate(CONDITIONS)
                if language != "groovy" or '"' not in each
            ),
        ),
        Case(
            "idle-groups",
            "Thread Group: with nothing to do, whose threads take one row each",
            csv("rows.csv", "q")
            + group("", loops="3", name="idle")
            + group("", loops="-1", name="idle for ever")
            + group(e.simple("ConstantTimer", "t", ConstantTimer__delay="1"), loops="2", threads="2", name="waits")
            + group(e.request("/${q}"), loops="2", name="sends"),
            whole=True,
            files={"rows.csv": b"a\nb\nc\nd\ne\nf\ng\nh\ni\n"},
        ),
        Case(
            "no-conditions",
            "If Controller: without a condition",
            "".join(
                e.controller("IfController", e.request("/no"), "If", by, IfController__condition="")
                for by in ("", '<boolProp name="IfController.useExpression">true</boolProp>')
            )
            + e.request("/after"),
        ),
        Case(
            "only-set-up",
            "setUp and tearDown Thread Group, without another one",
            e.renamed(group(e.request("/before"), loops="2"), "SetupThreadGroup")
            + e.renamed(group(e.request("/after")), "PostThreadGroup"),
            whole=True,
        ),
        Case(
            "host-ports",
            "HTTP Header Manager: a Host field with the usual port, and with another one",
            e.cookie_manager()  # else the plan is known beforehand
            + "".join(
                e.request(f"/{number}", below=e.header_manager(Host=each))
                for number, each in enumerate(("shop.example:80", "shop.example:443", "shop.example:8080", "a:80:80"))
            ),
        ),
        *(
            Case(
                f"field-twice-{name}",
                "HTTP Header Manager: a field that one of them has twice, alone and beside others"
                + (", in a plan that is known beforehand" if not first else ""),
                first
                + e.header_manager(("X-A", "1"), ("X-A", "2"), ("X-B", "1"))
                + e.request("/alone")
                + e.request("/beside", below=e.header_manager(X_C="1"))
                + e.request("/near", below=e.header_manager(("X-A", "3"), ("x-b", "4"), ("X-B", "5")))
                + e.request("/three", below=e.header_manager(X_C="1") + e.header_manager(("X-D", "1"), ("x-d", "2"))),
            )
            for name, first in (("decided", e.cookie_manager()), ("known", ""))
        ),
        Case(
            "parts-of-a-get",
            "HTTP Request: a GET that is to be sent as a form of several parts keeps its Content-Type",
            e.cookie_manager()
            + e.header_manager(Content_Type="text/x")
            + e.request("/g", e.arguments(e.argument("a", "1")), DO_MULTIPART_POST="true")
            + e.request("/d", e.arguments(e.argument("a", "1")), DO_MULTIPART_POST="true", method="DELETE"),
        ),
        Case(
            "redirected-bodies",
            "HTTP Request: what is sent where a request with a body is redirected unseen",
            "".join(
                each
                for code in (307, 302)
                for method in ("POST", "PUT", "DELETE")
                for to in (f"/go?code={code}&to=/x",)
                for each in (
                    e.request(to, method=method, name="empty", auto_redirects="true"),
                    e.request(to, form, method=method, name="form", auto_redirects="true"),
                    e.raw(to, '{"a": "b c"}', method=method, name="raw", auto_redirects="true"),
                    e.request(to, e.files(("n.txt", "", "text/x")), method=method, name="file", auto_redirects="true"),
                )
            ),
            files={"n.txt": b"note\n"},
        ),
        Case(
            "fragments",
            "HTTP Request: a fragment is not sent, and what it may not hold prevents the request",
            e.cookie_manager() + e.request("/a#part") + e.request("/b#a b{") + e.request("/c#d#e") + e.request("/f#%g"),
        ),
        Case(
            "names-beyond-ascii",
            "HTTP Authorization Manager: BASIC with a name and a password beyond ASCII",
            e.authorization("http://127.0.0.1:${__P(port)}", "ünn", "pß") + e.request("/in"),
        ),
        Case(
            "old-files",
            "HTTP Request: the one file of plans before JMeter 2.5, which is not sent",
            e.request(
                "/up",
                text("HTTPSampler.FILE_NAME", "n.txt"),
                text("HTTPSampler.FILE_FIELD", "note"),
                text("HTTPSampler.mimetype", "text/plain"),
                method="POST",
            ),
            files={"n.txt": b"note\n"},
        ),
    ]
