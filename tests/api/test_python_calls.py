"""holdfast called from Python: what comes back, what it leaves behind, and what ends it early."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import click
import pytest
from support.commandline import Holdfast
from support.counting import Counting
from support.waiting import until

import holdfast as api
from holdfast import store
from holdfast.api import options
from holdfast.cli.attach import attach_
from holdfast.cli.capacity import capacity
from holdfast.cli.explain import explain
from holdfast.cli.load import load_
from holdfast.cli.probe import probe

PYTHON = (sys.executable,)
# wsgiref serves one request after another: its WSGIServer is without ThreadingMixIn (Lib/wsgiref/simple_server.py).
ONE_AT_ONCE = 'server="wsgiref", max_offered=5'
IMPORTS = "import holdfast, json, os, resource, signal, sys, threading\n"


def script(directory: Path, text: str) -> Path:
    file = directory / "script.py"
    file.write_text(IMPORTS + text)
    return file


def test_a_verdict_is_what_the_command_line_shows_of_the_same_run(holdfast: Holdfast) -> None:
    asks = f"verdict = holdfast.probe({ONE_AT_ONCE})\nsys.stdout.buffer.write(holdfast.to_json(verdict))\n"

    asked = holdfast.run(script(holdfast.directory, asks), program=PYTHON)
    found = json.loads(asked.out)
    shown = holdfast.run("show", str(found["run"]), "--json", "-")

    assert (asked.exit, asked.err) == (0, "")
    assert found["ceiling"]["in_service"] == 1
    assert found == json.loads(shown.out)


def test_what_is_not_to_be_saved_is_not(holdfast: Holdfast) -> None:
    asks = f"print(holdfast.probe({ONE_AT_ONCE}, save=False).run)\n"

    asked = holdfast.run(script(holdfast.directory, asks), program=PYTHON)

    assert asked.out == "None\n", asked.err
    assert not holdfast.runs.exists()


def test_two_threads_measure_at_once_and_the_program_is_what_it_was(holdfast: Holdfast) -> None:
    # It may start processes of its own meanwhile, which are no server's.
    asks = f"""
import subprocess
def state():
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGVTALRM)]
    return [os.listdir("/proc/self/fd"), threading.active_count(), handlers, resource.getrlimit(resource.RLIMIT_NOFILE)]
def ask(name, **options):
    found[name] = holdfast.probe(max_offered=8, save=False, **options).ceiling.in_service
holdfast.probe({ONE_AT_ONCE})
before, found = state(), {{}}
threads = [
    threading.Thread(target=ask, args=("one",), kwargs={{"server": "wsgiref"}}),
    threading.Thread(target=ask, args=("two",), kwargs={{"server": "flask", "args": ["--processes", "2"]}}),
]
[each.start() for each in threads]
own = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
[each.join() for each in threads]
assert own.poll() is None
own.communicate()
children = open(f"/proc/self/task/{{os.getpid()}}/children").read()
print(json.dumps([found, children, state() == before]))
"""

    asked = holdfast.run(script(holdfast.directory, asks), program=PYTHON)

    assert asked.exit == 0, asked.err
    assert json.loads(asked.out) == [{"one": 1, "two": 2}, "", True]
    assert asked.err == ""


@pytest.mark.parametrize("ending", ["Ctrl-C", "SIGKILL"])
def test_a_program_that_is_ended_leaves_nothing_of_it(holdfast: Holdfast, ending: str) -> None:
    # The application holds the server's start up, so that there is something to end.
    (holdfast.directory / "slow.py").write_text("import threading\nthreading.Event().wait(60)\n")
    asks = """
try:
    holdfast.probe("slow:app", server="wsgiref")
except KeyboardInterrupt:
    print(open(f"/proc/self/task/{os.getpid()}/children").read(), end="")
    sys.exit(7)
"""

    running = holdfast.start(script(holdfast.directory, asks), program=PYTHON)
    running.server()
    measuring = running.processes()
    if ending == "Ctrl-C":
        running.press_ctrl_c()
    else:
        running.signal(signal.SIGKILL)
    ended = running.ended()

    assert (ended.exit, ended.out) == ((7, "") if ending == "Ctrl-C" else (-signal.SIGKILL, ""))
    running.nothing_is_left(within_s=10.0)
    until(lambda: not [each for pid in measuring for each in Path("/dev/shm").glob(f"holdfast-{pid}-*")], "no files")


def test_a_time_limit_ends_it_and_says_so(holdfast: Holdfast) -> None:
    (holdfast.directory / "slow.py").write_text("import threading\nthreading.Event().wait(60)\n")
    asks = """
try:
    holdfast.probe("slow:app", server="wsgiref", time_limit=1)
