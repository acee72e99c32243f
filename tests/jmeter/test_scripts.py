"""Which scripts of a JMeter plan are known to change nothing, and that all others are refused."""

from __future__ import annotations

import pytest
from jmeter.small_plans import paths, read
from plans.writing import element, group, http, text

from holdfast.errors import UsageError

A, B = http("/a", name="a"), http("/b", name="b")


def refused(below: str) -> str:
    """Why a plan is refused."""
    with pytest.raises(UsageError) as told:
        read(below)
    return told.value.why


COMPARES = """
String a = vars.get("a");
log.info("a = " + a);
String b = vars.get("b");
if (a.equals(b)) { log.info("same"); } else if (!b.isEmpty()) log.info("other"); else { log.error("none"); }
"""


@pytest.mark.parametrize(
    ("kind", "script"),
    [
        ("JSR223PreProcessor", ""),
        ("BeanShellListener", ""),
        ("BSFPostProcessor", "// nothing yet"),
        ("JSR223Assertion", '/* vars.put("a", "b") */'),
        ("JSR223Listener", 'log.info("took " + prev.getTime() + " ms: // not a comment");'),
        ("JSR223PostProcessor", 'log.warn("got ${id}")\nOUT.println(vars. get("id"))'),
        ("JSR223Sampler", 'log.info("user " + vars.get("user"))\nlog.info(\'x\' + 1)'),
        ("JSR223Sampler", 'log.info "user " + vars.get("user")\nlog.warn \'x\''),
        ("BeanShellSampler", ""),
        ("JSR223Sampler", 'print "I run first"'),
        ("BeanShellPostProcessor", 'String a = vars.get("a"); //log.info(a);'),
        ("BeanShellPostProcessor", COMPARES),
        (
            "JSR223Listener",
            'def took = prev.getTime()\nif (took > 100 && vars.get("x") == null) { log.warn "slow " + took }',
        ),
        ("JSR223PreProcessor", 'log.info("on " + Thread.currentThread().getName() + "${my name}")'),
    ],
)
def test_a_script_that_is_empty_or_only_writes_to_a_log_changes_nothing(kind: str, script: str) -> None:
    found = read(group(A + element(kind, "say", text("script", script))))

    assert [(each.what, each.kind) for each in found.notes] == [("note", kind)]
    assert paths(group(A + element(kind, "say", text("script", script)) + B)) == "a b"


@pytest.mark.parametrize(
    ("kind", "script"),
    [
        ("JSR223Listener", 'props.put("a", "b")'),
        ("JSR223Listener", 'log.info(vars.put("a", "b"))'),
        ("JSR223PostProcessor", 'log.info("${__setProperty(a,b)}")'),
        ("JSR223Sampler", 'log.info("${a}")'),
        ("JSR223Sampler", "log.info(prev.getTime())"),
        ("JSR223Sampler", 'log.info "a" + vars.put("a", "b")'),
        ("BeanShellPostProcessor", 'log.info "a"'),
        ("JSR223Assertion", ""),
        ("JSR223Timer", "return 300"),
        ("JSR223Timer", 'String a = vars.get("a")'),
        ("JSR223PostProcessor", "log.info(\"${vars.put('a', 'b')}\")"),
        ("JSR223PostProcessor", 'log.info("\\u0022 + vars.put(\\u0022a\\u0022, \\u0022b\\u0022) + \\u0022")'),
        ("JSR223PostProcessor", 'def x = "a" + vars.put("a", "b")'),
        ("BeanShellPostProcessor", 'if (vars.get("a").equals("b")) { vars.put("a", "c"); }'),
        ("BeanShellPostProcessor", 'String vars = "a"; log.info(vars);'),
        ("BeanShellPostProcessor", 'a = vars.get("a"); log.info(a);'),
        ("BeanShellPostProcessor", 'String a = vars.get("a"); prev.setSuccessful(false);'),
        ("BeanShellPreProcessor", 'log.info(a.getClass().forName("x"));'),
        ("BeanShellPreProcessor", 'log.info("a") vars.put("a", "b")'),
        ("BeanShellAssertion", 'String a = vars.get("a"); log.info(a.trim());'),
        ("JSR223PostProcessor", 'while (true) { log.info("a") }'),
        ("JSR223PostProcessor", 'if (vars.put("a", "b")) { log.info("a") }'),
    ],
)
def test_any_other_script_is_refused(kind: str, script: str) -> None:
    assert "it is a script" in refused(group(A + element(kind, "do", text("script", script))))


def test_a_script_in_a_file_is_refused() -> None:
    assert "it is a script" in refused(group(A + element("JSR223Listener", "do", text("filename", "do.groovy"))))
