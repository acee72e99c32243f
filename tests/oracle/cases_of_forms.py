"""Cases of forms of several parts, and of header fields: which characters they are written with."""

from __future__ import annotations

import jmx_elements as e
from oracle_case import Case
from plans.writing import variables


def _form(*names: str, encoding: str, like_browser: str) -> str:
    return e.request(
        "/form",
        e.arguments(*[e.argument(each, "v") for each in names]),
        e.files(("ü安.txt", "pü", "text/plain")),
        method="POST",
        name=f"{encoding} {like_browser}",
        contentEncoding=encoding,
        BROWSER_COMPATIBLE_MULTIPART=like_browser,
    )


def of_forms() -> list[Case]:
    return [
        Case(
            "names-of-parts-of-5.5",
            "HTTP Request: names of parts and files with quotes, backslashes, and characters beyond ASCII, before 5.6",
            variables(quote='a"b')
            + "".join(
                _form("ü安", "${quote}", "c\\d", "e%f;g", encoding=encoding, like_browser=like_browser)
                for encoding in ("UTF-8", "", "GBK")
                for like_browser in ("true", "false")
            ),
            saved_by="5.5",
            files={"ü安.txt": b"x"},
        ),
        Case(
            "headers-with-control-characters",
            "HTTP Header Manager: control characters, line ends and characters beyond ISO-8859-1, also of variables",
            variables(v="a\nb\x85c ✓ é\x9f")
            + e.request(
                "/v", below=e.header_manager(X_V="1${v}2", X_W="e\x85f\ng\x80", X_F="${__char(10,133,233,8226)}.")
            )
            + e.request("/host", below=e.header_manager(X_Tab="a\tb${v}", Authorization="Bearer ${v}")),
        ),
    ]
