"""Experiments made from options by name."""

from __future__ import annotations

import pytest

from holdfast.model.experiment import CommandTarget, Experiment, ProbeTarget, command_line_of, experiment_of


def test_options_of_the_server_go_to_its_target_and_all_others_to_the_experiment():
    found = experiment_of(server="gunicorn", app="shop:app", arguments=("-w", "4"), path="/orders", nofile=256)

    assert found == Experiment(
        ProbeTarget("gunicorn", app="shop:app", arguments=("-w", "4")), path="/orders", nofile=256
    )


def test_a_command_is_a_target_of_its_own():
    found = experiment_of(command=("gunicorn", "shop:app"), port=8000)

    assert found == Experiment(CommandTarget(("gunicorn", "shop:app")), port=8000)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"path": "/"},
        {"server": "gunicorn", "no_such_option": 1},
        {"command": ("gunicorn",), "server": "gunicorn"},
        {"command": ("gunicorn",), "app": "shop:app"},
        {"target": ProbeTarget("gunicorn")},
    ],
)
def test_what_is_no_experiment_is_refused(options):
    with pytest.raises(TypeError):
        experiment_of(**options)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (ProbeTarget("flask"), ("flask",)),
        (ProbeTarget("gunicorn", app="shop:app", arguments=("-w", "4")), ("gunicorn", "-w", "4")),
        (CommandTarget(("gunicorn", "-w", "4", "shop:app")), ("gunicorn", "-w", "4", "shop:app")),
    ],
)
def test_the_command_line_is_what_a_person_types(target, words):
    assert command_line_of(target) == words
