"""Advice that was run, and what is told instead where there is none."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from support.commandline import Holdfast

from holdfast.explaining.advise import probe_of
from holdfast.model.experiment import experiment_of

APPS = Path(__file__).parents[1] / "causes" / "apps"

ANSWERED, FAILED, USAGE, INCONCLUSIVE = range(4)


def test_settings_that_are_proposed_were_run_and_do_what_was_wanted(holdfast: Holdfast) -> None:
    ended = holdfast.run("explain", "--json", "-", "--server", "waitress", "--want", "24", "--", "--threads", "3")

    assert ended.exit == ANSWERED, ended.err
    advice = json.loads(ended.out)["advice"]
    # waitress/task.py, ThreadedTaskDispatcher: one request in each thread.
    assert advice["fulfilled"]
    assert advice["changes"] == [{"name": "threads", "value": 24}]
    assert advice["best"]["trial"]["in_service"] == 24
    assert advice["best"]["command"] == ["holdfast", "probe", "--server", "waitress", "--", "--threads", "24"]


def test_a_wish_that_does_not_fit_into_the_memory_is_answered_with_the_most_that_does(holdfast: Holdfast) -> None:
    ended = holdfast.run(
        "explain", "--server", "gunicorn", "--want", "100000", "--memory", "60M", "--max-offered", "600"
    )

    assert ended.exit == FAILED, ended.err
    said = " ".join(ended.out.split())
    assert "100000 requests at once within 60 MiB were not reached" in said
    assert "leave room for" in said


def test_an_explanation_is_shown_again_from_what_was_saved(holdfast: Holdfast) -> None:
    first = holdfast.run("explain", "--server", "flask", "--nofile", "96", "--up-to", "0")
    number = first.out.split("holdfast show ")[1].split()[0]

    again = holdfast.run("show", number)

    assert again.exit == ANSWERED, again.err
    assert again.out == first.out


def test_a_proposal_is_shown_as_the_command_line_that_probes_it() -> None:
    asked = experiment_of(
        server="uvicorn",
        app="shop:app",
        path="/items",
        headers=(("Cookie", "secret"),),
        view="async",
        nofile=90,
        environment=(("ASGI_THREADS", "9"),),
        tls=True,
    )

    assert shlex.join(probe_of(asked)) == (
        "env ASGI_THREADS=9 holdfast probe shop:app --server uvicorn --view async --path /items -H 'Cookie: ...' "
        "--nofile 90 --tls"
    )


def test_a_command_of_a_persons_own_is_shown_as_it_is_run() -> None:
    asked = experiment_of(command=("gunicorn", "--threads", "9", "shop:app"), max_offered=9000, port=8000)

    assert shlex.join(probe_of(asked)) == (
        "holdfast exec --port 8000 --max-offered 9000 -- gunicorn --threads 9 shop:app"
    )


def test_no_setting_is_proposed_where_the_application_lets_fewer_bodies_run(holdfast: Holdfast) -> None:
    (holdfast.directory / "shop.py").write_text((APPS / "body_semaphore.py").read_text())
    given = ("--want", "9", "--call", "--up-to", "0", "shop.py", "--server", "waitress", "--", "--threads", "10")

    ended = holdfast.run("explain", *given)

    assert ended.exit == FAILED, ended.err
    said = " ".join(ended.out.split())
    # apps/body_semaphore.py: threading.Semaphore(4)
    assert "4 requests at once decided inside the application" in said
    assert "No proposal for 9 requests at once: the application itself lets 4 run at once (run 1)" in said
