"""The check that adapters of other distributions can be put to."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from holdfast.errors import EnvironmentFailure
from holdfast.model.places import Place
from holdfast.servers.adapter import Package, Setting
from holdfast.servers.registry import ADAPTERS
from holdfast.testing import check_adapter

WAITRESS = ADAPTERS["waitress"]


def test_a_good_adapter_passes_and_its_verdict_is_handed_out():
    verdict = check_adapter(WAITRESS, ("--threads", "2", "--listen", "127.0.0.1:0"))

    assert verdict.ceiling.in_service == 2
    assert verdict.target.python == ".".join(map(str, sys.version_info[:3]))


def test_an_adapter_that_forgets_arguments_and_says_a_setting_twice_is_told_both():
    def launch(start):
        return WAITRESS.launch(replace(start, arguments=()))

    twice = (Setting("threads", 4, Place.IN_SERVICE),) * 2
    careless = replace(WAITRESS, launch=launch, settings=lambda _arguments: twice)

    with pytest.raises(AssertionError) as complaint:
        check_adapter(careless, ("--threads", "2"))

    assert "lacks the argument --threads" in str(complaint.value)
    assert "threads is listed 2 times" in str(complaint.value)


def test_an_adapter_with_a_wrong_distribution_has_no_version():
    unknown = replace(WAITRESS, packages=(Package("waitress", "waitress-on-the-moon", "waitress"),))

    with pytest.raises(AssertionError, match="version of the installed package"):
        check_adapter(unknown)


def test_a_server_that_does_not_start_is_an_error_with_its_own_words():
    with pytest.raises(EnvironmentFailure) as failure:
        check_adapter(ADAPTERS["gunicorn"], ("--threadz", "2"))

    assert "--threadz" in failure.value.why
