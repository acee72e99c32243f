"""Cases of HTTP Requests, and of the elements that say what of them is sent."""

from __future__ import annotations

import jmx_elements as e
from oracle_case import Case, seen
from plans.writing import csv, element, text, variables

PATHS = (
    "/a//b", "/é", "/a%7Eb~", "/a;b=c", "/a(b)!$&'*+,=:@", "/a%2Fb%20c", "/t/", "/./x/../y", "/a b?c d", "/a?é",
    "/a?x=[1]", "/a#f", "no", "", "?q=1", "/A%C3%A9", "/a?b=c%20d+e&f=%c3", "//x/y", "/a?b?c", "/a ",
    "http://127.0.0.1:${__P(port)}/whole?x=1 2", "/v/${v}", "${w}", "/v?x=${w}",
)  # fmt: skip
NOT_URLS = ("/a|${__V(v)}", "/a?${__V(v)}{c}", "/${__V(v)}[1]", "/%${__V(v)}", "/${nobody}")


def _referring(path: str) -> str:
    return element("HeaderManager", "Headers", f'<collectionProp reference="{path}"/>', gui="HeaderPanel")


CHALLENGES = (
    'Digest realm="a shelf", nonce="n1", qop="auth", opaque="o", algorithm=MD5',
    'Digest realm="s", nonce="n2"',
    'Digest realm="s", nonce="n3", algorithm=MD5-sess, qop=auth',
    'Digest realm="s", nonce="n4", algorithm=SHA-256, qop="auth-int, auth"',
    'Basic realm="s"',
    'Basic realm="s", Digest realm="s", nonce="n5", qop="auth"',
    'Digest realm="s", nonce="n6", qop="other"',
    'Bearer realm="s"',
)


