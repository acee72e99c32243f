"""Cases of forms of several parts: how the names of parts and files are written."""

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
        )
    ]
