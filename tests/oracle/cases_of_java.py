"""Cases of HTTP Requests whose implementation is Java, as plans of old versions have them."""

from __future__ import annotations

import jmx_elements as e
from cases_of_requests import NOT_URLS, PATHS
from oracle_case import Case
from plans.writing import variables


def _request(path: str, *properties: str, **more: str) -> str:
    return e.request(path, *properties, implementation="Java", **more)


def _raw(path: str, body: str, *properties: str, **more: str) -> str:
    return e.raw(path, body, *properties, implementation="Java", **more)


def of_java() -> list[Case]:
    form = e.arguments(e.argument("a", "1 2", encode=True), e.argument("b", "${v}"))
    typed = e.header_manager(Content_Type="application/json", X_A="1")
    like_browser = {"DO_MULTIPART_POST": "true", "BROWSER_COMPATIBLE_MULTIPART": "true"}
    note = e.files(("n.txt", "note", "text/plain"))
    alone = e.files(("n.txt", "", "text/x"))
    return [
        Case(
            "java-bodies",
            "HTTP Request, implementation Java: which methods send a body, and which Content-Type they get",
            variables(v="x")
            + "".join(
                _raw(f"/raw/{method}", "body", method=method)
                + _raw(f"/typed/{method}", "{}", method=method, below=typed)
                for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD")
            )
            + "".join(_request(f"/form/{each}", form, method=each) for each in ("GET", "POST", "PUT", "DELETE"))
            + _request("/form/typed", form, method="POST", below=typed)
            + _raw("/utf", "é", contentEncoding="UTF-8")
            + _request("/empty", method="POST")
            + _request("/empty", method="PUT"),
        ),
        Case(
            "java-files",
            "HTTP Request, implementation Java: files, alone and in forms of several parts",
            variables(v="x")
            + "".join(
                _request("/alone", alone, method=each) + _request("/parts", form, note, method=each)
                for each in ("POST", "PUT", "GET")
            )
            + _request("/like", form, note, method="POST", **like_browser)
            + _request("/multi", form, method="POST", DO_MULTIPART_POST="true", contentEncoding="UTF-8")
            + _request("/typed", form, note, method="POST", below=typed)
            + _raw("/type", "body", note),
            files={"n.txt": b"a note\n"},
            saved_by="5.5",
        ),
        Case(
            "java-methods",
            "HTTP Request, implementation Java: methods that Java's client does not send",
            "".join(_raw(f"/m/{each}", "body", method=each, name=each) for each in ("PATCH", "PROPFIND", "TRACE"))
            + e.request("/after"),
        ),
        Case(
            "java-fields",
            "HTTP Request, implementation Java: header fields, cookies, credentials, redirects",
            e.cookie_manager(e.cookie("own", "1"))
            + e.authorization("http://127.0.0.1:${__P(port)}/", "ann", "p w", "DIGEST")
            + e.header_manager(Accept="text/x")
            + _request("/h", below=e.header_manager(Host="shop.example", X_A="1", Referer="http://r/"))
            + _request("/cookie?name=n&value=w", use_keepalive="false")
            + _request("/go?to=/redirected", follow_redirects="true", name="followed")
            + _request("/page", image_parser="true"),
            loops="2",
        ),
        Case(
            "java-names",
            "HTTP Request: names of implementations, also from properties",
            "".join(
                e.request(f"/{number}", implementation=each)
                for number, each in enumerate(
                    ("HttpClient3.1", "HTTPSampler", "${__P(x,Java)}", "${__P(x,HttpClient4)}")
                )
            ),
        ),
        Case(
            "java-paths",
            "HTTP Request, implementation Java: paths and queries, also those that a URL cannot hold",
            variables(v="mole", w="w/x")
            + "".join(
                _request(each, name=str(number))
                for number, each in enumerate(
                    (*filter(str.isascii, PATHS), *NOT_URLS, "/${nobody}/{a}|b", "http://127.0.0.1:${__P(port)}/{a}")
                )
            )
            + _request("/q", e.arguments(e.argument("b", "{}|"), e.argument("c", "é", encode=True))),
        ),
    ]
