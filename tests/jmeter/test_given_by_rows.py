"""Names of files and methods that rows of a CSV Data Set give: what is sent, and what is not known beforehand.

JMeter 5.5 sends the same for such plans (tests/oracle, files-of-rows and methods-of-rows).
"""

from __future__ import annotations

import pytest
from jmeter.small_plans import controller, read, sent
from oracle import jmx_elements as e
from plans.writing import csv, group, variables

from holdfast.errors import UsageError

ROWS = b"one,a.txt\ntwo,b.bin\none,a.txt\n"
FILES = {"rows.csv": ROWS, "one/a.txt": b"a ${note}\n", "two/b.bin": bytes(range(256))}
TABLE = csv("rows.csv", "folder,file")
SENT = e.request("/r", e.files(("${folder}/${file}", "", "x/y")), method="PUT")


def test_a_file_is_the_one_that_the_row_names() -> None:
    done = sent(group(TABLE + SENT, loops="3"), files=FILES)

    assert [each.body for _, _, each in done.sent] == [FILES["one/a.txt"], FILES["two/b.bin"], FILES["one/a.txt"]]


def test_a_part_of_a_form_has_the_name_and_the_bytes_of_the_file_that_the_row_names() -> None:
    of_form = e.request("/r", e.files(("${folder}/${file}", "sent", "x/y")), method="POST")
    bodies = [each.body for _, _, each in sent(group(TABLE + of_form, loops="2"), files=FILES).sent]

    for body, name, content in zip(bodies, ("a.txt", "b.bin"), (FILES["one/a.txt"], FILES["two/b.bin"]), strict=True):
        assert body is not None
        assert f'filename="{name}"\r\n'.encode() in body
        assert b"\r\n\r\n" + content + b"\r\n" in body


def test_a_file_that_a_row_names_and_is_missing_is_refused_before_the_load() -> None:
    with pytest.raises(KeyError, match=r"two/b\.bin"):
        read(group(TABLE + SENT), files={name: FILES[name] for name in ("rows.csv", "one/a.txt")})


@pytest.mark.parametrize(
    "below",
    [
        SENT,
        TABLE + SENT + e.request("/s", below=e.regex("file", "a(.)")),
        TABLE + e.request("/${__Random(1,2,file)}") + SENT,
        csv("rows.csv", "folder") + csv("rows.csv", "file") + SENT,
        csv("rows.csv", "folder,file", recycle="false") + SENT,
        csv("short.csv", "folder,file") + SENT,
        variables(folder="one", file="a.txt") + e.request("/t", below=TABLE) + SENT + e.regex("file_1", "(.)"),
        TABLE + e.request("/r", e.files(("${__eval(${folder})}", "", "x/y")), method="PUT"),
        TABLE + e.request("/r", e.files(("${gap}", "", "x/y")), method="PUT") + csv("gap.csv", "n,gap"),
        controller("GenericController", TABLE + e.request("/s")) + SENT,
    ],
    ids=["nothing", "extractor", "function", "two tables", "end", "short row", "user", "call", "empty", "elsewhere"],
)
def test_a_name_that_rows_alone_do_not_decide_is_refused(below: str) -> None:
    files = {**FILES, "short.csv": b"one,a.txt\ntwo\n", "gap.csv": b"1,one/a.txt\n2,\n"}

    with pytest.raises(UsageError, match="which holdfast has to know before the load begins"):
        read(group(below), files=files)


def test_methods_that_have_the_same_body_may_come_from_rows() -> None:
    files = {"rows.csv": b"PUT\nPOST\nPATCH\n"}
    done = sent(group(csv("rows.csv", "m") + e.raw("/r", "{}", method="${m}"), loops="3"), files=files)

    assert [(each.method, each.body) for _, _, each in done.sent] == [("PUT", b"{}"), ("POST", b"{}"), ("PATCH", b"{}")]


@pytest.mark.parametrize("rows", [b"PUT\nGET\n", b"PUT\nFETCH\n", b"POST\nput\n"])
def test_methods_that_are_sent_otherwise_are_refused(rows: bytes) -> None:
    with pytest.raises(UsageError, match="its method is '\\$\\{m\\}', which holdfast has to know"):
        read(group(csv("rows.csv", "m") + e.raw("/r", "{}", method="${m}")), files={"rows.csv": rows})
