"""Which option is taken when it is written in several places, and from where a path in a file is looked for."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from holdfast.api import config_file, option_layers
from holdfast.cli.probe import exec_, probe
from holdfast.errors import EnvironmentFailure
from holdfast.model.experiment import experiment_of

# What is asked of one run alone: where its answer goes.
OF_ONE_RUN = {"quiet", "json_target", "misplaced", "help", "baseline", "junit_target", "github"}


def attributes(project: Path) -> dict[str, object]:
    layer = config_file.project_defaults(project, lambda _line: None)
    assert layer is not None
    return dict(layer.values)


@pytest.mark.parametrize("command", [probe, exec_], ids=["probe", "exec"])
def test_every_option_of_a_probe_can_be_written_into_a_file(command: click.Command) -> None:
    known = {option_layers.ATTRIBUTES.get(name, name) for name in config_file.FileOptions.__struct_fields__}

    assert {str(parameter.name) for parameter in command.params} - OF_ONE_RUN <= known


def test_every_option_in_a_file_reaches_the_experiment(tmp_path: Path) -> None:
    lines = [
        'server = "gunicorn"',
        'app = "shop:app"',
        'view = "async"',
        'path = "/orders?x=1"',
        'headers = ["Authorization: Bearer 1", "X-Y:  z "]',
        "nofile = 256",
        "nproc = 100",
        'address-space = "1.5G"',
        "max-offered = 300",
        "port = 8000",
        "start-timeout = 5",
        'python = ".venv/bin/python"',
    ]
    (tmp_path / "pyproject.toml").write_text("\n".join(["[tool.holdfast]", *lines]))

    experiment = experiment_of(**option_layers.merged([config_file.project_defaults(tmp_path, lambda _line: None)]))  # type: ignore[arg-type, list-item]

    assert experiment == experiment_of(
        server="gunicorn",
        app="shop:app",
        view="async",
        path="/orders?x=1",
        headers=(("Authorization", "Bearer 1"), ("X-Y", "z")),
        nofile=256,
        nproc=100,
        address_space=1536 << 20,
        max_offered=300,
        port=8000,
        start_timeout_s=5.0,
        python=str(tmp_path / ".venv/bin/python"),
        cwd=str(tmp_path),
    )


def test_the_nearest_pyproject_with_settings_counts(tmp_path: Path) -> None:
    below = tmp_path / "service" / "src"
    below.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.holdfast]\nnofile = 1\n")
    (tmp_path / "service" / "pyproject.toml").write_text("[project]\nname = 'service'\ndependencies = ['holdfast']\n")

    assert attributes(below) == {"nofile": 1}

    (tmp_path / "service" / "pyproject.toml").write_text("[tool.holdfast]\nnofile = 2\n")

    assert attributes(below) == {"nofile": 2}


def test_a_project_without_settings_has_no_defaults(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")

    assert config_file.project_defaults(tmp_path, lambda _line: None) is None


def test_an_interpreter_without_a_slash_is_looked_for_on_path(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.holdfast]\npython = 'python3.12'\n")

    assert attributes(tmp_path) == {"python": "python3.12"}


def test_a_pyproject_that_is_no_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").mkdir()

    assert config_file.project_defaults(tmp_path, lambda _line: None) is None


LAYERS = {
    "the later one wins": ([{"server": "flask", "nofile": 1}, {"nofile": 2}], {"server": "flask", "nofile": 2}),
    "an application takes a framework away": ([{"framework": "django"}, {"app": "a"}], {"app": "a", "cwd": "1"}),
    "a framework takes an application away": ([{"app": "a"}, {"framework": "django"}], {"framework": "django"}),
    "a command takes a server away": (
        [{"server": "flask", "app": "a", "python": "p", "nofile": 1}, {"command": ("x",)}],
        {"command": ("x",), "nofile": 1, "cwd": "1"},
    ),
    "an application is looked for where it is named": (
        [{"app": "a"}, {"nofile": 1}],
        {"app": "a", "nofile": 1, "cwd": "0"},
    ),
    "a directory is where it says": ([{"cwd": "/x"}, {"app": "a"}], {"cwd": "/x", "app": "a"}),
}


@pytest.mark.parametrize("name", LAYERS)
def test_an_option_written_in_several_places_is_taken_from_the_nearest(name: str) -> None:
    layers, expected = LAYERS[name]

    assert option_layers.merged(option_layers.Layer(each, str(at)) for at, each in enumerate(layers)) == expected


def test_a_study_knows_its_cases_by_name_or_by_what_they_start(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        """
        [defaults]
        app = "shop:app"
        max-offered = 500
        [[case]]
        name = "4 workers"
        server = "gunicorn"
        arguments = ["-w", "4"]
        [[case]]
        command = ["gunicorn", "-c", "conf.py", "shop:app"]
        [[case]]
        server = "uvicorn"
        framework = "fastapi"
        """
    )

    study = config_file.read_study(str(file), [], "/somewhere/else")

    four, own, fastapi = study.cases
    assert study.name == "mine.toml"
    assert [case.id for case in study.cases] == ["4 workers", "gunicorn -c conf.py shop:app", "uvicorn"]
    assert four.experiment == experiment_of(
        server="gunicorn", app="shop:app", max_offered=500, arguments=("-w", "4"), cwd=str(tmp_path)
    )
    assert own.experiment == experiment_of(
        command=("gunicorn", "-c", "conf.py", "shop:app"), max_offered=500, cwd=str(tmp_path)
    )
    assert fastapi.experiment == experiment_of(
        server="uvicorn", framework="fastapi", max_offered=500, cwd="/somewhere/else"
    )


def test_a_studys_defaults_win_over_the_projects(tmp_path: Path) -> None:
    (tmp_path / "cases.toml").write_text("[defaults]\nnofile = 2\n[[case]]\nserver = 'flask'\n[[case]]\nname='x'\n")
    below = option_layers.Layer({"server": "waitress", "nofile": 1, "nproc": 9}, str(tmp_path))

    flask, named = config_file.read_study(str(tmp_path / "cases.toml"), [below], "/").cases

    assert flask.experiment == experiment_of(server="flask", nofile=2, nproc=9, cwd="/")
    assert named.experiment == experiment_of(server="waitress", nofile=2, nproc=9, cwd="/")


@pytest.mark.parametrize(
    ("written", "what", "claimed"),
    [
        ("in_service = 32", "ceiling.in_service", "32"),
        ("ceiling.in_service = 32", "ceiling.in_service", "32"),
        ('"ceiling.in_service" = 32', "ceiling.in_service", "32"),
        ("places.in_service = 32", "places.in_service", "32"),
        ("bounded = false", "ceiling.bounded", "false"),
        ('client_sees = "waits"', "overflow.client_sees", "waits"),
        ("spread = [8, 8]", "model.spread", "[8, 8]"),
        ("descriptors = 4", "cost.descriptors", "4.0"),
        ('unknown.binding = "why"', "unknown.binding", "why"),
        ("offered = 7", "offered", "7"),
    ],
)
def test_any_field_of_a_verdict_can_be_expected(tmp_path: Path, written: str, what: str, claimed: str) -> None:
    (tmp_path / "cases.toml").write_text(f"[[case]]\nserver = 'flask'\nexpect = {{ {written} }}\n")

    (case,) = config_file.read_study(str(tmp_path / "cases.toml"), [], "/").cases

    assert [(claim.what, claim.claimed) for claim in case.claims] == [(what, claimed)]


def test_a_file_that_cannot_be_read_is_named() -> None:
    unreadable = Path("/proc/self/mem")  # it exists, and reading it from its beginning fails for everybody

    with pytest.raises(EnvironmentFailure, match="/proc/self/mem cannot be read"):
        config_file.read_study(str(unreadable), [], "/")
