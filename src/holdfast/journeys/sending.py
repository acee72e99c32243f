"""Puts a request together: every reference replaced, the body in bytes; pure."""

from __future__ import annotations

import re
from dataclasses import replace

from holdfast.journeys.client import Client
from holdfast.journeys.context import FunctionError
from holdfast.journeys.steps import Sending
from holdfast.journeys.templates import FunctionFailsError, NoValueError, text_of
from holdfast.model.answers import CallsExtract, FunctionCall, HeaderExtract, HookExtract, Template, Variable
from holdfast.model.journey_request import Multipart, Part, Request, Resources, TextBody
from holdfast.model.logins import Credentials, basic_field

_BOUNDARY_CHARACTERS = "-_1234567890abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BOUNDARY_LENGTH = 36
_CRLF = b"\r\n"


def sending_of(request: Request, number: int, client: Client) -> Sending:
    """What is sent for a request now.

    Args:
        number: of the request in its journey.

    Raises:
        NoValueError: a reference has no value.
    """
    fixed = client.crew_shared.fixed
    if number in fixed:
        found = fixed[number]
        if found is not None:
            return found
    else:
        fixed[number] = None
        if is_fixed(request):
            found = fixed[number] = _put_together(request, number, client)._replace(made={})
            return found
    return _put_together(request, number, client)


def is_fixed(request: Request) -> bool:
    """Whether a request is the same each time, for every client."""
    templates: list[Template] = [request.label, request.method, request.origin, request.path]
    for name, value in request.headers:
        templates += (name, value)
    for login in request.logins:
        templates += (login.url, login.name, login.password, login.realm, login.domain)
    templates.append(request.named)
    if request.resources is not None:
        templates += (request.resources.matching, request.resources.not_matching)
    if request.links is not None:
        return False  # it depends on the last answer
    if isinstance(request.body, TextBody):
        templates.append(request.body.text)
    elif isinstance(request.body, Multipart):
        return False  # its boundary is another one each time
    return all(isinstance(part, str) for template in templates for part in template)


def _put_together(request: Request, number: int, client: Client) -> Sending:
    origin, path, of_link = _where(request, client)
    headers = tuple((_text(name, client), _text(value, client)) for name, value in request.headers)
    body, boundary = _body(request, client) if of_link is None else of_link
    if boundary and not any(name.lower() == "content-type" for name, _ in headers):
        headers = (*headers, ("Content-Type", f"multipart/form-data; boundary={boundary}"))
    credentials, named = _credentials(request, headers, client)
    if field := basic_field(credentials, named or origin, path):
        headers = (*headers, ("Authorization", field))
    return Sending(
        method=_text(request.method, client),
        origin=origin,
        path=path,
        headers=headers,
        body=body,
        expected=request.expected,
        follow=request.follow,
        hops_count=request.hops_count,
        redirects=request.redirects,
        resources=_resources(request.resources, client),
        keep_alive=request.keep_alive,
        timeouts=request.timeouts,
        number=number,
        kept=request.kept,
        cache=request.cache,
        credentials=credentials,
        named=named,
        label=client.label,
        with_parts=_looks_at_parts(request),
    )


def _looks_at_parts(request: Request) -> bool:
    """Whether an extract or an assertion looks at more than the answer."""
    extracts = (each for each in request.extracts if not isinstance(each, HeaderExtract | HookExtract | CallsExtract))
    return any(each.where != "answer" for each in (*extracts, *request.assertions))


def _where(request: Request, client: Client) -> tuple[str, str, tuple[bytes | None, str] | None]:
    """Where a request goes; if it follows a link, where that leads, and its body, which has no boundary."""
    if request.links is None:
        return _text(request.origin, client), _text(request.path, client), None
    from holdfast.journeys.links import followed  # noqa: PLC0415 - few plans need it

    try:
        origin = "".join(_text_or_none(part, client) for part in request.origin)
        found = followed(request.links, origin, client, lambda template: _text(template, client))
    except FunctionError as error:
        raise NoValueError(str(error)) from error
    if found is not None:
        return found.origin, found.path, (found.body, "")
    return _text(request.origin, client), _text(request.path, client), None


def _text_or_none(part: str | Variable | FunctionCall, client: Client) -> str:
    """A part of an origin; "" for what says, where there is no link to follow, that it names no server."""
    try:
        return text_of((part,), client)
    except FunctionFailsError:
        return ""


def _credentials(
    request: Request, headers: tuple[tuple[str, str], ...], client: Client
) -> tuple[tuple[Credentials, ...], str]:
    """Those of a request, and the origin for which they count; a field of its own takes the place of those unasked."""
    if not request.logins:
        return (), ""
    has_own = any(name.lower() == "authorization" for name, _ in headers)
    found = []
    for login in request.logins:
        name, domain = _text(login.name, client), _text(login.domain, client)
        if domain and login.told != "unasked by java":
            name = f"{domain.upper()}\\{name}"
        url, password, realm = (_text(each, client) for each in (login.url, login.password, login.realm))
        found.append(
            Credentials(url, name, password, realm, "never" if has_own and login.told != "asked" else login.told)
        )
    return tuple(found), "".join(_text_or_none(part, client) for part in request.named)


def _text(template: Template, client: Client) -> str:
    return text_of(template, client, strict=True)


def _resources(resources: Resources | None, client: Client) -> Resources | None:
    if resources is None:
        return None
    matching, not_matching = _text(resources.matching, client), _text(resources.not_matching, client)
    return replace(resources, matching=(matching,), not_matching=(not_matching,))


def _body(request: Request, client: Client) -> tuple[bytes | None, str]:
    """The body, and the boundary between its parts; "" if it has none."""
    body = request.body
    if body is None or isinstance(body, bytes):
        return body, ""
    if isinstance(body, TextBody):
        return _text(body.text, client).encode(body.charset, "replace"), ""
    assert isinstance(body, Multipart)
    contents = [_part(part, client) for part in body.parts]
    boundary = _boundary(client)
    while any(boundary.encode() in each for each in contents):
        boundary = _boundary(client)
    line = b"--" + boundary.encode()
    return b"".join([line + _CRLF + each + _CRLF for each in contents]) + line + b"--" + _CRLF, boundary


def _part(part: Part, client: Client) -> bytes:
    """A part of a form (RFC 7578), without what is between the parts."""
    said = f'Content-Disposition: form-data; name="{_quoted(_text(part.name, client), part.names)}"'
    if part.file_name is not None:
        said += f'; filename="{_quoted(_text(part.file_name, client), part.names)}"'
    if media_type := _text(part.media_type, client):
        said += f"\r\nContent-Type: {media_type}"
    if part.transfer_encoding:
        said += f"\r\nContent-Transfer-Encoding: {part.transfer_encoding}"
    content = part.content
    if not isinstance(content, bytes):
        content = _text(content, client).encode(part.charset, "replace")
    return said.encode("ascii" if part.names == "library in ascii" else "utf-8", "replace") + _CRLF + _CRLF + content


def _quoted(name: str, names: str) -> str:
    if names != "browser":
        return re.sub(r'["\\\r]', r"\\\g<0>", name)  # HttpClient 4.5.13, FormBodyPartBuilder.java (encodeForHeader)
    # As browsers do (html.spec.whatwg.org, multipart/form-data encoding algorithm).
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _boundary(client: Client) -> str:
    drawn = [_BOUNDARY_CHARACTERS[client.below(len(_BOUNDARY_CHARACTERS))] for _ in range(_BOUNDARY_LENGTH)]
    return "".join(drawn)
