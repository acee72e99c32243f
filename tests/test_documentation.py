"""The documents, and what is made of them: links, pages, and the checks of the built site."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath

import click
import pytest
from support.documented_commands import read

import holdfast
from holdfast.cli.main import commands
from holdfast.model.frozen import frozen
from holdfast.servers.registry import ADAPTERS
from scripts.documentation import build, checks, docstrings, json_reference, servers
from scripts.documentation.links import anchors, links, markdown_files, resolved, rewritten
from scripts.documentation.tables import rows, section, table

ROOT = Path(__file__).parents[1]
DOCUMENTS = [path.relative_to(ROOT).as_posix() for path in markdown_files(ROOT)]
GENERATED = build.generated(ROOT)

PAGE = '<meta http-equiv="Content-Security-Policy" content="default-src \'self\'"><h1 id="top">A page</h1>'


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_between_documents_leads_somewhere_on_github(name: str) -> None:
    for link in links((ROOT / name).read_text(encoding="utf-8")):
        path = ROOT / (resolved(PurePosixPath(name), link.target) if link.target else name)
        assert path.exists(), f"{name}:{link.line} leads to {link.target}, which is not there"
        if link.anchor:
            found = anchors(path.read_text(encoding="utf-8"))
            assert link.anchor in found, f"{name}:{link.line} leads to #{link.anchor}; there is {sorted(found)}"


def test_the_site_has_a_place_for_every_document_and_every_generated_page() -> None:
    on_site = {path for path in build.pages_of(ROOT).values() if path.endswith(".md")}
    template = (ROOT / "scripts" / "documentation" / "zensical.toml").read_text(encoding="utf-8")

    made = build.configuration(template, dict.fromkeys({*on_site, *GENERATED}, ""))

    assert '"servers/waitress.md"' in made
    with pytest.raises(ValueError, match=r"new\.md: a page without a place"):
        build.configuration(template, dict.fromkeys({*on_site, *GENERATED, "new.md"}, ""))
    with pytest.raises(ValueError, match=r"probe\.md: named in"):
        build.configuration(template, dict.fromkeys({*on_site, *GENERATED} - {"probe.md"}, ""))


def test_every_server_has_a_page_with_all_that_the_documents_know_of_it() -> None:
    known = servers.read(ROOT / "docs")

    for name in ADAPTERS:
        page = GENERATED[f"servers/{name}.md"]
        assert section(known.settings, name) in page
        assert len(rows(section(page, "What its source says"))) == len(rows(section(known.conformance, name)))
    measured = sum(len(rows(section(page, "Measured"))) for page in GENERATED.values())
    assert measured == sum(bool(row["handlers run on"]) for row in rows(known.study))


def test_a_page_of_a_server_says_in_words_what_the_row_of_its_defaults_says() -> None:
    row = (
        "| waitress | waitress 3.0.2 | defaults | flask sync | 4 | 4 | thread-pool | 1 x 4 | 94 | 1025 full "
        "| connect-timeout | yes/yes | one | 50/50 | finishes | none of 96 | none of 96 | 1.1 |"
    )
    study = (ROOT / "docs" / "servers.md").read_text(encoding="utf-8")
    made = re.sub(r"^\| waitress \|.*$", row, study, flags=re.MULTILINE)

    settings = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    page = servers.pages(servers.Sources(made, settings, ""))["servers/waitress.md"]

    assert (
        "- **flask, a `def` view**: 4 at once, on a pool of threads. Then 94 inside the server and 1,025 in the accept "
        "queue wait; the next client's SYN goes unanswered, and it times out connecting. When a client leaves, its "
        "handler runs to its end.\n"
    ) in page


def test_the_commands_of_a_row_are_those_of_its_case() -> None:
    known = servers.of_study((ROOT / "docs" / "servers.md").read_text(encoding="utf-8"))

    made = {each.row["row"]: servers.command(each) for each in known}

    assert made["uvicorn-wsgi"] == (
        "holdfast probe --server uvicorn --framework flask --view sync --max-offered 500 -- --interface wsgi"
    )


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_holdfast_understands_every_command_line_of_a_generated_page(name: str) -> None:
    for line in read(GENERATED[name], name):
        for words in line.commands:
            arguments = words[1 : words.index("--")] if "--" in words else words[1:]
            with click.Context(commands, info_name="holdfast", obj=[]) as group:
                command = commands.get_command(group, arguments[0])
                assert command is not None
                command.make_context(arguments[0], [*arguments[1:]], parent=group).close()


def fields_of(page: str) -> dict[str, set[str]]:
    """Path of an object -> its fields, as a page of the reference of JSON has them."""
    parts = re.split(r"^## (.*)$", page, flags=re.MULTILINE)
    tables = {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}
    return {name.strip("`"): {row["Field"].strip("`") for row in rows(text)} for name, text in tables.items()}


def test_the_reference_of_json_has_every_field_of_the_documented_verdict_in_its_object() -> None:
    verdict_md = (ROOT / "docs" / "verdict-json.md").read_text(encoding="utf-8")
    example = re.search(r"^```json\n(.*?)^```", verdict_md, re.MULTILINE | re.DOTALL)
    assert example is not None
    reference = fields_of(GENERATED["json/verdict.md"])

    documented = json.loads(example[1])

    assert set(documented) == reference[""]
    for name in ("target", "limits", "places", "ceiling", "model", "overflow", "abandoned", "cost", "timing"):
        assert set(documented[name]) == reference[name]
    assert {name for each in documented["pressure"] for name in each} == reference["pressure[]"]


def test_the_document_on_the_verdict_names_every_field_of_the_reference() -> None:
    verdict_md = (ROOT / "docs" / "verdict-json.md").read_text(encoding="utf-8")

    fields = {field for found in fields_of(GENERATED["json/verdict.md"]).values() for field in found}

    assert {field for field in fields if not re.search(rf"\b{field}\b", verdict_md)} == set()


def test_the_reference_of_json_has_every_field_of_the_documented_load() -> None:
    load_md = (ROOT / "docs" / "load.md").read_text(encoding="utf-8")
    example = re.search(r"^```json\n(.*?)^```", load_md, re.MULTILINE | re.DOTALL)
    assert example is not None

    reference = fields_of(GENERATED["json/load.md"])

    assert set(json.loads(example[1])) == reference[""]
    assert set(json.loads(example[1])["latency_from_due_ms"]) == reference["latency_from_due_ms"]


def test_the_reference_of_python_has_every_name_that_holdfast_has_to_import() -> None:
    page = GENERATED["python.md"]

    names = set(holdfast._HOMES)

    assert {name for name in names if f"`{name}`" not in page and f"### `{name}`" not in page} == set()
    assert "| `app` | `str or None` | `module:attr` or `file.py[:attr]`; None is the built-in application. |" in page
    assert "| `max_offered` | `int` | offer at most this many requests at once. |" in page


def test_a_field_without_a_meaning_is_no_part_of_the_reference() -> None:
    @frozen
    class Documented:
        """What it is.

        Attributes:
            named, too: what these
                are; None is "none".
        """

        named: int | None
        too: tuple[str, ...]

    @frozen
    class Undocumented(Documented):
        """More of it."""

        other: str

    assert docstrings.of(Documented).entries == {
        "Attributes": {"named": 'what these are; None is "none".', "too": 'what these are; None is "none".'}
    }
    page = json_reference.page_of(json_reference.Result(Documented, "a", "A", "`b` writes it", "C"))
    assert '| `named` | integer or null | what these are; null is "none" |' in page
    assert "| `too` | list of string | what these are" in page
    with pytest.raises(ValueError, match=r"Undocumented: other has no line under Attributes"):
        json_reference.page_of(json_reference.Result(Undocumented, "a", "A", "`b` writes it", "C"))


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<script src="https://cdn.example/a.js"></script>', "a.html: fetches https://cdn.example/a.js from another"),
        ('<link rel="preconnect" href="//fonts.example">', "a.html: fetches //fonts.example from another host"),
        ("<style>@import 'https://a.example/b.css'</style>", "a.html: fetches https://a.example/b.css from another"),
        ('<p style="background:url(http://a.example/b)">', "a.html: fetches http://a.example/b from another host"),
        ('<img srcset="b.png 1x, https://a.example/b 2x">', "a.html: fetches https://a.example/b from another host"),
        ('<a href="gone.html">', "a.html: leads to gone.html, which does not exist"),
        ('<img src="gone.png">', "a.html: leads to gone.png, which does not exist"),
        ('<a href="#gone">', "a.html: leads to #gone, which has no such heading"),
        ('<a href="a.html#gone">', "a.html: leads to a.html#gone, which has no such heading"),
    ],
)
def test_a_built_page_may_fetch_nothing_from_elsewhere_and_lead_nowhere_wrong(
    tmp_path: Path, html: str, fault: str
) -> None:
    (tmp_path / "a.html").write_text(PAGE + html)
    (tmp_path / "b.png").touch()

    assert any(each.startswith(fault) for each in checks.faults(tmp_path)), checks.faults(tmp_path)


def test_a_built_page_may_link_to_the_web_and_to_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        f'{PAGE}<a href="https://a.example/">a</a><a href="#top">b</a><a href="b/a.html#top">c</a>'
        '<link rel="canonical" href="https://a.example/"><img src="data:image/png;base64,AAAA">'
    )
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a.html").write_text(PAGE)

    assert checks.faults(tmp_path) == []


def test_a_page_without_a_policy_and_a_style_sheet_with_a_font_from_elsewhere_are_faults(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<p>")
    (tmp_path / "a.css").write_text("@font-face { src: url(https://a.example/b.woff2) }")

    assert checks.faults(tmp_path) == [
        "a.html: has no Content-Security-Policy, so a script may ask another host",
        "a.css: fetches https://a.example/b.woff2 from another host",
    ]


def test_links_are_rewritten_for_the_site_except_in_code() -> None:
    pages = {"README.md": "index.md", "docs/a.md": "a.md", "docs/deep/b.md": "deep/b.md", "LOG.md": "LOG.md"}
    markdown = (
        "[a](../a.md#x) and `[a](../a.md)`\n```\n[a](nowhere.md)\n```\n[w](https://w.example) [l](../../LOG.md)\n"
    )

    def on_site(text: str, document: str) -> str:
        return rewritten(text, PurePosixPath(document), pages, ROOT)

    assert on_site(markdown, "docs/deep/b.md") == markdown.replace("../../LOG.md", "../LOG.md")
    assert on_site("[d](docs/deep/b.md#c)", "LOG.md") == "[d](deep/b.md#c)"
    assert on_site("see [`hello.py`](../examples/hello.py).", "docs/a.md") == "see `hello.py`."
    with pytest.raises(ValueError, match=r"leads to docs/gone\.md, which does not exist"):
        on_site("[a](gone.md)", "docs/a.md")


def test_headings_have_the_names_that_github_gives_them() -> None:
    # https://github.com/Flet/github-slugger: "I ♥ unicode" is i--unicode, a second "foo" is foo-1.
    markdown = "# I ♥ unicode\n## foo\n## foo\n### `a_b`, [c](d.md)\n```\n# no heading\n```\n## 128 + N: signals\n"

    assert anchors(markdown) == {"i--unicode", "foo", "foo-1", "a_b-c", "128--n-signals"}


def test_a_table_is_read_as_it_is_written() -> None:
    written = table(("a", "b"), [("1 | 2", "x"), ("", "`y`")])

    assert rows(written) == [{"a": "1 \\| 2", "b": "x"}, {"a": "", "b": "`y`"}]
    assert table(("a", "b"), (row.values() for row in rows(written))) == written  # type: ignore[misc]
    assert section(f"## one\n\n{written}\n\n## two\n\nb\n", "one") == written
