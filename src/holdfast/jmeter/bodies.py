"""What an HTTP Request of JMeter sends as its body; pure.

Source: apache/jmeter, protocol/http/sampler/HTTPHC4Impl.java (setupHttpEntityEnclosingRequestData); as of 5.6, where a
body without an encoding is in UTF-8 (5.5: ISO-8859-1), and so says its Content-Type. With the implementation Java, as
recorders of old versions wrote it: HTTPJavaImpl.java, PostWriter.java, PutWriter.java.
"""

from __future__ import annotations

from holdfast.jmeter.merged import Merged, template_call
from holdfast.jmeter.modifiers import Argument
from holdfast.jmeter.possible import values_of
from holdfast.journeys.context import FunctionError
from holdfast.journeys.functions_files import FILE, FILE_NAME, base_name
from holdfast.journeys.functions_request import ENCODED, FORM, encoded, form, is_skipped
from holdfast.model.answers import FunctionCall, Template, Variable
from holdfast.model.journey_request import Body, Multipart, Names, Part, TextBody
from holdfast.plans.jmx_tree import Node, Properties

_WITHOUT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_FORM = "application/x-www-form-urlencoded"
_AS_BYTES = "iso-8859-1"
_OF_JAVA = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})


def is_multipart(found: Merged) -> bool:
    """Whether it is sent as multipart/form-data."""
    files = found.files()
    return found.flag("DO_MULTIPART_POST") or (bool(files) and not _is_file_alone(files))


def _is_file_alone(files: list[tuple[Node, Properties]]) -> bool:
    """One file without a name of its parameter is the body itself."""
    return len(files) == 1 and not files[0][1].text("File.paramname")


def _is_raw(found: Merged) -> bool:
    """Whether the body is written out, and not a form."""
    arguments = found.arguments()
    return found.flag("postBodyRaw") or (bool(arguments) and not any(each.name for each in arguments))


def sends_file(found: Merged) -> bool:
    """Whether the body is a file."""
    files = found.files()
    return not found.arguments() and bool(files) and _is_file_alone(files)


def goes_with_get(found: Merged) -> bool:
    """Whether JMeter sends the body with a GET too, such as those of embedded resources.

    Source: HTTPHC4Impl.java (createHttpRequest).
    """
    return not found.is_java() and (_is_raw(found) or sends_file(found))


def unsendable(found: Merged, method: str) -> str:
    """Why JMeter sends nothing because of the method or a file of a form; "" if it does.

    Source: HTTPHC4Impl.java (ContentType of each file), Apache HttpCore, ContentType.java (an empty one is an error);
    Apache HttpMime, FormBodyPartBuilder.java (so is a blank name). JDK, HttpURLConnection.java (setRequestMethod);
    PutWriter.java (a form of several parts has nowhere to go).
    """
    if found.is_java():
        if method not in _OF_JAVA:
            return f"its implementation is Java, whose client does not send {method}"
        is_put = method == "PUT" and is_multipart(found)
        return "its implementation is Java, whose client sends no form of several parts with PUT" if is_put else ""
    if method in _WITHOUT or not is_multipart(found):
        return ""
    for _, each in found.files():
        file = f"{each.text('File.path')!r}, a file of its form, has no"
        if not each.text("File.mimetype").strip():
            return f"{file} MIME type"
        if not each.text("File.paramname").strip():
            return f"{file} parameter name"
    return ""


def body_of(found: Merged, method: str) -> tuple[Body | None, Template]:
    """The body, and the Content-Type that JMeter adds if no header manager sets one."""
    return _body_of_java(found, method) if found.is_java() else _body_of_apache(found, method)


def _body_of_apache(found: Merged, method: str) -> tuple[Body | None, Template]:
    files, arguments = found.files(), found.arguments()
    raw, is_file = _is_raw(found), sends_file(found)
    if method in _WITHOUT and not (method == "GET" and (raw or is_file)):
        return None, ()
    if method in ("DELETE", "GET"):
        arguments = found.arguments_of_both(of_body=True)
    if is_multipart(found):
        return _multipart(found, arguments, files), ()
    mime = found.scope.template(files[0][0], files[0][1].text("File.mimetype")) if files else ()
    if is_file:
        return _file(found, files), mime
    if raw and found.says_no_charset():
        return _raw(arguments, "iso-8859-1", escaped_in="utf-8"), mime or ("text/plain",)
    charset = found.charset()
    named = charset.upper() if charset == "utf-8" else charset
    if raw:
        return _raw(arguments, charset), mime or (f"text/plain; charset={named}",)
    return _form(found, arguments, charset), (f"{_FORM}; charset={named}",)


