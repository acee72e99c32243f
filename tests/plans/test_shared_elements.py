"""Elements that a plan writes once, and refers to by paths.

tests/oracle has such a plan, which JMeter 5.5 ran too.
"""

from __future__ import annotations

import pytest

from holdfast.errors import UsageError
from holdfast.plans.jmx_tree import Node, plan_tree

_HEADERS = '<collectionProp name="h"><stringProp name="0">{}</stringProp></collectionProp>'


def tree(below: str) -> Node:
    head = '<jmeterTestPlan><hashTree><TestPlan testname="plan"/><hashTree>'
    return plan_tree(f"{head}{below}</hashTree></hashTree></jmeterTestPlan>".encode(), "test.jmx")


def first(node: Node) -> object:
    return node.properties.items("h")


def test_a_path_stands_for_what_it_leads_to() -> None:
    plan = tree(
        f"<A>{_HEADERS.format('x')}</A><A>{_HEADERS.format('y')}</A>"
        '<B><collectionProp reference="../../A/collectionProp"/></B>'
        '<B><collectionProp reference="../../A[2]/collectionProp[1]"/></B>'
        '<B><collectionProp reference="/jmeterTestPlan/hashTree/hashTree/A[2]/collectionProp"/></B>'
    )

    assert [first(each) for each in plan.children if each.kind == "B"] == [("x",), ("y",), ("y",)]


@pytest.mark.parametrize("path", ["../../C", "../../A[2]/collectionProp", "../../A[0]", "../../../../../..", "][", ""])
def test_a_path_that_leads_nowhere_is_refused_with_its_line(path: str) -> None:
    with pytest.raises(UsageError) as refused:
        tree(f'<A>{_HEADERS.format("x")}</A>\n<B><collectionProp reference="{path}"/></B>')

    assert refused.value.what == "test.jmx cannot be read (line 2, column 4)."
    assert "where nothing is" in refused.value.why


def test_what_refers_to_itself_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be read") as refused:
        tree('<A><elementProp name="e"><collectionProp reference="../.."/></elementProp></A>')

    assert "that it is in itself" in refused.value.why


def test_references_that_grow_without_bound_are_refused() -> None:
    twice = "".join(
        f'<L{n}><collectionProp reference="../../L{n + 1}"/><collectionProp reference="../../L{n + 1}"/></L{n}>'
        for n in range(40)
    )

    with pytest.raises(UsageError, match="cannot be read") as refused:
        tree(f"{twice}<L40/>")

    assert "has more than" in refused.value.why
