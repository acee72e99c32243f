"""Cases of samplers that send nothing, and of elements that mean less than they say: as in plans of other people."""

from __future__ import annotations

import jmx_elements as e
from oracle_case import Case, seen
from plans.writing import csv, group, inner, text, variables


def of_made_up() -> list[Case]:
    take = e.regex("x", "a(\\d+)=(.)", "$1$$2$")
    last = "JMeterThread.last_sample_ok"
    return [
        Case(
            "debug-sampler",
            "Debug Sampler: what extractors find in the variables that it shows, in the order of their names",
            variables(b="2", a10="x", a9="y", A3="z")
            + take
            + e.request("/one", name="one")
            + e.debug()
            + seen("x", last)
            + e.debug("false", below=e.regex("y", "(.+)", default="nothing"))
            + seen("x", "y"),
            loops="2",
            results=False,
        ),
        Case(
            "dummy-sampler",
            "Dummy Sampler (plug-in): its answer, success, failures that end something",
            take
            + e.dummy("data", data='{"id": [7, 8], "a5": "ü"}', below=e.json("id", "$.id[1]") + e.json("u", "$.a5"))
            + seen("x", "id", "u", last)
            + e.dummy("bad", "503", "a7=z", good="false", waits="false")
            + seen("x", last)
            + e.dummy("by assertion", data="tea", below=e.response_assertion("response_data", 16, "coffee"))
            + seen("x", last)
            + e.controller(
                "LoopController",
                e.dummy("ends", good="false", below=e.simple("ResultAction", "break", OnError__action="6"))
                + e.request("/never"),
                LoopController__loops="3",
            )
            + e.request("/after"),
            loops="2",
            results=False,
        ),
        Case(
            "java-tests",
            "Java Request: SleepTest and JavaTest of JMeter",
            take
            + e.java("JavaTest", Sleep_Time="10", Sleep_Mask="0x0F", ResultData="a77=Q", Status="NOK")
            + seen("x", last)
            + e.java("JavaTest", Sleep_Time="0", Status="ok", ResponseCode="200")
            + seen("x", last)
            + e.java("SleepTest", SleepTime="300", SleepMask="#0")
            + seen("x", last),
            loops="2",
            results=False,
            lasts=True,
        ),
        Case(
            "silent-in-turn",
            "Samplers that send nothing have their turn among others",
            e.controller(
                "InterleaveControl",
                e.request("/a") + e.debug() + e.request("/b") + e.dummy("d"),
                InterleaveControl__style="0",
            )
            + e.request("/c"),
            loops="5",
            results=False,
        ),
    ]


def of_oddities() -> list[Case]:
    def jar(name: str) -> str:
        return e.cookie_manager(e.cookie(name, name))

    def block(below: str) -> str:
        return e.controller("GenericController", below)

    def condition(text: str, path: str) -> str:
        return e.controller("IfController", e.request(path), IfController__condition=text)

    return [
        Case(
            "cookie-managers",
            "HTTP Cookie Manager: several of them, of the plan, of groups, in controllers and below requests",
            jar("plan")
            + group(jar("group") + e.request("/a") + block(jar("inner") + e.request("/b", below=jar("own")))),
            whole=True,
        ),
        Case(
            "cookie-managers-within",
            "HTTP Cookie Manager: in a controller that has all requests of the group",
            group(block(jar("inner") + jar("second") + e.request("/b") + block(jar("deep") + e.request("/c"))))
            + group(jar("first") + jar("second") + e.request("/d")),
            whole=True,
        ),
        Case(
            "no-paths",
            "JSON Extractor and Assertion: paths that Jayway cannot read",
            e.request(
                "/j", below="".join(e.json(f"v{at}", path) for at, path in enumerate(["$.", "$.a..", "$a", "$..", ""]))
            )
            + seen("v0", "v1", "v2", "v3", "v4")
            + e.request("/k", below=e.json_assertion("$.")),
        ),
        Case(
            "no-numbers",
            "Extractors: a match number that is not one",
            e.request("/size/1", below=e.regex("x", "(.)", match="value") + e.boundary("y", "", "x", match="m1"))
            + e.request("/xml", below=e.css("z", "nothing", match="m"))
            + seen("x", "z"),
        ),
        Case(
            "no-names",
            "If Controller: names that stand for nothing",
            condition("COMPLETED==COMPLETED", "/a") + condition('"a"=="a" && x == 1', "/b") + condition("1==1", "/c"),
        ),
        Case(
            "modes-in-words",
            "CSV Data Set, Constant Throughput Timer: modes in words, as old versions saved them, and in German",
            csv("r.csv", "a", shareMode="Current thread")
            + csv("s.csv", "b", shareMode="All threads")
            + csv("t.csv", "c", shareMode="Alle Threads")
            + e.simple("ConstantThroughputTimer", "shared", calcMode="all active threads (shared)", throughput="900")
            + e.simple("ConstantThroughputTimer", "own", calcMode="Alle aktiven Threads", throughput="60000")
            + "".join(e.request(f"/{name}/${{{name}}}") for name in "abc"),
            threads="2",
            loops="3",
            ordered=False,
            results=False,
            lasts=True,
            files=dict.fromkeys(("r.csv", "s.csv", "t.csv"), b"1\n2\n3\n4\n5\n6\n"),
        ),
        Case(
            "no-sign",
            "HTTP Request: arguments that name no sign between name and value",
            e.request("/q", e.arguments(inner("flag", "HTTPArgument", text("Argument.name", "flag"))))
            + e.request(
                "/q",
                e.arguments(
                    inner("flag", "HTTPArgument", text("Argument.name", "flag"), text("Argument.value", "${v}")),
                    e.argument("a", "b"),
                ),
            ),
        ),
    ]
