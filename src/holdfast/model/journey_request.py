"""A request of a journey: a `scenario`'s step with references to what the client has found out meanwhile."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from holdfast.model.answers import Assertion, Extract, Template
from holdfast.model.frozen import frozen
from holdfast.model.scenario import Timeouts

Names = Literal["browser", "library", "library in ascii"]
"""How the names of a form's parts are written: as by browsers, or as by Apache HttpClient, in UTF-8 or in ASCII."""


@frozen
class Part:
    """One part of a multipart body.

    Attributes:
        file_name: None where it has none.
        content: text, or bytes as they are.
        media_type: "" writes no Content-Type.
        charset: of the text.
        transfer_encoding: as its Content-Transfer-Encoding says; "" writes none.
        names: how its names are written.
    """

    name: Template
    content: Template | bytes
    file_name: Template | None = None
    media_type: Template = ()
    charset: str = "utf-8"
    transfer_encoding: str = ""
    names: Names = "browser"


@frozen
class Multipart:
    """A body of several parts."""

    parts: tuple[Part, ...]


@frozen
class TextBody:
    """A body made of a text.

    Attributes:
        charset: in which it is encoded.
    """

    text: Template
    charset: str = "utf-8"


Body = bytes | TextBody | Multipart
Redirects = Literal["browser", "get", "library"]
"""How redirects are followed: as browsers do (the Fetch standard), with GET or HEAD, or as Apache HttpClient does."""


@frozen
class Resources:
    """Which of the resources that an HTML answer embeds are fetched with it.

    Attributes:
        matching, not_matching: regular expressions of their URLs; "" leaves it to the other one.
        with_body: each is asked for with the body of the request for the page.
    """

    matching: Template = ()
    not_matching: Template = ()
    with_body: bool = False


@frozen
class Links:
    """A request that follows a link or a form of the last page, if one is like it.

    Attributes:
        scheme, host, path: of the request, as texts or regular expressions of the whole.
        arguments: name, value, what is between, and whether both are to be encoded; names and values as above.
        as_query: they go into the query, and not into the body.
        charset: in which they are encoded.
    """

    scheme: Template
    host: Template
    path: Template
    arguments: tuple[tuple[Template, Template, str, bool], ...] = ()
    as_query: bool = True
    charset: str = "utf-8"


Telling = Literal["unasked", "unasked by java", "asked", "never"]
"""When a server is told who a client is: with each request, as Apache's or Java's does, when it asks, or never."""


@frozen
class Login:
    """A name and a password for requests to URLs that begin alike.

    Attributes:
        url: how they begin: scheme, host, port and path.
        realm: of a server that asks; () is any.
        domain: goes before the name.
    """

    url: Template
    name: Template
    password: Template
    realm: Template
    domain: Template
    told: Telling


@frozen
class Cache:
    """What a client remembers of answers: those with a date or a tag are asked for on condition that they changed.

    Attributes:
        number: among the caches of the client, so that several requests can share one.
        keeps_fresh: an answer that says how long it is fresh is not asked for again until then.
        most: answers that are remembered; the one that was not used for the longest time goes first.
    """

    number: int
    keeps_fresh: bool
    most: int = 5000


@frozen
class Request:
    """One request, and what is done with its answer.

    Attributes:
        label: its name in results.
        origin: scheme, host and port: `http://127.0.0.1:8000`.
        path: path and query, as they are sent.
        headers: further request fields, in order; `Host` among them replaces our own.
        body: None sends none.
        expected: statuses that count as an answer; None accepts all below 400.
        follow: so many redirects are followed at most.
        redirects: how; other than in a browser, one without a Location is not an answer.
        hops_count: each of these redirects is a result of its own; otherwise all are one.
        resources: None fetches none.
        keep_alive: the client keeps the connection for its next request to this origin.
        timeouts: of each exchange.
        cache: None remembers nothing.
        links: None follows none.
        logins: the first whose URL that of an exchange begins with counts for it: of the request, and of each redirect
            and resource on its own.
        named: the origin for which these count; () is `origin`, and differs where another server takes its place.
        kept: fields, in lower case, that go with all redirects and resources: a Content-Type that is not that of its
            body, and credentials that are meant for every server.
        on_failure: what its client does after it was not answered, if its crew continues; "" does nothing else.
    """

    label: Template
    origin: Template
    path: Template
    method: Template = ("GET",)
    headers: tuple[tuple[Template, Template], ...] = ()
    body: Body | None = None
    expected: frozenset[int] | None = None
    assertions: tuple[Assertion, ...] = ()
    extracts: tuple[Extract, ...] = ()
    follow: int = 0
    redirects: Redirects = "browser"
    hops_count: bool = True
    resources: Resources | None = None
    keep_alive: bool = True
    timeouts: Timeouts = field(default_factory=Timeouts)
    kept: frozenset[str] = frozenset()
    cache: Cache | None = None
    links: Links | None = None
    logins: tuple[Login, ...] = ()
    named: Template = ()
    on_failure: Literal["", "next pass", "next loop pass", "leave loop", "leave", "stop", "stop at once"] = ""


@frozen
class MadeUp:
    """Takes the place of a request: nothing is sent, and its answer is made up. It is not a row of the results.

    Attributes:
        label, extracts, assertions, on_failure: as of `Request`.
        answered: the answer counts as one if this is `true`.
        status, message, body, url: of the answer; a status that is not a number is 0.
        charset: of the body; characters that it does not have become `?`.
        lasts_ms: how long it takes.
        waits: the client waits so long; otherwise it only counts as if it had.
    """

    label: Template
    answered: Template = ("true",)
    status: Template = ()
    message: Template = ()
    body: Template = ()
    url: Template = ()
    charset: str = "utf-8"
    lasts_ms: Template = ()
    waits: bool = True
    assertions: tuple[Assertion, ...] = ()
    extracts: tuple[Extract, ...] = ()
    on_failure: Literal["", "next pass", "next loop pass", "leave loop", "leave", "stop", "stop at once"] = ""
