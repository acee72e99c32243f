"""Writes small JMeter plans as text, so that a test shows only what it is about, and reads what they come to."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from holdfast.engine.values import Numbering, request_bytes
from holdfast.model.scenario import Group
from holdfast.plans.jmx import PlanRead, read_plan

FILE = {"f.csv": b"a,b\n1,x y\n2,z\n3,\xc3\xbc\n"}


def text(name: str, value: str) -> str:
    return f'<stringProp name="{name}">{escape(value)}</stringProp>'


def inner(name: str, kind: str, *properties: str) -> str:
    return f'<elementProp name="{name}" elementType="{kind}">{"".join(properties)}</elementProp>'


def collection(name: str, *items: str) -> str:
    return f'<collectionProp name="{name}">{"".join(items)}</collectionProp>'


def element(kind: str, name: str, *properties: str, below: str = "", enabled: bool = True, gui: str = "") -> str:
    """A test element, its properties, and its hashTree with what is below it."""
    head = f'{kind} guiclass="{gui}" testclass="{kind}" testname={quoteattr(name)} enabled="{str(enabled).lower()}"'
    return f"<{head}>{''.join(properties)}</{kind}><hashTree>{below}</hashTree>"


def arguments(*pairs: tuple[str, str], encode: bool = False) -> str:
    """The arguments of a request or of defaults."""
    items = [
        inner(
            "",
            "HTTPArgument",
            text("Argument.name", name),
            text("Argument.value", value),
            text("Argument.metadata", "="),
            text("HTTPArgument.always_encode", str(encode).lower()),
        )
        for name, value in pairs
    ]
    return inner("HTTPsampler.Arguments", "Arguments", collection("Arguments.arguments", *items))


def http(path: str = "/", *properties: str, name: str = "Request", below: str = "", enabled: bool = True, **more: str):
    """An HTTP Request; `more` are properties of it, such as method, domain or port."""
    said = {"domain": "127.0.0.1", "port": "8000", "method": "GET", "use_keepalive": "true", "path": path} | more
    texts = [text(f"HTTPSampler.{key}", value) for key, value in said.items()]
    return element("HTTPSamplerProxy", name, *texts, *properties, below=below, enabled=enabled)


def variables(**values: str) -> str:
    items = [
        inner(name, "Argument", text("Argument.name", name), text("Argument.value", value))
        for name, value in values.items()
    ]
    return element("Arguments", "Variables", collection("Arguments.arguments", *items))


def counter(
    name: str, start: str = "1", incr: str = "1", end: str = "", form: str = "", per_user: str = "false"
) -> str:
    said = {"name": name, "start": start, "incr": incr, "end": end, "format": form, "per_user": per_user}
    return element(
        "CounterConfig", f"Counter {name}", *[text(f"CounterConfig.{key}", value) for key, value in said.items()]
    )


def csv(filename: str, names: str = "", recycle: str = "true", **more: str) -> str:
    said = {
        "filename": filename,
        "variableNames": names,
        "recycle": recycle,
        "delimiter": ",",
        "quotedData": "false",
    } | more
    return element("CSVDataSet", "CSV", *[text(key, value) for key, value in said.items()])


def assertion(field: str, kind: int, *texts: str, ignore_status: bool = False) -> str:
    return element(
        "ResponseAssertion",
        "Assertion",
        collection("Asserion.test_strings", *[text(str(number), each) for number, each in enumerate(texts)]),
        text("Assertion.test_field", f"Assertion.{field}"),
        text("Assertion.test_type", str(kind)),
        text("Assertion.assume_success", str(ignore_status).lower()),
    )


def loop(loops: str, below: str) -> str:
    return element("LoopController", "Loop", text("LoopController.loops", loops), below=below)


def group(
    below: str,
    *properties: str,
    threads: str = "1",
    loops: str = "1",
    forever: str = "false",
    ramp: str = "0",
    name: str = "Group",
    enabled: bool = True,
) -> str:
    controller = inner(
        "ThreadGroup.main_controller",
        "LoopController",
        text("LoopController.loops", loops),
        text("LoopController.continue_forever", forever),
    )
    return element(
        "ThreadGroup",
        name,
        text("ThreadGroup.num_threads", threads),
        text("ThreadGroup.ramp_time", ramp),
        controller,
        *properties,
        below=below,
        enabled=enabled,
    )


def plan(below: str, *properties: str) -> bytes:
    """A whole plan."""
    tree = f"<hashTree>{element('TestPlan', 'Plan', *properties, below=below)}</hashTree>"
    return f'<?xml version="1.0" encoding="UTF-8"?><jmeterTestPlan jmeter="5.6.3">{tree}</jmeterTestPlan>'.encode()


def read(below: str, files: dict[str, bytes] | None = None, most_s: float | None = None, **properties: str) -> PlanRead:
    """What holdfast makes of a plan."""
    return read_plan(plan(below), "test.jmx", read_file=(files or {}).__getitem__, properties=properties, most_s=most_s)


def sent(group_: Group, rows: int, clients: int = 1) -> list[str]:
    """The request lines of the first rows."""
    made = request_bytes(group_.steps, group_.values, "host", Numbering(len(group_.steps), clients))
    heads = [made if isinstance(made, bytes) else made(row) for row in range(rows)]
    return [head.split(b" HTTP/1.1")[0].decode() for head in heads]


def only(plan_read: PlanRead) -> Group:
    """The one group of a plan."""
    (group_,) = plan_read.groups
    return group_


def headers(element_below: str = "") -> str:
    return element("HeaderManager", "Headers", collection("HeaderManager.headers", element_below))


def header(name: str, value: str) -> str:
    return inner("", "Header", text("Header.name", name), text("Header.value", value))
