"""Servers of other distributions: found, and if they are broken reported by name."""

from __future__ import annotations

import sys
from importlib import metadata
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from holdfast.errors import EnvironmentFailure, UsageError
from holdfast.servers.adapter import Adapter, Package, by_module
from holdfast.servers.registry import ADAPTERS, GROUP, adapter_named, brought_adapters


def adapter(name: str) -> Adapter:
    return Adapter(name, (Package("flask", "flask", "flask"),), by_module("flask"), lambda _arguments: ())


@pytest.fixture
def brought(monkeypatch):
    """Installs entry points: name -> value; a module `theirs` holds what they name."""
    theirs = ModuleType("theirs")
    monkeypatch.setitem(sys.modules, "theirs", theirs)

    def bring(**objects: object):
        for name, value in objects.items():
            setattr(theirs, name, value)
        points = [EntryPoint(name.replace("_", "-"), f"theirs:{name}", GROUP) for name in objects]
        points.append(EntryPoint("lost", "theirs:nothing", GROUP))
        monkeypatch.setattr(metadata, "entry_points", lambda group: points if group == GROUP else ())

    return bring


def test_a_server_of_another_distribution_is_found_by_its_name(brought):
    theirs = adapter("theirs")
    brought(theirs=theirs)

    assert adapter_named("theirs") is theirs


def test_a_broken_one_is_reported_by_name_and_does_not_hurt_the_others(brought):
    theirs = adapter("theirs")
    brought(theirs=theirs, no_adapter=42, other_name=adapter("else"), flask=adapter("flask"))

    found, broken = brought_adapters()

    assert found == {"theirs": theirs}
    assert set(broken) == {"lost", "no-adapter", "other-name", "flask"}
    assert "AttributeError" in broken["lost"]
    assert "int" in broken["no-adapter"]
    assert "'else'" in broken["other-name"]
    assert adapter_named("flask") is ADAPTERS["flask"]


def test_asking_for_a_broken_one_says_what_is_wrong_with_it(brought):
    brought()

    with pytest.raises(EnvironmentFailure, match="'lost'") as failure:
        adapter_named("lost")

    assert "AttributeError" in failure.value.why


def test_an_unknown_server_is_refused_with_the_nearest_name():
    with pytest.raises(UsageError) as refused:
        adapter_named("gunicor")

    assert "--server gunicorn" in refused.value.remedy
    assert "waitress" in refused.value.remedy
