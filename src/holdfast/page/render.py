"""A document as one HTML file that needs nothing else: no network, no other file.

Text from outside reaches the page in two ways only: through the template, which escapes all of it, and as JSON, in
which nothing can end the element around it. What may run is named by its hash, so that markup that got in otherwise
would not run either.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

import msgspec

from holdfast import __version__
from holdfast.model.printable import hidden_as_json, printable
from holdfast.page.document import Document

if TYPE_CHECKING:
    from jinja2 import Template

_FIRST = ("page.js", "plot.js")
"""The scripts that the others build on."""


def page(document: Document) -> bytes:
    """The whole file."""
    script, style = _script(), _style()
    text = _template().render(
        document=document,
        version=__version__,
        script=script,
        style=style,
        data=json_in_html(document.data),
        policy=_policy(script, style),
    )
    return text.encode("utf-8", "replace")


def json_in_html(data: Mapping[str, object]) -> str:
    r"""JSON that may be the content of a script element: `<`, `>` and `&` are escapes such as `\u003c`.

    Source: HTML Living Standard, 4.12.1.3, restrictions for contents of script elements.
    """
    text = hidden_as_json(msgspec.json.encode(data).decode())
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _policy(script: str, style: str) -> str:
    """A Content-Security-Policy that lets run what is ours, and lets nothing be fetched or sent."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {_hash(script)}",
            f"style-src {_hash(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _template() -> Template:
    # It takes as long to import as the rest of the command.
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=FunctionLoader(lambda name: _file("templates", name)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["seen"] = printable
    return environment.get_template("page.html")


@cache
def _script() -> str:
    """The charts' library, its licence, and every script of ours, as one."""
    licence = _file("vendor", "uPlot.LICENSE").replace("*/", "* /")
    return "\n".join([f"/*\n{licence}*/", _file("vendor", "uPlot.iife.min.js"), *_all("js")])


@cache
def _style() -> str:
    return "\n".join([_file("vendor", "uPlot.min.css"), *_all("css")])


def _all(ending: str) -> list[str]:
    names = [each.name for each in _folder("static").iterdir() if each.name.endswith(f".{ending}")]
    first = [name for name in _FIRST if name in names]
    return [_file("static", name) for name in (*first, *sorted({*names} - {*first}))]


def _file(folder: str, name: str) -> str:
    return (_folder(folder) / name).read_text(encoding="utf-8")


def _folder(name: str) -> Traversable:
    return resources.files("holdfast.page") / name
