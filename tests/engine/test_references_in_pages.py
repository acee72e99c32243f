"""The resources that a page names, whatever charset its server says it is in."""

from __future__ import annotations

import pytest

from holdfast.engine.embedded import references_in


@pytest.mark.parametrize("charset", ["utf-8", "undefined", "nothing-known", "zlib"])
def test_a_page_names_its_resources_in_whatever_charset_it_says_it_is(charset: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset={charset}\r\n\r\n"

    assert references_in(head, b'<img src="/a.png">') == ["/a.png"]
