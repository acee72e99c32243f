"""Reads a JMeter plan as journeys: all that its threads do, decided while they are under way; pure.

What cannot be done is refused before anything is sent, all of it at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from holdfast.errors import UsageError
from holdfast.jmeter.caches import cleared_caches
from holdfast.jmeter.controllers import CONTROLLERS, nodes_of
from holdfast.jmeter.cookies import jar_of
from holdfast.jmeter.elements import look_at
from holdfast.jmeter.extractors import calls_alone
from holdfast.jmeter.groups import GROUPS, coming_of
from holdfast.jmeter.merged import template_call
from holdfast.jmeter.pieces import put_together
from holdfast.jmeter.samplers import NAMELESS
from holdfast.jmeter.scope import ReadFile, Reading, Refusal, Scope
from holdfast.jmeter.unset import Unset, sends, unset_in
from holdfast.jmeter.variables import all_nodes, changing_properties, constants_of, defined_values
from holdfast.journeys.functions_request import NOWHERE
from holdfast.journeys.leaves import requests_of
from holdfast.model.frozen import frozen
from holdfast.model.journey import Crew, Journeys, Sequence, Timed
from holdfast.model.journey import Node as JourneyNode
from holdfast.model.journey_values import Sets
from holdfast.model.units import NS_PER_S
from holdfast.plans.differences import Note
from holdfast.plans.jmx_tree import Node, is_before_5_6, plan_tree

_STAGES: Mapping[str, Literal["before", "after"]] = {"SetupThreadGroup": "before", "PostThreadGroup": "after"}
_ON_ERROR: Mapping[str, Literal["continue", "next pass", "leave", "stop", "stop at once"]] = {
    "": "continue",
    "continue": "continue",
    "startnextloop": "next pass",
    "stopthread": "leave",
    "stoptest": "stop",
    "stoptestnow": "stop at once",
}


@frozen
class JourneysRead:
    """The journeys that a plan describes.

    Attributes:
        notes: what is left out of the plan, or done differently.
    """

    journeys: Journeys
    notes: tuple[Note, ...]


def read_journeys(  # parameters: the plan, and all that it may refer to
    content: bytes,
    origin: str,
    *,
    read_file: ReadFile,
    properties: Mapping[str, str],
    most_s: float | None = None,
    seed: int = 0,
    environment: Mapping[str, str] = MappingProxyType({}),
    elsewhere: bool = False,
) -> JourneysRead:
    """Reads the journeys that a plan describes.

    Args:
        content: the .jmx file.
        origin: the file's name, for messages.
        read_file: returns the content of a file that the plan names.
        properties: JMeter properties, by name.
        most_s: ends the load after so many seconds, whatever the plan says; None leaves the end to the plan.
        seed: of what is by chance before the load begins.
        environment: environment variables.
        elsewhere: another server takes the place of those of the plan, which need not name any.

    Raises:
        UsageError: it is not a plan, sends nothing, has no end, or could only be run with another meaning.
    """
    root = put_together(plan_tree(content, origin), origin, read_file)
    reading = Reading(origin, read_file, properties, seed=seed, environment=environment, elsewhere=elsewhere)
    reading.root, reading.before_5_6 = root, is_before_5_6(root)
    reading.changing = changing_properties(root)
    reading.constants = constants_of(root, reading)
    values = defined_values(root, reading)
    # JMeter applies what is beside the thread groups to each of them, without what is below it.
    common = tuple(
        replace(each, children=[]) for each in root.children if not _is_group(each) and each.kind not in CONTROLLERS
    )
    crews = []
    for node in root.children:
        if node.kind in GROUPS:
            crew = _crew(node, common, reading, most_s)
            if crew is not None:
                crews.append(crew)
        elif _is_group(node):
            look_at(node, reading)
    _look_at_nameless(crews, reading)
    if reading.refusals:
        raise _refused(origin, reading.refusals)
    if not any(sends(each.journey) for each in crews):
        raise _sends_nothing(root, reading, most_s)
    notes = [*reading.notes, *_notes_on_unset(crews, [name for each in values for name, _ in each])]
    journeys = Journeys(
        tuple(crews),
        one_by_one=reading.flag(root, "TestPlan.serialize_threadgroups"),
        properties=tuple(properties.items()),
        values=values,
        at_start=tuple(calls for each in all_nodes(root) if (calls := calls_alone(each, reading))),
        files=tuple(reading.files.items()),
        plan=origin,
    )
    return JourneysRead(journeys, tuple(dict.fromkeys(notes)))


def _notes_on_unset(crews: Collection[Crew], defined: Collection[str]) -> Iterator[Note]:
    """On references that may be sent as they are written."""
    return (_note_on(each) for crew in crews for each in unset_in(crew, defined))


def _look_at_nameless(crews: Collection[Crew], reading: Reading) -> None:
    """Tells of HTTP Requests without a server, which fail, or refuses a plan that has no others."""
    nowhere = template_call(NOWHERE, [(NAMELESS,)])
    others = any(each.origin != nowhere for crew in crews for each in requests_of(crew.journey))
    for node in reading.nameless:
        if others:
            reading.note(node, f"{NAMELESS}: nothing is sent, and it counts as failed, as with JMeter")
        else:
            reading.refuse(
                node,
                NAMELESS,
                "Fill in the server name, set the property that it comes from with -J name=value, or give a URL.",
            )


def _sends_nothing(root: Node, reading: Reading, most_s: float | None) -> UsageError:
    begins = [
        stay.from_ns
        for node in root.children
        if most_s is not None and node.kind in GROUPS and node.kind not in _STAGES
        for stay in coming_of(node, reading, None).stays
    ]
    if begins and most_s is not None and min(begins) >= most_s * NS_PER_S:
        return UsageError(
            f"{reading.file} sends nothing in {most_s:g} s.",
            f"Its first thread begins after {min(begins) / NS_PER_S:g} s.",
            "Give it more time with --for.",
        )
    return UsageError(
        f"{reading.file} sends nothing (line {root.line}, column {root.column}).",
        "No enabled thread group sends an HTTP Request.",
        "Enable the thread group you mean, or give it threads, loops and HTTP Requests.",
    )


def _note_on(unset: Unset) -> Note:
    reference = f"${{{unset.name}}}"
    meaning = f"nothing in the plan sets {reference}, which is sent as it is written, as by JMeter"
    if unset.ever:
        meaning = f"until {reference} is set, after this request, it is sent as it is written, as by JMeter"
    return Note("note", "HTTPSamplerProxy", unset.request, meaning)


def _is_group(node: Node) -> bool:
    return node.kind in GROUPS or node.kind.endswith("ThreadGroup")


def _crew(node: Node, common: tuple[Node, ...], reading: Reading, most_s: float | None) -> Crew | None:
    scope = Scope(reading)
    coming = coming_of(node, reading, most_s)
    nodes = nodes_of(node, scope, beside=common)
    stays = coming.stays
    if _is_idle(nodes):
        # JMeter ends a thread whose first pass has nothing to do (GenericController.java, getCurrentElement).
        stays = tuple(replace(each, passes=1) for each in stays)
    if any(each.passes is None and each.until_ns is None for each in stays) and not _has_end(node):
        reading.refuse(
            node, "it loops for ever, and nothing in the plan ends it", "Limit it with --for S, or give it loops."
        )
    on_error = (reading.fixed(node, node.text("ThreadGroup.on_sample_error")) or "").strip().lower()
    if on_error not in _ON_ERROR:
        reading.refuse(node, f"its action after an error is {on_error!r}", "Choose it anew.")
    same_user = reading.flag(node, _SAME_USER.get(node.kind, "ThreadGroup.same_user_on_next_iteration"), default=True)
    jar = jar_of(node, common, reading, same_user=same_user)
    if not stays:
        reading.tell(node, "it has no threads or no loops, so it sends nothing", left_out=True)
        return None
    return Crew(
        name=node.name,
        journey=Sequence(nodes),
        stays=stays,
        open=coming.open,
        keeps_cookies=jar.keeps,
        clears_cookies=jar.clears,
        jar_replaces_field=True,  # HTTPHC4Impl.setConnectionCookie
        cookie_form=jar.form,
        cookies=jar.cookies,
        clears_caches=cleared_caches(node, common, reading, same_user=same_user),
        new_each_pass=not same_user,
        on_failure=_ON_ERROR.get(on_error, "continue"),
        stage=_STAGES.get(node.kind, "main"),
        index=_index(node),
        missing="as written",
        charset="iso-8859-1" if reading.before_5_6 else "utf-8",
    )


def _is_idle(nodes: Collection[JourneyNode]) -> bool:
    """Whether these only set values: what is timed among them may be nothing."""
    return all(isinstance(each, Sets) or (isinstance(each, Timed) and _is_idle(each.nodes)) for each in nodes)


def _index(node: Node) -> str:
    """The variable that JMeter gives the number of an iteration, if its group's own controller has a name."""
    named = node.kind in _SAME_USER or node.properties.inner("ThreadGroup.main_controller").text("TestElement.name")
    return f"__jm__{node.name}__idx" if named else ""


