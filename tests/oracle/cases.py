"""Small plans, one for each element: what JMeter and holdfast send for it must agree."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import elements as e
from journeys.function_cases import OF_JMETER
from plans.writing import counter, csv, element, group, text, variables
from recording import XML

PATHS = (
    "/a//b", "/é", "/a%7Eb~", "/a;b=c", "/a(b)!$&'*+,=:@", "/a%2Fb%20c", "/t/", "/./x/../y", "/a b?c d", "/a?é",
    "/a?x=[1]", "/a#f", "no", "", "?q=1", "/A%C3%A9", "/a?b=c%20d+e&f=%c3", "//x/y", "/a?b?c", "/a ",
    "http://127.0.0.1:${__P(port)}/whole?x=1 2", "/v/${v}", "${w}", "/v?x=${w}",
)  # fmt: skip
NOT_URLS = ("/a|${__V(v)}", "/a?${__V(v)}{c}", "/${__V(v)}[1]", "/%${__V(v)}", "/${nobody}")
HASH = hashlib.md5(XML.encode(), usedforsecurity=False).hexdigest()


@dataclass
class Case:
    """One plan.

    Attributes:
        element: what it is about, as the table in the documentation names it.
        below: of its thread group, or with `whole` of the plan.
        ordered: requests come in one order; otherwise threads mix them.
        differs: where the two do not agree, and why; then only the number of requests is compared.
        lasts: the time from the first request to the last is compared too.
        results: labels and successes are compared.
    """

    name: str
    element: str
    below: str
    threads: str = "1"
    loops: str = "1"
    whole: bool = False
    ordered: bool = True
    differs: str = ""
    lasts: bool = False
    results: bool = True
    files: Mapping[str, bytes] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def plan_below(self) -> str:
        """What is below the plan."""
        if self.whole:
            return self.below
        return group(
            self.below, text("ThreadGroup.on_sample_error", "continue"), threads=self.threads, loops=self.loops
        )


def seen(*names: str, path: str = "/seen") -> str:
    """A request that shows what variables have become."""
    items = [e.argument(f"v{number}", f"${{{name}}}", encode=True) for number, name in enumerate(names)]
    return e.request(path, e.arguments(*items), name="seen")


def _requests() -> list[Case]:
    page = "/page"
    forms = [
        e.arguments(e.argument("a", "1 2", encode=True), e.argument("b", "c%20d+é"), e.argument(" ", "x")),
        e.arguments(e.argument("c", "d", encode=True, equals=""), e.argument("${nobody}", "1", encode=True)),
        e.arguments(e.argument("a", "${nobody}", encode=True), e.argument("t", "${v}&${w}", encode=True)),
        "",
    ]
    queries = [
        e.arguments(e.argument("a", "1 2", encode=True), e.argument("a b", "c", encode=True)),
        e.arguments(e.argument("a", "", equals=""), e.argument("b", ""), e.argument("c", "v", equals="")),
        e.arguments(e.argument("a", "é", encode=True), e.argument("b", "é"), e.argument("d", "~*-_.!()", encode=True)),
        e.arguments(e.argument("a", "${v}", encode=True), e.argument("${v}", "${w}", encode=True)),
    ]
    given = variables(v="mo le&x", w="w/x")
    return [
        Case(
            "paths",
            "HTTP Request: path and query",
            variables(v="mole", w="w/x") + "".join(map(e.request, PATHS)),
        ),
        Case(
            "no-urls",
            "HTTP Request: what a URL cannot hold",
            variables(v="mole") + "".join(map(e.request, NOT_URLS)) + e.request("/after"),
        ),
        Case(
            "queries",
            'HTTP Request: arguments of GET, DELETE, OPTIONS, HEAD; "URL Encode?"',
            given
            + "".join(e.request("/q", each) + e.request("/q?z=1", each, method="DELETE") for each in queries)
            + e.request("/q", queries[0], method="OPTIONS")
            + e.request("/q", queries[0], method="HEAD"),
        ),
        Case(
            "forms",
            "HTTP Request: forms",
            given
            + "".join(e.request("/f", each, method="POST") for each in forms)
            + e.request("/f", forms[0], method="PUT", contentEncoding="ISO-8859-1")
            + e.request("/f", forms[2], method="PATCH"),
        ),
        Case(
            "raw",
            "HTTP Request: raw bodies",
            given
            + e.raw("/r", '{"a": "${v}", "b": "\\${v}", "c": "\\"}\r\nend', contentEncoding="UTF-8")
            + e.raw("/r", "plain text")
            + e.raw("/r", "é", contentEncoding="ISO-8859-1", method="PUT")
            + e.raw("/r", "of a GET", method="GET")
            + e.raw("/r", "of a DELETE", method="DELETE")
            + e.request("/r", e.arguments(e.argument("", "a b", encode=True), e.argument("", "c")), method="POST"),
        ),
        Case(
            "files",
            "HTTP Request: files, alone and in forms of several parts",
            e.request("/raw", e.files(("n.txt", "", "text/plain")), method="PUT")
            + e.request("/raw", e.files(("n.txt", "", "")), method="POST")
            + e.request(
                "/parts",
                e.arguments(e.argument("a", 'x "y"'), e.argument("j", "{}", media_type="application/json")),
                e.files(("n.txt", "note", "text/plain"), ("m.bin", "data", "application/octet-stream")),
                method="POST",
            )
            + e.request(
                "/parts",
                e.arguments(e.argument("a", "1")),
                method="POST",
                DO_MULTIPART_POST="true",
                BROWSER_COMPATIBLE_MULTIPART="true",
            ),
            files={"n.txt": b"a ${note}\n", "m.bin": bytes(range(256))},
        ),
        Case(
            "defaults",
            "HTTP Request Defaults",
            e.defaults(
                e.arguments(e.argument("season", "late")),
                domain="127.0.0.1",
                port=e.PORT,
                path="/default",
                protocol="http",
            )
            + e.request("", domain="", port="", name="by default")
            + e.request("/own", e.arguments(e.argument("a", "1")), domain="", port="")
            + e.request("/own", e.arguments(e.argument("", "raw")), domain="", port="", method="POST"),
        ),
        Case(
            "headers",
            "HTTP Header Manager",
            e.header_manager(X_Far="1", X_Both="far", Content_Type="text/far")
            + variables(v="mole")
            + e.request("/h", below=e.header_manager(x_both="near", X_Near="${v}", X_None="${nobody}"))
            + e.raw("/h", "{}")
            + e.request("/h", e.arguments(e.argument("a", "1")), method="POST"),
        ),
        Case(
            "keep-alive",
            'HTTP Request: "Use KeepAlive"',
            e.request("/k") + e.request("/k", use_keepalive="false") + e.request("/k"),
        ),
        Case(
            "cookies",
            "HTTP Cookie Manager: own cookies, paths, cleared each iteration",
            e.cookie_manager(e.cookie("own", "1"), e.cookie("deep", "2", "/deep"), clear="true")
            + e.request("/cookie?name=a&value=1")
            + e.request("/cookie?name=b&value=2&path=/deep")
            + e.request("/see")
            + e.request("/deep/see"),
            loops="2",
        ),
        Case(
            "cookies-kept",
            "HTTP Cookie Manager: kept from one iteration to the next",
            e.cookie_manager() + e.request("/see") + e.request("/cookie?name=a&value=1"),
            loops="2",
        ),
        Case(
            "cookies-ignored",
            "HTTP Cookie Manager: policy ignoreCookies",
            e.cookie_manager(policy="ignoreCookies") + e.request("/cookie?name=a&value=1") + e.request("/see"),
        ),
        Case(
            "authorization",
            "HTTP Authorization Manager: BASIC",
            variables(who="mole")
            + e.authorization(f"http://127.0.0.1:{e.PORT}/in", "${who}", "d:ig")
            + e.request("/in/side")
            + e.request("/out"),
        ),
        Case(
            "redirects",
            "HTTP Request: redirects, followed with results or unseen",
            "".join(
                e.request("/hops?n=2", name=f"hops {name}", **{name: "true"})
                + e.request("/go?to=/landed&code=301", method="POST", name=f"post {name}", **{name: "true"})
                for name in ("follow_redirects", "auto_redirects")
            )
            + e.request("/hops?n=1", name="not followed")
            + e.request("/hops?n=30", name="too many", follow_redirects="true"),
        ),
        Case(
            "embedded",
            "HTTP Request: embedded resources, with filters",
            e.request(page, image_parser="true", name="all")
            + e.request(page, image_parser="true", name="some", embedded_url_re=".*gif")
            + e.request(page, image_parser="true", name="others", embedded_url_exclude_re=".*gif"),
            ordered=False,
        ),
        Case(
            "old",
            "HTTPSampler, HTTPSampler2 of old plans",
            e.request("/o1", kind="HTTPSampler") + e.request("/o2", kind="HTTPSampler2"),
        ),
    ]


def _extractors() -> list[Case]:
    return [
        Case(
            "regex",
            "Regular Expression Extractor",
            e.request(
                "/page",
                below=e.regex("a", 'value="([^"]+)"')
                + e.regex("b", "(n)=<b>(.)", "$2$-$1$-$0$")
                + e.regex("c", "p/(.).gif", match="-1")
                + e.regex("d", "nothing(.)", default="")
                + e.regex("f", "nothing(.)", default="", default_empty_value="true")
                + e.regex("g", "X-Lane: (.+)", useHeaders="true")
                + e.regex("h", "/(.*)", useHeaders="URL")
                + e.regex("i", "(.*)", useHeaders="code")
                + e.regex("j", "(.*)", useHeaders="message")
                + e.regex("k", "(..)$", Sample__scope="variable", Scope__variable="a")
                + e.regex("l", "(M.le)", useHeaders="unescaped"),
            )
            + seen("a", "b", "b_g", "b_g0", "b_g1", "b_g2", "c_matchNr", "c_1", "c_3", "c_2_g1", "c", "d", "f", "g")
            + seen("h", "i", "j", "k", "l"),
        ),
        Case(
            "boundary",
            "Boundary Extractor",
            e.request(
                "/page",
                below=e.boundary("a", 'value="', '"')
                + e.boundary("b", "/p/", ".gif", match="-1")
                + e.boundary("c", "nothing", "x")
                + e.boundary("d", "<b>", "</b>", match="2")
                + e.boundary("f", "", "<html>", default="-")
                + e.boundary("g", "X-Lane: ", "\n", useHeaders="true"),
            )
            + seen("a", "b_matchNr", "b_1", "b_3", "b", "c", "d", "f", "g"),
        ),
        Case(
            "json",
            "JSON Extractor",
            e.request(
                "/json",
                below=e.json("a;b", "$.key;$..id", "1;-1", "x;y", "true")
                + e.json("c", "$.nope")
                + e.json("d", "$.none", defaults="null value")
                + e.json("f", "$.parcels[?(@.id>8)].to")
                + e.json("g", "$.parcels[-1]")
                + e.json("h", "$..to", "2")
                + e.json("i", "$.kg", "5")
                + e.json("j", "$..to", "3", "past"),
            )
            + seen("a", "a_matchNr", "b", "b_1", "b_2", "b_3", "b_ALL", "b_matchNr", "c", "c_matchNr")
            + seen("d", "f", "g", "h", "i", "j"),
        ),
        Case(
            "css",
            "CSS Selector Extractor",
            e.request(
                "/page",
                below=e.css("a", "input[name=slip]", "value")
                + e.css("b", "p", match="-1")
                + e.css("c", "a[href^=/t]", "href")
                + e.css("d", "table")
                + e.css("f", "p.n > b")
                + e.css("g", "img:nth-of-type(2)", "src"),
            )
            + seen("a", "b_matchNr", "b_1", "b_2", "c", "d", "f", "g"),
        ),
        Case(
            "xpath",
            "XPath and XPath2 Extractor",
            e.request(
                "/xml",
                below=e.xpath("a", "//book")
                + e.xpath("b", "//book/@id", "2")
                + e.xpath("c", "count(//book)")
                + e.xpath("d", "//nothing")
                + e.xpath("f", "//book[@id='2']", kind="XPath2Extractor", match="1")
                + e.xpath("g", "//m:n", kind="XPath2Extractor", match="1", namespaces="m=urn:m"),
            )
            + e.request("/page", below=e.xpath("h", "//input/@value", tolerant="true"))
            + seen("a", "a_1", "a_2", "a_matchNr", "b", "b_1", "c", "d", "d_matchNr", "f", "g", "h"),
        ),
        Case(
            "extracted-again",
            "Extractors: what is left of the answer before",
            "".join(
                e.request(
                    path,
                    below=e.regex("a", "p/(.).gif", match="-1", default="")
                    + e.json("b", "$..id", "-1", "none")
                    + e.regex("c", "(slip)", default=""),
                )
                + seen("a_matchNr", "a_1", "a_1_g1", "b_1", "b_matchNr", "c", "c_g1")
                for path in ("/page", "/json", "/page")
            ),
        ),
    ]


def _assertions() -> list[Case]:
    kinds = {"contains": 2, "matches": 1, "equals": 8, "substring": 16, "not": 4, "or": 32}
    of = e.response_assertion
    looked = [
        of("response_data", kinds["contains"], "n=<b>\\d"),
        of("response_data", kinds["matches"], "(?s).*</html>"),
        of("response_data", kinds["matches"], "<html>"),
        of("response_data", kinds["substring"], "tray", "nothing"),
        of("response_data", kinds["substring"] | kinds["or"], "tray", "nothing"),
        of("response_data", kinds["substring"] | kinds["not"], "nothing"),
        of("response_data", kinds["contains"] | kinds["not"] | kinds["or"], "tray", "nothing"),
        of("response_code", kinds["equals"], "200"),
        of("response_code", kinds["matches"], "4\\d\\d"),
        of("response_message", kinds["equals"], "OK"),
        of("response_headers", kinds["contains"], "X-Lane: B4\n"),
        of("request_headers", kinds["substring"], "X-Own: 1"),
        of("sample_label", kinds["contains"], "page$"),
        of("request_data", kinds["substring"], "GET http"),
        of("response_data", kinds["contains"], "(?i)TRAY"),
        of("response_data", kinds["equals"], "x", Assertion__scope="variable", Scope__variable="v"),
    ]
    numbered = [(number, each) for number, each in enumerate(looked)]
    json = [
        e.json_assertion("$.key"),
        e.json_assertion("$.nope"),
        e.json_assertion("$..nope"),
        e.json_assertion("$.key", "k/1"),
        e.json_assertion("$.kg", "1.5"),
        e.json_assertion("$.kg", "1[.]5", pattern=True),
        e.json_assertion("$.key", "k", pattern=True),
        e.json_assertion("$.none", null=True),
        e.json_assertion("$.ok", "true"),
        e.json_assertion("$..id", "9"),
        e.json_assertion("$.parcels[0]", '{"id":7,"to":"Ann"}'),
        e.json_assertion("$.key", invert=True),
        e.json_assertion("$.nope", invert=True),
        e.json_assertion("$.parcels.length()", "2"),
    ]
    return [
        Case(
            "response-assertion",
            "Response Assertion, on all fields",
            variables(v="x")
            + e.header_manager(X_Own="1")
            + "".join(e.request("/page", name=f"looks {number}", below=each) for number, each in numbered),
        ),
        Case(
            "status-ignored",
            'Response Assertion: "Ignore status"',
            e.request("/status/404", name="ignored", below=of("response_code", 8, "404", ignore=True))
            + e.request("/status/404", name="not ignored", below=of("response_code", 8, "404"))
            + e.request(
                "/status/404",
                name="made good",
                below=of("response_data", 16, "nothing") + of("response_code", 8, "404", ignore=True),
            )
            + e.request(
                "/status/404",
                name="made bad",
                below=of("response_code", 8, "404", ignore=True) + of("response_data", 16, "nothing"),
            ),
        ),
        Case(
            "json-assertion",
            "JSON Assertion",
            "".join(e.request("/json", name=f"json {number}", below=each) for number, each in enumerate(json))
            + e.request("/page", name="no json", below=json[0]),
        ),
        Case(
            "size-duration",
            "Size, Duration and MD5Hex Assertion",
            "".join(
                e.request("/size/500", name=f"size {operator} {size}", below=e.size_assertion(size, operator))
                for operator in range(1, 7)
                for size in (499, 500)
            )
            + e.request(
                "/wait?ms=300", name="slow", below=e.simple("DurationAssertion", "D", DurationAssertion__duration="100")
            )
            + e.request(
                "/quick", name="quick", below=e.simple("DurationAssertion", "D", DurationAssertion__duration="30000")
            )
            + e.request("/xml", name="sum", below=e.simple("MD5HexAssertion", "M", MD5HexAssertion__size=HASH.upper()))
            + e.request("/xml", name="no sum", below=e.simple("MD5HexAssertion", "M", MD5HexAssertion__size="00")),
        ),
        Case(
            "xpath-assertion",
            "XPath, XPath2 and XML Assertion",
            "".join(
                e.request(
                    path,
                    name=f"{kind} {number} {path}",
                    below=e.simple(kind, "X", XPath__xpath=query, XPath__negate=negate),
                )
                for kind in ("XPathAssertion", "XPath2Assertion")
                for number, (query, negate) in enumerate(
                    [("//book", "false"), ("//none", "false"), ("//none", "true"), ("count(//book)=2", "false")]
                )
                for path in ("/xml", "/json")
            )
            + e.request("/xml", name="well-formed", below=e.simple("XMLAssertion", "X"))
            + e.request("/json", name="not well-formed", below=e.simple("XMLAssertion", "X")),
        ),
    ]


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
            "Constant and Uniform Random Timer",
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
            + _renamed(group(keep, name="before"), "SetupThreadGroup")
            + _renamed(group(e.request("/end/${__P(season)}"), name="after"), "PostThreadGroup"),
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


def _renamed(xml: str, kind: str) -> str:
    return (
        xml.replace("<ThreadGroup ", f"<{kind} ", 1)
        .replace("</ThreadGroup>", f"</{kind}>", 1)
        .replace('testclass="ThreadGroup"', f'testclass="{kind}"', 1)
    )


CASES = [*_requests(), *_extractors(), *_assertions(), *_values(), *_controllers(), *_timers(), *_groups()]
