"""A helper that listens first, beside a server that sleeps before it listens: never a verdict on the helper."""

from __future__ import annotations

import pytest
from own_commands import ANSWERED, INCONCLUSIVE, USAGE, Own, run_all, value

# As one that waits for its database; for longer than what answers for the start alone is waited for (1.5 s).
SLEEPS = """
import time
time.sleep(3)
"""
# As one that asks again and again for its database.
LOOPS = """
import time
for _ in range(5):
    time.sleep(1)
"""
APP = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "4")])
    return [b"done"]
"""
SERVES = """
from waitress import serve
serve(application, listen="127.0.0.1:{port}", threads=3)
"""
PLAIN = "python -m http.server --bind 127.0.0.1 {other}"
# A helper that can be held: what answers there is a view, on the wrong port.
LIVENESS = """
from flask import Flask
from waitress import serve
live = Flask(__name__)

@live.get("ITS_PATH")
def alive():
    return "alive"

serve(live, listen="127.0.0.1:{other}", threads=1)
"""
PLAIN_THREAD = """
import http.server, threading
page = http.server.HTTPServer(("127.0.0.1", {other}), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=page.serve_forever, daemon=True).start()
"""
# The same within the server's own process.
IN_A_THREAD = (
    LIVENESS.replace("serve(live", "threading.Thread(target=lambda: serve(live")
    .replace("threads=1)", "threads=1), daemon=True).start()")
    .replace("from flask", "import threading\nfrom flask")
    .replace("ITS_PATH", "/")
)
SERVER = "waitress-serve --listen 127.0.0.1:{port} --threads 3 slow:application"
# A port for metrics that opens with the first request, and leads to no view.
METRICS = """
import http.server, threading
from flask import Flask
from waitress import serve

app = Flask(__name__)
metrics, lock = [], threading.Lock()


@app.before_request
def listen():
    with lock:
        if not metrics:
            metrics.append(http.server.HTTPServer(("127.0.0.1", {other}), http.server.SimpleHTTPRequestHandler))
            threading.Thread(target=metrics[0].serve_forever, daemon=True).start()


@app.get("/")
def index():
    return "done"


serve(app, listen="127.0.0.1:{port}", threads=3)
"""


def beside(id, helper, server, *, path="/", **more):
    files = {
        "start.sh": f"{helper} &\nexec {server}\n",
        "slow.py": SLEEPS + APP,
        "serve.py": SLEEPS + APP + SERVES,
        "loop.py": LOOPS + APP + SERVES,
        "live.py": LIVENESS.replace("ITS_PATH", path),
    }
    return Own(id, ("sh", "start.sh"), files, **more)


# waitress/task.py: as many at once as it has threads.
THREE = {"ceiling.in_service": 3}
COMMANDS = (
    beside("a plain helper and a known server", PLAIN, SERVER, says=THREE),
    beside("a helper without that view and a known server", "python live.py", SERVER, path="/live", says=THREE),
    # Both qualify, as if they had begun to listen together.
    beside("a helper with a view and a known server", "python live.py", SERVER, exit=USAGE),
    beside("a plain helper and a script", PLAIN, "python serve.py", says=THREE),
    beside("a helper with a view and a loop", "python live.py", "python loop.py & wait", exit=INCONCLUSIVE),
    beside("a helper with a view and a script", "python live.py", "python serve.py", exit=INCONCLUSIVE),
    beside(
        "a helper without that view and a script", "python live.py", "python serve.py", path="/live", exit=INCONCLUSIVE
    ),
    Own(
        "a thread with a view",
        ("python", "serve.py"),
        {"serve.py": IN_A_THREAD + SLEEPS.replace("3", "6") + APP + SERVES},
        exit=INCONCLUSIVE,
    ),
    Own(
        "a plain thread after the imports",
        ("python", "serve.py"),
        {"serve.py": "from flask import Flask\n" + PLAIN_THREAD + SLEEPS + APP + SERVES},
        says=THREE,
    ),
)


ALSO = Own("a port for metrics", ("python", "serve.py"), {"serve.py": METRICS}, says=THREE)


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, (*COMMANDS, ALSO))


@pytest.mark.servers
@pytest.mark.parametrize("own", COMMANDS, ids=lambda own: own.id)
def test_a_helper_that_listens_first_is_not_taken_for_the_server(own, done):
    ended = done[own.id].ended

    assert ended.exit == own.exit, ended.err
    if own.exit == ANSWERED:
        verdict = done[own.id].verdict()
        assert {name: value(verdict, name) for name in own.says} == dict(own.says)
    else:
        assert "Say with --port which one is meant" in ended.err
        assert str(done[own.id].port) in ended.err


@pytest.mark.servers
def test_a_port_that_opened_meanwhile_and_leads_to_no_view_is_named(done):
    ended = done[ALSO.id].ended

    assert ended.exit == ANSWERED, ended.err
    verdict = done[ALSO.id].verdict()
    assert {name: value(verdict, name) for name in ALSO.says} == dict(ALSO.says)
    assert any("serve.py" in each and "began to listen on port" in each for each in verdict["warnings"])
