"""Cases of extractors and assertions."""

from __future__ import annotations

import hashlib

import jmx_elements as e
from oracle_case import Case, seen
from plans.writing import variables
from recorded_requests import XML

HASH = hashlib.md5(XML.encode(), usedforsecurity=False).hexdigest()


OBJECTS = (
    '{"data":{"number":1,"hash":"h","rows":[{"zeta":1,"alpha":2}],"name":"n","id":7,"created":"x","user":{"zz":1,"aa":2},'
    '"email":"e","a":1,"b":2,"c":3,"d":4,"Aa":6,"BB":7},"list":[{"zeta":1,"alpha":2,"beta":{"y":1,"x":2}},'
    '{"k2":1,"k1":2}]}'
)
META = '<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'


def _says(text: str, below: str) -> str:
    return e.request("/text", e.arguments(e.argument("is", text, encode=True)), below=below)


def of_encodings() -> list[Case]:
    """Of answers that name no charset."""
    word = e.regex("a", "<b>(.*)</b>")
    return [
        Case(
            "json-objects",
            "JSON Extractor: objects, whose members are in another order",
            _says(
                OBJECTS,
                e.json("a;b;c", "$.data;$;$.list[0]", "1;1;1", "-;-;-")
                + e.json("d", "$.list[*]", match="-1")
                + e.json("f;g", "$.list;$..user", "1;1", "-;-"),
            )
            + seen("a", "b", "c", "d_1", "d_2", "f", "g")
            + _says(OBJECTS, e.json_assertion("$.list[0]", ".*zeta.*beta.*alpha.*", pattern=True))
            + _says(OBJECTS, e.json_assertion("$.list[0]", ".*zeta.*alpha.*beta.*", pattern=True))
            + _says(OBJECTS, e.json_assertion("$.list[0]", '{"beta":{"x":2,"y":1},"alpha":2,"zeta":1}')),
        ),
        Case(
            "answers-of-5.5",
            "Answers that name no charset, in plans that were saved before 5.6",
            _says("<b>ü✓</b>", word)
            + seen("a")
            + e.raw("/raw", "${a}")
            + e.raw("/utf-8", "${a}", contentEncoding="UTF-8")
            + e.request("/form", e.arguments(e.argument("v", "${a}", encode=True)), method="POST")
            + _says("ü", e.response_assertion("response_data", 16, "ü"))
            + _says("ü", e.response_assertion("response_data", 16, "Ã¼"))
            + _says(f"{META}<b>ü✓</b>", word)
            + seen("a"),
            saved_by="5.5",
        ),
    ]


def of_extractors() -> list[Case]:
    return [
        *of_encodings(),
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
            "jmespath",
            "JMESPath Extractor",
            e.request(
                "/json",
                below=e.jmespath("a", "key")
                + e.jmespath("b", "parcels[*].to", "-1")
                + e.jmespath("c", "nope")
                + e.jmespath("d", "none", default="null value")
                + e.jmespath("f", "parcels[?id > `8`].to | [0]")
                + e.jmespath("g", "parcels[-1]")
                + e.jmespath("h", "parcels[].to", "2")
                + e.jmespath("i", "kg", "5")
                + e.jmespath("j", "parcels[].to", "3", "past")
                + e.jmespath("k", "empty", "-1")
                + e.jmespath("l", "[ok, kg, none, key]", "-1")
                + e.jmespath("m", "{x: key, n: length(parcels)}")
                + e.jmespath("n", "abs(key)", default="wrong type")
                + e.jmespath("o", "key", "-1"),
            )
            + seen("a", "a_matchNr", "b", "b_1", "b_2", "b_matchNr", "c", "c_matchNr", "d", "f", "g", "h")
            + seen("i", "i_matchNr", "j", "k", "k_1", "k_matchNr", "l_1", "l_2", "l_3", "l_4", "m", "n", "n_matchNr")
            + seen("o", "o_1")
            + e.request(
                "/page",
                below=e.jmespath("a", "key", default="no JSON")
                + e.jmespath("b", "n", Sample__scope="variable", Scope__variable="m"),
            )
            + seen("a", "a_matchNr", "b"),
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
            "extracted-above",
            "Extractors and assertions above requests: the farthest comes first",
            e.regex("a", "p/(.).gif", default="none")
            + e.response_assertion("response_data", 16, "<html>")
            + e.controller(
                "GenericController",
                e.regex("a", "(tray)", default="inner")
                + e.request("/page", below=e.boundary("b", 'value="', '"'), name="page")
                + seen("a", "b"),
            )
            + e.request("/json", name="json")
            + seen("a", "b"),
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


def of_assertions() -> list[Case]:
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
            "jmespath-assertion",
            "JMESPath Assertion",
            "".join(
                e.request("/json", name=name, below=below)
                for name, below in {
                    "is there": e.jmespath_assertion("key"),
                    "is null": e.jmespath_assertion("none"),
                    "is not there": e.jmespath_assertion("nope"),
                    "not there, inverted": e.jmespath_assertion("nope", invert=True),
                    "expected null": e.jmespath_assertion("none", null=True),
                    "expected null, is not": e.jmespath_assertion("key", null=True),
                    "equal text": e.jmespath_assertion("key", "k/1"),
                    "another text": e.jmespath_assertion("key", "k/2"),
                    "another text, inverted": e.jmespath_assertion("key", "k/2", invert=True),
                    "equal number": e.jmespath_assertion("kg", "1.5"),
                    "equal number, otherwise written": e.jmespath_assertion("kg", "1.50"),
                    "equal object": e.jmespath_assertion("parcels[0]", '{"to": "Ann", "id": 7}'),
                    "another object": e.jmespath_assertion("parcels[0]", '{"to": "Ann", "id": 8}'),
                    "pattern": e.jmespath_assertion("key", "k.+", pattern=True),
                    "pattern of a part": e.jmespath_assertion("key", "k", pattern=True),
                    "wrong type": e.jmespath_assertion("abs(key)"),
                    "wrong type, inverted": e.jmespath_assertion("abs(key)", invert=True),
                }.items()
            )
            + e.request("/page", name="no JSON", below=e.jmespath_assertion("key"))
            + e.request("/size/0", name="empty", below=e.jmespath_assertion("key", invert=True)),
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
