"""A front that turns requests away by a rate which is slower than the ramp of a probe."""

from __future__ import annotations

import json
import shutil

import pytest
from own_commands import Own, run_all, value
from test_exec_front import APP, NGINX, NGINX_RUNS, OF_A_RATE, SCRIPT

# nginx, ngx_http_limit_req_module: 503 beyond `burst`; those within it are handed on one by one at the rate, or at once
# (nodelay), whatever becomes of those before them.
LIMITED = NGINX.replace("upstream unix", "limit_req_zone $binary_remote_addr zone=each:1m rate=RATE; upstream unix")
LIMITED = LIMITED.replace("proxy_pass http://UPSTREAM", "limit_req zone=each burst=BURST; proxy_pass http://tcp")


def limited(id: str, rate: str, burst: str, workers: int) -> Own:
    files = {
        "app.py": APP,
        "nginx.conf": LIMITED.replace("RATE", rate).replace("BURST", burst),
        "start.sh": SCRIPT.format(f"gunicorn -w {workers} -b 127.0.0.1:{{other}} app:app", NGINX_RUNS),
    }
    # A sync worker runs one request, and what is handed on beyond that waits in their accept queue of 2048.
    return Own(id, ("sh", "start.sh"), files, {**OF_A_RATE, "ceiling.in_service": workers}, ("--max-offered", "5000"))


COMMANDS = (
    limited("two workers", "1r/s", "40", 2),
    limited("one in two seconds", "30r/m", "20 nodelay", 1),
    limited("one in a minute", "1r/m", "20 nodelay", 1),
)
# nginx, ngx_http_limit_conn_module: 503 beyond so many at once.
COUNTED = NGINX.replace("upstream unix", "limit_conn_zone $server_port zone=all:1m; upstream unix")
COUNTED = COUNTED.replace("proxy_pass http://UPSTREAM", "limit_conn all 5; proxy_pass http://tcp")


@pytest.fixture(scope="module")
def done(workshop):
    if shutil.which("nginx") is None:
        pytest.skip("not installed: nginx (apt-get install nginx-light)")
    return run_all(workshop, COMMANDS)


@pytest.mark.parametrize("own", COMMANDS, ids=lambda own: own.id)
def test_how_many_wait_behind_a_slow_rate_bounds_no_queue(done, own):
    result = done[own.id]

    assert result.ended.exit == own.exit, result.ended.err
    verdict = result.verdict()
    assert {name: value(verdict, name) for name in own.says} == dict(own.says)
    assert "a rate turned requests away" in verdict["unknown"]["ceiling.userspace_queue"]


ASGI = """
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def index():
    return "hello"
"""


def test_what_a_rate_has_left_is_not_taken_for_what_is_filled_at_exact_load(workshop):
    if shutil.which("nginx") is None:
        pytest.skip("not installed: nginx (apt-get install nginx-light)")
    settings = LIMITED.replace("RATE", "1r/m").replace("BURST", "1500 nodelay").replace("512", "4000")
    start = SCRIPT.format("uvicorn --port {other} app:app", NGINX_RUNS)
    files = {"app.py": ASGI, "nginx.conf": settings, "start.sh": start}
    own = Own("left by a rate", ("sh", "start.sh"), files, {}, ("--max-offered", "3000"))

    done = run_all(workshop, (own,))[own.id]

    assert done.ended.exit == own.exit, done.ended.err
    verdict = done.verdict()
    # AnyIO, _backends/_asyncio.py: CapacityLimiter(40); nginx has let in its burst, and then one a minute.
    assert (value(verdict, "ceiling.in_service"), value(verdict, "ceiling.bounded")) == (40, True)
    assert value(verdict, "ceiling.at_exact_load") is None
    assert "counts them over a time" in verdict["unknown"]["ceiling.at_exact_load"]
    assert not any("offered together" in each for each in verdict["warnings"])


def test_a_front_that_counts_requests_and_not_a_rate_bounds_the_queue(workshop):
    if shutil.which("nginx") is None:
        pytest.skip("not installed: nginx (apt-get install nginx-light)")
    files = {
        "app.py": APP,
        "nginx.conf": COUNTED,
        "start.sh": SCRIPT.format("gunicorn --threads 2 -b 127.0.0.1:{other} app:app", NGINX_RUNS),
    }
    own = Own("counted", ("sh", "start.sh"), files)

    done = run_all(workshop, (own,))[own.id]

    assert done.ended.exit == own.exit, done.ended.err
    verdict = done.verdict()
    assert (value(verdict, "ceiling.in_service"), value(verdict, "ceiling.userspace_queue")) == (2, 3)
    assert value(verdict, "overflow.client_sees") == "503"


# nginx, ngx_http_proxy_module: 504 where the server has sent nothing for so long. It has more clients than it may have
# connections (worker_connections), and turns those beyond away.
TIMES_OUT = NGINX.replace("proxy_pass http://UPSTREAM", "proxy_read_timeout 2400ms; proxy_pass http://tcp")


def test_a_time_limit_that_ends_the_watch_for_a_rate_leaves_the_count_before_it(workshop):
    if shutil.which("nginx") is None:
        pytest.skip("not installed: nginx (apt-get install nginx-light)")
    files = {
        "app.py": APP,
        "nginx.conf": TIMES_OUT,
        "start.sh": SCRIPT.format("gunicorn --threads 6 -b 127.0.0.1:{other} app:app", NGINX_RUNS),
    }
    own = Own("times out", ("sh", "start.sh"), files, {}, ("--max-offered", "5000"))

    ended = run_all(workshop, (own,))[own.id].ended

    assert ended.exit == own.exit, ended.err
    ceiling = json.loads(ended.out)["ceiling"]
    assert (ceiling["in_service"], ceiling["bounded"]) == (6, True)
