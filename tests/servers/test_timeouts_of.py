"""The time-outs of an experiment's server, wherever they are set, and the experiment with another value."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.errors import UsageError
from holdfast.model.experiment import CommandTarget, Experiment, ProbeTarget
from holdfast.model.silent import Timeout
from holdfast.servers.settings_of import timeouts_of, with_timeout


def seconds(experiment: Experiment, environ: dict[str, str] | None = None) -> dict[str, float | None]:
    return {each.name: each.seconds for each in timeouts_of(experiment, environ or {})}


def command(*words: str, cwd: str = ".") -> Experiment:
    return Experiment(CommandTarget(words), cwd=cwd)


def test_a_command_line_says_it_for_a_server_by_name_and_for_a_command_of_ones_own() -> None:
    assert seconds(Experiment(ProbeTarget("gunicorn", arguments=("-t", "9")))) == {"timeout": 9}
    assert seconds(command("env", "A=1", "gunicorn", "--timeout=9", "app:app")) == {"timeout": 9}
    assert seconds(command("uvicorn", "app:app")) == {"timeout_keep_alive": 5}


def test_a_file_and_a_variable_say_it_too(tmp_path: Path) -> None:
    (tmp_path / "gunicorn.conf.py").write_text("timeout = 12\n")

    # gunicorn/app/base.py, Application.load_config(): the file, GUNICORN_CMD_ARGS, the command line.
    assert seconds(command("gunicorn", "app:app", cwd=str(tmp_path))) == {"timeout": 12}
    assert seconds(command("gunicorn", "app:app", cwd=str(tmp_path)), {"GUNICORN_CMD_ARGS": "-t 13"}) == {"timeout": 13}


def test_a_command_that_shows_no_server_has_none() -> None:
    assert timeouts_of(command("./start.sh"), {}) == ()


def test_another_value_is_set_on_the_command_line_of_either() -> None:
    timeout = Timeout("timeout", 30, ("nothing",), options=("--timeout", "-t"))
    by_name = with_timeout(Experiment(ProbeTarget("gunicorn", arguments=("-t", "9"))), timeout, 2, {})
    own = with_timeout(command("env", "A=1", "gunicorn", "app:app"), timeout, 2, {})

    assert by_name.target == ProbeTarget("gunicorn", arguments=("-t", "2"))
    assert isinstance(own.target, CommandTarget)
    assert own.target.command == ("env", "A=1", "gunicorn", "--timeout", "2", "app:app")


def test_a_value_in_milliseconds_is_set_in_milliseconds() -> None:
    (timeout,) = timeouts_of(Experiment(ProbeTarget("granian")), {})
    changed = with_timeout(Experiment(ProbeTarget("granian")), timeout, 2, {})

    assert changed.target == ProbeTarget("granian", arguments=("--http1-header-read-timeout", "2000"))


def test_what_has_no_option_cannot_be_set() -> None:
    with pytest.raises(UsageError, match="cannot be set"):
        with_timeout(Experiment(ProbeTarget("sanic")), Timeout("REQUEST_TIMEOUT", 60, ("idle",)), 2, {})