def of_requests() -> list[Case]:
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
            "whole-urls",
            "HTTP Request: a whole URL as the path, from a variable too",
            csv("bases.csv", "base")
            + e.request("${base}/x?y=1", domain="", port="")
            + e.request("${base}", e.arguments(e.argument("a", "1")), name="alone")
            + e.request("${__V(base)}/f", name="of a function"),
            loops="2",
            files={"bases.csv": b"http://127.0.0.1:PORT\nhttp://localhost:PORT/deep\n"},
        ),
        Case(
            "no-urls",
            "HTTP Request: what a URL cannot hold",
            variables(v="mole", n="a\u00a0b", c="x\u0085y", w="\u3000", s="\u200b")
            + "".join(map(e.request, (*NOT_URLS, "/n/${n}", "/c/${c}", "/w/${w}", "/s/${s}", "/q?n=${n}", "/a\u00a0b")))
            + e.request("/after"),
        ),
        Case(
            "no-servers",
            "HTTP Request: protocols, server names and ports that are none, with blanks, in capitals",
            e.request("/a", protocol="httpsport443")
            + e.request("/b", domain="http://127.0.0.1")
            + e.request("/c", domain="127.0.0.1/deep")
            + e.request("/d", domain=f"127.0.0.1:{e.PORT}", port="")
            + e.request("/e", domain=" 127.0.0.1")
            + e.request("/f", protocol="HTTP")
            + e.request("/g", port=f" {e.PORT} "),
            results=False,
        ),
        Case(
            "written-once",
            "Elements that are written once, and referred to by their paths",
            e.request("/a", below=e.header_manager(X_A="1"))
            + e.request("/b", below=_referring("../../../hashTree/HeaderManager/collectionProp"))
            + e.request("/c", below=_referring("../../../hashTree[1]/HeaderManager[1]/collectionProp")),
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
            "files-of-rows",
            "HTTP Request: files whose names a CSV Data Set gives",
            csv("rows.csv", "folder,file,kind")
            + e.request("/alone", e.files(("${folder}/${file}", "", "${kind}")), method="PUT")
            + e.request("/untyped", e.files(("${folder}/${file}", "", "")), method="POST")
            + e.request("/get", e.files(("${folder}/${file}", "", "${kind}")))
            + e.request(
                "/parts",
                e.arguments(e.argument("a", "${file}")),
                e.files(("${folder}/${file}", "sent", "${kind}"), ("one/n.txt", "note", "text/plain")),
                method="POST",
            )
            + e.request("/java", e.files(("${folder}/${file}", "", "${kind}")), method="POST", implementation="Java")
            + e.request(
                "/java/parts", e.files(("${folder}/${file}", "f", "${kind}")), method="POST", implementation="Java"
            ),
            loops="4",
            files={
                "rows.csv": b"one,n.txt,text/plain\ntwo,m.bin,x/y\ntwo,n.txt,text/csv\n",
                "one/n.txt": b"a ${note}\n",
                "two/n.txt": "\u00e9\n".encode(),
                "two/m.bin": bytes(range(256)),
            },
        ),
        Case(
            "methods-of-rows",
            "HTTP Request: methods that a CSV Data Set gives",
            csv("rows.csv", "method,n")
            + e.raw("/raw/${n}", "{${n}}", method="${method}")
            + e.request("/form", e.arguments(e.argument("a", "${n}")), method="${method}")
            + e.request("/file", e.files(("rows.csv", "", "text/csv")), method="${method}"),
            loops="3",
            files={"rows.csv": b"POST,1\nPUT,2\nPATCH,3\n"},
        ),
        Case(
            "nameless",
            "HTTP Request: without a server name",
            e.request("/a", domain=None, port=None, name="nameless")
            + e.request("/b")
            + e.request("/c?d=1", e.arguments(e.argument("x", "1")), domain=None, method="POST", name="nameless too")
            + e.request("/e"),
        ),
        Case(
            "digest",
            "HTTP Authorization Manager: DIGEST",
            e.authorization("http://127.0.0.1:${__P(port)}/asks", "ann", "p w", "DIGEST")
            + "".join(
                e.request("/asks", e.arguments(e.argument("for", asked, encode=True)), name=asked)
                for asked in CHALLENGES
            )
            + e.raw("/asks?for=Digest+realm%3D%22s%22,+nonce%3D%22n%22,+qop%3D%22auth,auth-int%22", "body", name="int")
            + e.request("/other"),
            loops="2",
        ),
        Case(
            "digest-realm",
            "HTTP Authorization Manager: DIGEST, in a realm",
            e.authorization("http://127.0.0.1:${__P(port)}/", "ann", "p w", "DIGEST", realm="shelf")
            + "".join(
                e.request("/asks", e.arguments(e.argument("for", asked, encode=True)), name=asked)
                for asked in ('Digest realm="shelf", nonce="n"', 'Digest realm="other", nonce="n"')
            ),
        ),
        Case(
            "parts",
            "HTTP Request: forms of several parts: types, characters beyond ASCII, as browsers send them",
            "".join(
                e.request(
                    "/parts",
                    e.arguments(
                        e.argument("name", "wört"),
                        e.argument("j", "{}", media_type="application/json"),
                        e.argument("t", "x", media_type="text/xml; charset=utf-8"),
                        e.argument("", "without a name"),
                    ),
                    e.files(("n.txt", "note", "text/plain"), ("m.bin", "data", "application/x-bin")),
                    method="POST",
                    name=f"parts {encoding} {like_browser}",
                    contentEncoding=encoding,
                    BROWSER_COMPATIBLE_MULTIPART=like_browser,
                )
                for encoding in ("UTF-8", "iso-8859-1")
                for like_browser in ("true", "false")
            )
            + e.request("/parts", e.files(("n.txt", "note", "")), method="POST", name="no type")
            + e.request("/raw", e.files(("n.txt", "", "")), method="POST", name="the body, no type"),
            files={"n.txt": b"a note\n", "m.bin": bytes(range(256))},
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
            "keep-alive-under-way",
            'HTTP Request: "Use KeepAlive", with redirects, embedded resources and a field of a Header Manager',
            e.cookie_manager()
            + e.request("/k")
            + e.request("/k", use_keepalive="false")
            + e.request("/go?to=/l", use_keepalive="false", follow_redirects="true")
            + e.request("/go?to=/m", use_keepalive="false", auto_redirects="true")
            + e.request("/page", use_keepalive="false", image_parser="true")
            + e.request("/n", use_keepalive="false", below=e.header_manager(Connection="x-own"))
            + e.request("/o", use_keepalive=None)
            + e.request("/p", below=e.header_manager(Connection="close"))
            + e.request("/q"),
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
            "cookies-and-a-field",
            "HTTP Cookie Manager beside a Cookie field of a Header Manager",
            e.cookie_manager()
            + e.header_manager(Cookie="own=1")
            + e.request("/see")
            + e.request("/cookie?name=a&value=1")
            + e.request("/see"),
        ),
        Case(
            "cookies-attributes",
            "HTTP Cookie Manager: paths, ends and domains of cookies",
            e.cookie_manager()
            + e.request("/cookie?name=a&value=1&path=/in")
            + e.request("/cookie?name=b&value=2;+Max-Age=3600")
            + e.request("/cookie?name=c&value=3;+Domain=other.example")
            + e.request("/cookie?name=d&value=4;+Secure")
            + e.request("/cookie?name=f&value=5;+Expires=Wed,+21+Oct+2015+07:28:00+GMT")
            + e.request("/cookie?name=g&value=%22q+q%22;+HttpOnly")
            + e.request("/in/see")
            + e.request("/inside")
            + e.request("/cookie?name=g&value=;+Expires=Wed,+21+Oct+2015+07:28:00+GMT")
            + e.request("/in"),
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
            "bodies-of-5.5",
            "HTTP Request: bodies without an encoding, in plans that were saved before 5.6",
            variables(v="é✓")
            + e.raw("/a", '{"a": "é ✓ ${v}"}', below=e.header_manager(Content_Type="application/json"))
            + e.raw("/b", "é ${v}", contentEncoding="UTF-8")
            + e.request(
                "/c",
                text("HTTPSampler.DO_MULTIPART_POST", "true"),
                e.arguments(e.argument("n", "é${v}")),
                method="POST",
            )
            + e.request("/d", e.arguments(e.argument("n", "é${v}", encode=True)), method="POST")
            + e.defaults(e.arguments(e.argument("d", "ü&", encode=True)))
            + e.raw("/e", "é ${v}"),
            saved_by="5.5",
        ),
        Case(
            "embedded-with-body",
            "HTTP Request: what goes with embedded resources and redirects of a request that has a body",
            e.raw(page, "tea", image_parser="true", name="raw", below=e.header_manager(Content_Type="text/tea"))
            + e.raw("/go?to=/page", "tea", image_parser="true", follow_redirects="true", name="redirected")
            + e.request(page, e.arguments(e.argument("a", "1")), method="POST", image_parser="true", name="form"),
            ordered=False,
        ),
        Case(
            "embedded-fails",
            "HTTP Request: an embedded resource or a redirect that fails makes its request fail",
            e.request("/broken", image_parser="true", name="broken")
            + e.request("/broken", image_parser="true", name="left out", embedded_url_exclude_re=".*404")
            + e.request("/go?to=/status/500", follow_redirects="true", name="fails in the end")
            + e.request("/go?to=/broken", follow_redirects="true", image_parser="true", name="redirected page"),
            ordered=False,
        ),
        Case(
            "redirects-looked-at",
            "Extractors and assertions after redirects: the last answer",
            e.request(
                "/go?to=/page",
                follow_redirects="true",
                name="followed",
                below=e.regex("a", 'value="([^"]+)"')
                + e.regex("b", "(.*)", useHeaders="URL")
                + e.regex("c", "(.*)", useHeaders="code")
                + e.response_assertion("response_data", 16, "tray")
                + e.response_assertion("response_code", 8, "200"),
            )
            + e.request("/go?to=/page", name="not followed", below=e.regex("d", "Location: (.*)", useHeaders="true"))
            + seen("a", "c", "d"),
        ),
        Case(
            "old",
            "HTTPSampler, HTTPSampler2 of old plans",
            e.request("/o1", kind="HTTPSampler") + e.request("/o2", kind="HTTPSampler2"),
        ),
    ]
