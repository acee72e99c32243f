"""Which link or form of the last page a request follows, as JMeter's HTML Link Parser finds it; pure.

It needs lxml, which is an extra of holdfast.
Source: apache/jmeter 5.5, protocol/http/modifier/AnchorModifier.java, protocol/http/parser/HtmlParsingUtils.java
(isAnchorMatched, createURLFromForm: fields behind a form count as its own), sampler/HTTPSamplerBase.java
(parseArguments: what a link has is sent as it is).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import SplitResult, unquote_plus, urljoin, urlsplit

from holdfast.journeys.functions_request import SCHEMES, form, target
from holdfast.journeys.markup import tree_of
from holdfast.journeys.patterns import PatternError, compiled, matches_whole
from holdfast.journeys.sources import text_of_body

if TYPE_CHECKING:
    from holdfast.journeys.client import Client
    from holdfast.model.journey_request import Links

_SCRIPT = "javascript:"


class Followed(NamedTuple):
    """Where a request goes, and with what.

    Attributes:
        body: None has none, or that of the request.
    """

    origin: str
    path: str
    body: bytes | None


class _Argument(NamedTuple):
    """An argument of a request or a link.

    Attributes:
        encode: name and value are to be encoded.
    """

    name: str
    value: str
    equals: str
    encode: bool


class _Link(NamedTuple):
    url: SplitResult
    arguments: list[_Argument]
    is_form: bool

    @property
    def decoded(self) -> str:
        """Its arguments as one text, as a browser shows them."""
        return unquote_plus("&".join(f"{each.name}{each.equals}{each.value}" for each in self.arguments))


def followed(links: Links, origin: str, client: Client, filled: Any) -> Followed | None:  # noqa: ANN401 - a function
    """What a request becomes; None: no link of the last page is like it.

    Args:
        origin: that of the request.
        filled: template -> text.

    Raises:
        FunctionError: a URL cannot hold it.
    """
    answer = client.answer
    if answer is None or not answer.url.startswith(SCHEMES):
        return None
    own = [_Argument(filled(name), filled(value), equals, encode) for name, value, equals, encode in links.arguments]
    wanted = _Wanted(links, own, _authority(origin), filled)
    found = [each for each in _links_of(text_of_body(answer), answer.url) if wanted.is_like(each, answer.url)]
    if not found:
        return None
    link = found[client.below(len(found))]
    arguments = [_filled_in(each, link.arguments, client) for each in own] if link.is_form else link.arguments
    return _sent(link.url, arguments, origin, links)


def _sent(url: SplitResult, arguments: list[_Argument], origin: str, links: Links) -> Followed:
    _, has_port, number = origin.rpartition(":")
    port = f":{number}" if has_port and number.isdecimal() else ""
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    where = f"{url.scheme}://{host}{port}"
    flags = [(each, "true" if each.encode else "false") for each in arguments]
    if links.as_query:
        said = [text for each, flag in flags for text in (each.name, each.equals, each.value, flag)]
        return Followed(where, target([url.path, links.charset, *said]), None)
    said = [text for each, flag in flags for text in (each.name, each.value, flag)]
    return Followed(where, target([url.path, links.charset]), form([links.charset, *said]).encode())


def _filled_in(argument: _Argument, of_form: list[_Argument], client: Client) -> _Argument:
    """An argument with name and value of a field of the form that is like it, which is then used up."""
    like = [each for each in of_form if _is_like(each.name, argument.name) and _is_like(each.value, argument.value)]
    if not like:
        return argument
    chosen = like[client.below(len(like))]
    of_form.remove(chosen)
    return argument._replace(name=chosen.name, value=chosen.value)


class _Wanted:
    """What a link has to be like: texts, or regular expressions of the whole."""

    def __init__(self, links: Links, own: list[_Argument], authority: str, filled: Any) -> None:  # noqa: ANN401
        self._scheme = filled(links.scheme) or "http"
        self._host = filled(links.host)
        self._path = filled(links.path)
        self._names = [each.name for each in own]
        self._authority = authority

    def is_like(self, link: _Link, page: str) -> bool:
        """Whether a link of a page is like it."""
        url, host = link.url, link.url.hostname or ""
        # Where another server takes the place of the plan's, links to the page's own server are links to that one.
        is_own = _authority(page) == self._authority == _authority(url.geturl())
        if not is_own and not (_is_like(url.scheme, self._scheme) and (not self._host or _is_like(host, self._host))):
            return False
        if url.path != self._path and not _is_like(url.path, f"[/]*{self._path}"):
            return False
        query = link.decoded
        return all(f"{name}=" in query or _is_in(name, query) for name in self._names)


def _authority(url: str) -> str:
    return urlsplit(url).netloc.lower()


def _is_like(text: str, wanted: str) -> bool:
    if text == wanted:
        return True
    try:
        return bool(matches_whole(compiled(wanted), text))
    except PatternError:
        return False


def _is_in(wanted: str, text: str) -> bool:
    try:
        return compiled(wanted).search(text) is not None
    except PatternError:
        return False


def _links_of(page: str, url: str) -> Iterator[_Link]:
    """The links of a page, its forms, and then its frames."""
    root = tree_of(page[max(0, page.find("<")) :], "html") if page.strip() else None
    if root is None:
        return
    bases = root.xpath("//base/@href")
    base = urljoin(url, bases[0]) if bases else url
    for href in root.xpath("//a/@href"):
        if not href.startswith(_SCRIPT):
            yield from _link(href, base)
    yield from _forms_of(root, url)
    for source in root.xpath("//frame/@src"):
        yield from _link(source, base)


def _link(href: str, base: str) -> Iterator[_Link]:
    try:
        url = urlsplit(urljoin(base, href.strip()))
        _ = url.port
    except ValueError:
        return
    if url.scheme in ("http", "https"):
        yield _Link(url, list(_arguments_of(url.query)), is_form=False)


def _arguments_of(query: str) -> Iterator[_Argument]:
    for each in query.split("&"):
        name, equals, value = each.partition("=")
        if name:
            yield _Argument(name, value, equals, encode=False)


def _forms_of(root: Any, url: str) -> list[_Link]:  # noqa: ANN401 - an element of lxml
    forms: list[_Link] = []
    for element in root.iter():
        tag = element.tag if isinstance(element.tag, str) else ""
        if tag == "form" and element.get("action") is not None:
            forms += [_Link(each.url, each.arguments, is_form=True) for each in _link(element.get("action"), url)]
        elif forms and tag in ("input", "textarea", "option"):
            name, value = _field(tag, element)
            forms[-1].arguments.append(_Argument(unquote_plus(name), unquote_plus(value), "=", encode=True))
    return forms


def _field(tag: str, element: Any) -> tuple[str, str]:  # noqa: ANN401 - an element of lxml
    """Name and value of a field of a form; each option of a choice is one."""
    if tag == "input":
        return element.get("name", ""), element.get("value", "")
    if tag == "textarea":
        return element.get("name", ""), element.text or ""
    choices = element.xpath("ancestor::select[1]/@name")
    return (choices[0] if choices else ""), element.get("value", "")
