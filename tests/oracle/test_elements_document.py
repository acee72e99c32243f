"""The documentation says of JMeter's elements what the cases compare."""

from __future__ import annotations

from oracle_cases import CASES
from oracle_document import DOCUMENT, text


def test_the_table_of_elements_is_what_the_cases_say() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == text(), "make oracle-table"


def test_each_case_is_about_something_of_its_own() -> None:
    names = [case.name for case in CASES]

    assert len(names) == len(set(names))