def _body_of_java(found: Merged, method: str) -> tuple[Body | None, Template]:
    """The same of Java's client: only POST and PUT have a body, and all of a POST that says no type is a form's."""
    files, arguments = found.files(), found.arguments()
    if method not in ("POST", "PUT"):
        return None, ()
    if is_multipart(found):
        return (_multipart(found, arguments, files) if method == "POST" else None), ()
    mime = found.scope.template(files[0][0], files[0][1].text("File.mimetype")) if files else ()
    default: Template = (_FORM,) if method == "POST" else ()
    if sends_file(found):
        return _file(found, files), mime or default
    charset = "iso-8859-1" if found.says_no_charset() else found.charset()
    if _is_raw(found):
        return _raw(arguments, charset), mime or default
    return (_form(found, arguments, charset) if method == "POST" else None), default


def _file(found: Merged, files: list[tuple[Node, Properties]]) -> Body:
    """A body that is a file."""
    content = _content(found, *files[0])
    return content if isinstance(content, bytes) else TextBody(content, _AS_BYTES)


def _raw(arguments: list[Argument], charset: str, escaped_in: str = "") -> Body:
    """A body that is one text.

    Args:
        escaped_in: the charset of what is percent-encoded in it, if that is another one.
    """
    text: list[str | Variable | FunctionCall] = []
    for each in arguments:
        if not each.encode:
            text += each.value
        elif _is_known(each.value):
            text.append(encoded("".join(map(str, each.value)), escaped_in or charset))
        else:
            text += template_call(ENCODED, [each.value, (escaped_in or charset,)])
    if _is_known(tuple(text)):
        return "".join(map(str, text)).encode(charset, "replace")
    return TextBody(tuple(text), charset)


def _form(found: Merged, arguments: list[Argument], charset: str) -> Body:
    parts: list[Template] = [(charset,)]
    for each in arguments:
        parts += [each.name, each.value, ("true" if each.encode else "false",)]
    if not all(_is_known(each) for each in parts):
        return TextBody(template_call(FORM, parts))
    try:
        return form(["".join(map(str, each)) for each in parts]).encode()
    except FunctionError as error:
        found.scope.reading.refuse(found.node, str(error).rstrip("."), 'Set "URL Encode?" of this argument.')
        return b""


def _is_known(template: Template) -> bool:
    return all(isinstance(each, str) for each in template)


def _multipart(found: Merged, arguments: list[Argument], files: list[tuple[Node, Properties]]) -> Multipart:
    """The parts; in a form as browsers send it, only files say their type, and none says how it is encoded."""
    like_browser, java = found.flag("BROWSER_COMPATIBLE_MULTIPART"), found.is_java()
    of_library: Names = "library in ascii" if found.scope.reading.before_5_6 else "library"
    names: Names = "browser" if java else of_library
    parts = []
    for each in arguments:
        name = "".join(str(part) if isinstance(part, str) else "x" for part in each.name)
        if is_skipped(name):
            continue
        charset = found.charset()
        if found.says_no_charset():
            charset = "iso-8859-1" if java else "us-ascii"
        if like_browser:
            parts.append(Part(each.name, each.value, charset=charset, names=names))
        else:
            media_type = _with_charset((not java and each.content_type) or ("text/plain",), charset)
            parts.append(Part(each.name, each.value, None, media_type, charset, "8bit", names))
    for element, file in files:
        template = found.scope.template
        parts.append(
            Part(
                template(element, file.text("File.paramname")),
                _content(found, element, file),
                _file_name(found, element, file),
                template(element, file.text("File.mimetype")),
                charset=_AS_BYTES,
                transfer_encoding="binary" if java or not like_browser else "",
                names=names,
            )
        )
    return Multipart(tuple(parts))


def _with_charset(media_type: Template, charset: str) -> Template:
    """A media type with the charset, unless it has parameters of its own."""
    if any(isinstance(each, str) and ";" in each for each in media_type):
        return media_type
    return (*media_type, f"; charset={charset.upper()}")


def _content(found: Merged, element: Node, file: Properties) -> bytes | Template:
    """A file's content; of one whose name rows decide, a text that is its bytes (ISO 8859-1)."""
    reading, path = found.scope.reading, file.text("File.path")
    name = reading.fixed(element, path)
    if name is not None:
        return reading.content(element, name) or b""
    names = values_of(reading.template(element, path), found.scope)
    if names is None or "" in names:
        reading.refuse(
            element,
            f"the file that it sends is {path!r}, which holdfast has to know before the load begins",
            "Write its name, give it with -J name=value, or take it from a CSV Data Set that gives a name each time.",
        )
        return b""
    for each in names:
        reading.bring(element, each)
    return template_call(FILE, [reading.template(element, path)])


def _file_name(found: Merged, element: Node, file: Properties) -> Template:
    """What a form calls it."""
    path = found.scope.template(element, file.text("File.path"))
    return (base_name("".join(map(str, path))),) if _is_known(path) else template_call(FILE_NAME, [path])
