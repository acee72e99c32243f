"""The texts of an answer in which extracts and assertions look; pure.

Source: apache/jmeter 5.5, samplers/SampleResult.java (getResponseDataAsString: the charset of the answer's
Content-Type), protocol/http/sampler/HTTPSampleResult.java (that of a page), HTTPHC4Impl.java (getResponseHeaders,
getAllHeadersExceptCookie: lines end with a line feed; of a request the fields alone, without cookies).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from holdfast.journeys.functions_text import unescape_html

if TYPE_CHECKING:
    from holdfast.model.answers import Answer, Where

_CHARSET = re.compile(r"^content-type:[^\r\n]*;\s*charset=\"?([^\s\";]+)", re.IGNORECASE | re.MULTILINE)
_PAGE = re.compile(r"^content-type:[ \t]*text/html", re.IGNORECASE | re.MULTILINE)
_OF_PAGE = re.compile(rb"""<meta http-equiv="content-type" content="[^"]*charset=['"]?([^\s"';]+)""", re.IGNORECASE)
_BEGIN_OF_PAGE = 2000
_COOKIE = re.compile(r"^cookie:.*\n?", re.IGNORECASE | re.MULTILINE)


def text_of_body(answer: Answer) -> str:
    """The body in the charset that its head or its page names, otherwise in its own, or Latin-1 if it is not that."""
    named = _CHARSET.search(answer.head)
    charset = named[1] if named else answer.charset
    if named is None and _PAGE.search(answer.head):
        of_page = _OF_PAGE.search(answer.body[:_BEGIN_OF_PAGE])
        charset = of_page[1].decode("latin-1") if of_page else charset
    try:
        return answer.body.decode(charset)
    except (LookupError, ValueError):  # the codec named "undefined" raises neither of the usual ones
        return answer.body.decode("latin-1")


def looked_at(where: Where, answer: Answer) -> Sequence[Answer]:
    """The answers in which to look, in order."""
    if where == "answer":
        return (answer,)
    return answer.parts if where == "parts" else (answer, *answer.parts)


def text_of(source: str, answer: Answer) -> str:
    """The text in which to look.

    Args:
        source: as of `RegexExtract`.
    """
    if source == "body":
        text = text_of_body(answer)
    elif source == "unescaped body":
        text = unescape_html(text_of_body(answer))
    elif source == "head":
        text = answer.head.replace("\r\n", "\n")
    elif source == "request head":
        fields = answer.request_head.replace("\r\n", "\n").partition("\n")[2]
        text = _COOKIE.sub("", fields)
    elif source == "url":
        text = answer.url
    elif source == "status":
        text = str(answer.status) if answer.status else ""
    else:
        text = answer.message
    return text