except holdfast.InconclusiveError as error:
    print(error)
"""

    ended = holdfast.run(script(holdfast.directory, asks), program=PYTHON)

    assert ended.out.startswith("There is no result after 1 s, the time limit."), ended.err


def test_why_a_server_did_not_start_reaches_the_program() -> None:
    with pytest.raises(api.EnvironmentFailure, match="no_such_module") as caught:
        api.probe("no_such_module:app", server="wsgiref", save=False)

    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"server": "wsgireff"}, "Did you mean wsgiref"),
        ({"max_ofered": 1}, "Did you mean max_offered"),
        ({"max_offered": 0}, "max_offered in holdfast.probe() cannot be used"),
        ({"path": "x"}, "'x' must begin with /"),
        ({"headers": {"X-Holdfast": "1"}}, "is set by holdfast itself"),
        ({"command": ["true"], "server": "flask"}, "A command is started unchanged"),
        ({"args": "--threads 8"}, 'args = ["...", "..."]'),
        ({"cwd": "/no/such/directory"}, "There is no directory /no/such/directory"),
        ({"environment": {"A": 1}}, "environment"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_started(given: dict[str, object], words: str) -> None:
    with pytest.raises(api.UsageError) as caught:
        api.probe(**given)  # type: ignore[arg-type]

    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("call", "given", "words"),
    [
        ("load", {}, "for example rate=50/s for_=10s"),
        ("load", {"rate": 5}, "add for_ (10s) or requests (100) to rate"),
        ("load", {"rate": "5/x"}, "rate in holdfast.load() cannot be used"),
        ("load", {"burst": 1, "data": 1}, "Expected `str` or `bytes`, got `int`"),
        ("load", {"burst": 1, "once": True}, "once in holdfast.load()"),
        ("load", {"burst": 1, "extract": "t=json:$.t"}, "Nothing uses {t}"),
        ("load", {"burst": 1, "extract": "t=jso:$.t"}, "extract in holdfast.load()"),
        ("load", {"burst": 1, "follow": 99}, "follow in holdfast.load()"),
        ("load", {"burst": 1, "values": {"a": 1}}, "They are those of a scenario"),
        ("attach", {"timeout": 0}, "timeout in holdfast.attach() cannot be used"),
        ("attach", {"for_": 1}, "there is no 'for_' in holdfast.attach()"),
        ("explain", {"want": 3, "rate": 4}, "Give either want, or rate and service_time"),
        ("explain", {"patience": 3}, "add silent"),
        ("capacity", {}, "Nothing says what has to hold."),
        ("capacity", {"threshold": "p50>1ms"}, "'p50>1ms' is a lower bound."),
        ("capacity", {"threshold": "p50<1s", "from_": "x"}, "from_ in holdfast.capacity() cannot be used"),
        ("capacity", {"threshold": "p50<1s", "server": "flask"}, "It is of a server that holdfast starts"),
    ],
)
def test_the_other_calls_name_their_arguments_as_python_does(call: str, given: dict[str, object], words: str) -> None:
    first = [] if call == "explain" else ["http://127.0.0.1:1/"]

    with pytest.raises(api.UsageError) as caught:
        getattr(api, call)(*first, **given)

    assert words in str(caught.value)


def test_a_load_reports_what_became_of_its_requests(counting: Counting) -> None:
    result = api.load(f"{counting.url}/busy", burst=4, threshold=["errors<=4", "errors<1%"], save=False)

    assert result.outcomes["rejected"] == result.offered == 4
    assert result.statuses == {"503": 4}
    assert [each.held for each in result.thresholds] == [True, False]


def test_a_call_takes_sessions_and_scenarios(counting: Counting, tmp_path: Path) -> None:
    result = api.load(
        f"{counting.url}/a", clients=2, requests=4, first="POST /log-in a=b", then=["/c/{id}"], cookies=True, save=False
    )
    assert result.outcomes["answered"] == 10
    file = tmp_path / "shop.toml"
    file.write_text(
        'thresholds = "errors<1%"\nclients = 1\npasses = 3\nurl = "{base}"\n'
        '[values]\nbase = "http://127.0.0.1:1"\n[[group]]\n[[group.step]]\nrequest = "/scenario/{id}"\n'
    )
    found = api.load(str(file), values={"base": counting.url}, save=False)

    assert (found.outcomes["answered"], [each.held for each in found.thresholds]) == (3, [True])
    paths = Counter(str(each["path"]) for each in counting.each())
    own = {f"/c/{number}": 1 for number in range(4)} | {f"/scenario/{number}": 1 for number in range(3)}
    assert paths == {"/log-in": 2, "/a": 4, **own}
    with pytest.raises(api.UsageError, match="clients in holdfast"):
        api.load(str(file), clients=2, save=False)


def test_a_body_and_headers_of_a_load_are_sent(counting: Counting) -> None:
    api.load(
        f"{counting.url}/a/{{id}}", burst=1, data=b'{"n": {id}}', headers={"X-Own": "n{id}"}, for_=None, save=False
    )

    (got,) = [each for each in counting.each() if each["path"] == "/a/0"]
    assert got["method"] == "POST"
    assert got["body"] == '{"n": 0}'


class Quiet(WSGIRequestHandler):
    """Logs no request."""

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 - as its base class calls it


def test_a_rate_is_searched_for(counting: Counting) -> None:
    found = api.capacity(f"{counting.url}/", threshold="p99<1s", from_=100, up_to="100/s", for_="500ms", save=False)

    assert (found.status, found.rate_per_s, found.bounded, found.run) == ("at least", 100.0, False, None)
    assert found.thresholds == ("p99<1s", "errors<1%")


def test_a_server_that_runs_is_measured_from_outside() -> None:
    def application(_environ: object, start_response: Callable[..., object]) -> list[bytes]:
        threading.Event().wait(0.5)
        start_response("200 OK", [("Content-Length", "0")])
        return []

    with make_server("127.0.0.1", 0, application, handler_class=Quiet) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            verdict = api.attach(f"http://127.0.0.1:{server.server_port}/", max_offered=4, save=False)
        finally:
            server.shutdown()
            serving.join()

    assert verdict.confidence == "estimated"
    assert verdict.ceiling.in_service == 1


def test_an_explanation_and_its_probes_are_kept_in_the_file_that_is_named(tmp_path: Path) -> None:
    runs = tmp_path / "runs.sqlite"

    found = api.explain(server="wsgiref", max_offered=10, up_to=0, save=runs)

    assert found.verdict.ceiling.in_service == 1
    assert found.run == len(found.trials) + 1
    assert [each.id for each in store.saved_runs(runs)] == [*range(found.run, 0, -1)]
    assert "1 request at once" in api.to_text(found)
    assert json.loads(api.to_json(found))["run"] == found.run


def test_that_nothing_listens_where_a_server_is_to_be_measured_is_said() -> None:
    with pytest.raises(api.EnvironmentFailure, match="refused"):
        api.attach("http://127.0.0.1:1/", save=False)


def arguments_of(command: click.Command) -> set[str]:
    """The options of a command as a call from Python names them."""
    names = set()
    for each in command.params:
        if isinstance(each, click.Option):
            names.add(max(each.opts, key=len).lstrip("-").replace("-", "_"))
    return names


RENAMED = {"header": "headers", "for": "for_", "from": "from_"}
# Where an answer goes, and what is expected of it, are the program's own matter; so are plans, other hosts and views.
OF_ANSWERS = {
    "json",
    "summary",
    "quiet",
    "csv",
    "jsonl",
    "jtl",
    "events_csv",
    "sqlite",
    "parquet",
    "expect",
    "baseline",
    "junit",
    "github",
    "html",
}
NOT_OF_A_CALL = OF_ANSWERS | {"jmx", "har", "pauses", "map", "J", "cluster", "prometheus", "events_csv"}
OF_A_CALL_ALONE = {"args", "command", "environment", "cwd", "project", "save", "values"}


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (probe, options.StartOptions),
        (explain, options.ExplainOptions),
        (attach_, options.AttachOptions),
        (load_, options.LoadOptions),
        (capacity, options.CapacityOptions),
    ],
    ids=["probe", "explain", "attach", "load", "capacity"],
)
def test_every_option_is_an_argument_of_the_same_name(command: click.Command, arguments: type) -> None:
    expected = {RENAMED.get(name, name) for name in arguments_of(command) - NOT_OF_A_CALL}

    assert expected == set(arguments.__annotations__) - OF_A_CALL_ALONE


def test_importing_holdfast_imports_nothing_else(holdfast: Holdfast) -> None:
    asks = "import sys\nbefore = {*sys.modules}\nimport holdfast\nprint(sorted({*sys.modules} - before))\n"
    file = holdfast.directory / "script.py"
    file.write_text(asks)

    assert holdfast.run(file, program=PYTHON).out == "['__future__', 'holdfast']\n"


def test_a_call_is_a_call_whatever_of_its_package_was_imported_before() -> None:
    import inspect

    import holdfast.engine.url

    assert holdfast.engine.url.parse_url("http://127.0.0.1/").path == "/"
    assert "url" in inspect.signature(holdfast.load).parameters
    assert holdfast.Verdict.__module__ == "holdfast.model.verdict"
    with pytest.raises(AttributeError):
        getattr(holdfast, "nothing")  # noqa: B009 - a type checker knows that it is not there