_SAME_USER = dict.fromkeys(
    ("ConcurrencyThreadGroup", "ArrivalsThreadGroup", "FreeFormArrivalsThreadGroup"), "same_user_on_next_iteration"
)
_ENDS = frozenset({"TestAction", "VariableThroughputTimer", "ResultAction"})


def _has_end(node: Node) -> bool:
    """Whether something in a group can end its threads, other than their number of loops."""
    inside = list(node.descendants())
    return any(
        each.kind in _ENDS
        or (each.kind == "CSVDataSet" and each.text("stopThread").strip().lower() == "true")
        or (each.kind == "RandomCSVDataSetConfig" and each.text("rewindOnTheEndOfList").strip().lower() != "true")
        for each in inside
    )


def _refused(origin: str, refusals: Collection[Refusal]) -> UsageError:
    """All reasons why a plan is not run, in one error."""
    lines = [
        f'{each.kind} "{each.name}" (line {each.line}): {each.why}. {each.instead}'
        for each in sorted(refusals, key=lambda each: each.line)
    ]
    cause = "with holdfast it would send other requests than with JMeter"
    if all(each.is_missing for each in refusals):
        cause = "it names files that cannot be read"
    return UsageError(
        f"{origin} is not run: {cause}.",
        "\n  ".join(["In it are", *lines]) if len(lines) > 1 else lines[0],
        "",
    )
