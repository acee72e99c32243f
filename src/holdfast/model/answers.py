"""What a journey takes from an answer and demands of it, and the texts in which it uses that."""

from __future__ import annotations

from typing import Literal

from holdfast.model.frozen import frozen


@frozen
class Variable:
    """A reference to a value that the client has under this name.

    Attributes:
        written: the reference as it was written; sent like this where the value is missing and the journey says so.
    """

    name: str
    written: str = ""


@frozen
class FunctionCall:
    """A call of a function for its text.

    Attributes:
        name: of one of the functions of `journeys.functions`.
        arguments: the parts of each argument.
        written: as of `Variable`.
    """

    name: str
    arguments: tuple[Template, ...]
    written: str = ""


Template = tuple[str | Variable | FunctionCall, ...]
"""A text with references, in order; () is the empty text."""


Source = Literal["body", "unescaped body", "head", "request head", "url", "status", "message"]
Where = Literal["answer", "parts", "both"]
"""What is looked at: the answer to a request, its `parts`, or first the one and then the others."""


@frozen
class RegexExtract:
    """Takes what a regular expression finds.

    Attributes:
        name: of the variable.
        source: where to look.
        match: which of the matches, from 1; 0 is one by chance, -1 all (NAME_1, NAME_2, ... and NAME_matchNr).
        template: `$1$-$2$`: what becomes of the groups; None takes the first group, or the whole without any.
        default: what the variable gets where nothing is found; None leaves it as it was.
        required: its request counts as failed where nothing is found and there is no default.
        of_variable: look in this variable instead; "" looks in `source`.
        where: in which answers; all of their matches are numbered together.
    """

    name: str
    pattern: Template
    source: Source = "body"
    match: int = 1
    template: str | None = None
    default: Template | None = None
    required: bool = True
    of_variable: str = ""
    where: Where = "answer"


@frozen
class JsonExtract:
    """Takes what a JSON path finds; attributes as of `RegexExtract`.

    Attributes:
        language: of the path; with `jmespath`, `join` and `whole` mean nothing.
        join: with all matches, also NAME_ALL with commas in between.
        whole: what is found is one value; of an array the variable gets all of it, and NAME_1, NAME_2, ... and
            NAME_matchNr its elements, whatever `match` says.
        by_hash: members of an object that is found are in the order of a Java HashMap; otherwise as they came.
    """

    name: str
    path: Template
    match: int = 1
    default: Template | None = None
    join: bool = False
    required: bool = True
    of_variable: str = ""
    whole: bool = False
    language: Literal["json path", "jmespath"] = "json path"
    where: Where = "answer"
    by_hash: bool = False


@frozen
class BoundaryExtract:
    """Takes what is between two texts; attributes as of `RegexExtract`."""

    name: str
    left: Template
    right: Template
    source: Source = "body"
    match: int = 1
    default: Template | None = None
    required: bool = True
    of_variable: str = ""
    where: Where = "answer"


@frozen
class MarkupExtract:
    """Takes what a CSS selector or an XPath finds in HTML or XML; attributes as of `RegexExtract`.

    Attributes:
        attribute: of the element; "" takes its text.
        markup: how the text is read.
        whole: an element with its tags; otherwise its text.
        first_text: of an element only the text before its first child, as JMeter's XPath Extractor takes it.
        namespaces: prefixes in an XPath.
    """

    name: str
    selector: Template
    language: Literal["css", "xpath"]
    attribute: str = ""
    match: int = 1
    default: Template | None = None
    required: bool = True
    of_variable: str = ""
    markup: Literal["html", "xml"] = "html"
    whole: bool = False
    first_text: bool = False
    namespaces: tuple[tuple[str, str], ...] = ()
    where: Where = "answer"


@frozen
class HeaderExtract:
    """Takes a field of the answer's head; attributes as of `RegexExtract`."""

    name: str
    field: Template
    default: Template | None = None
    required: bool = True


@frozen
class HookExtract:
    """Takes what a function of the person's own returns for an answer, in a file that they named.

    Attributes:
        file: its path.
        function: its name; it is given the answer and the client's values, and returns a mapping of texts.
    """

    file: str
    function: str


@frozen
class CallsExtract:
    """Calls functions after an answer, for what they do; it takes nothing from it.

    Attributes:
        calls: a text with the calls.
    """

    calls: Template


Extract = RegexExtract | JsonExtract | BoundaryExtract | MarkupExtract | HeaderExtract | HookExtract | CallsExtract


@frozen
class Assertion:
    """What must hold of an answer for its request to count as answered.

    Attributes:
        what: what is looked at. With `json path` the first of `texts` is the path, and with `equals` the second is a
            value in JSON; so with `jmespath`, where `equals` without a second means null; `duration`, `size` (of head
            and body), `head size` and `body size` compare numbers, in ms and bytes; `request data` is method,
            URL and body.
        how: `equals` and `contains` compare texts, `matches` and `finds` regular expressions with the whole or a part.
        texts: all must hold, or with `any_of` one of them.
        wanted: False: they must not hold.
        ignores_status: an answer whose status is an error counts as answered if the rest holds.
        message: said where it does not hold; () says what was found.
        of_variable: look at this variable instead; "" looks at the answer.
        where: which answers it must hold of.
        markup, namespaces: of `xpath`, as of `MarkupExtract`.
    """

    what: Literal[
        "body",
        "head",
        "request head",
        "request data",
        "url",
        "status",
        "message",
        "json path",
        "jmespath",
        "xpath",
        "duration",
        "size",
        "head size",
        "body size",
        "md5",
    ]
    how: Literal["equals", "contains", "matches", "finds", "exists", "<", ">", "<=", ">=", "==", "!="]
    texts: tuple[Template, ...]
    wanted: bool = True
    any_of: bool = False
    ignores_status: bool = False
    name: str = ""
    message: Template = ()
    of_variable: str = ""
    markup: Literal["html", "xml"] = "xml"
    namespaces: tuple[tuple[str, str], ...] = ()
    where: Where = "answer"


@frozen
class Answer:
    """What became of a request, as a journey sees it.

    Attributes:
        url: of the last exchange, once redirects were followed.
        answered: a reply came, and its status is one that counts as an answer.
        status: 0 without a reply.
        message: the reason phrase, or without a reply how the request ended, in words.
        head: of the reply: status line and fields, each ended by CRLF.
        body: decoded by Content-Encoding, at most `MOST_KEPT` bytes.
        request_head: of the request, likewise.
        took_ms: from when it was due to the end of the reply.
        size: bytes of the reply, head and body, as they came.
        is_cached: nothing was sent, since the client still has the answer; nothing of it is known but that.
        charset: of the body, where neither its head nor its page names one.
        parts: where redirects were followed, the answers of all of them; where the page embeds something, that of the
            page, and those of what it embeds. Only for a request that looks at them.
    """

    url: str
    answered: bool
    status: int
    message: str
    head: str
    body: bytes
    request_head: str = ""
    took_ms: float = 0.0
    size: int = 0
    is_cached: bool = False
    charset: str = "utf-8"
    parts: tuple[Answer, ...] = ()


MOST_KEPT = 16 << 20
