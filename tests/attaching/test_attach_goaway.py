"""Streams of a server that ends each connection after a number of them (GOAWAY), looked at from outside."""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request

import msgspec
import pytest
from running_servers import serving

from holdfast.probing.ports import free_port

LONGEST_S = 240
# nginx, ngx_http_v2_module.c: a request that is the last of keepalive_requests is followed by GOAWAY, and those that
# come after it are skipped. What is under way is answered.
NGINX = """
daemon off;
user root;
pid nginx.pid;
error_log stderr;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
    server {{
        listen 127.0.0.1:{port} http2;
        keepalive_requests {keeps};
        location / {{ proxy_pass http://127.0.0.1:{plain}; }}
    }}
    server {{
        listen 127.0.0.1:{plain};
        location / {{ proxy_pass http://127.0.0.1:{other}; }}
    }}
}}
"""


def answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/0", timeout=5).close()
    except (urllib.error.URLError, OSError):
        return False
    return True


def streams_of(holdfast, tmp_path, keeps: int, app: str) -> dict[str, object]:
    """The verdict's `http2` of an application behind nginx that ends a connection when it has had so many requests."""
    if shutil.which("nginx") is None:
        pytest.skip("not installed: nginx (apt-get install nginx-light)")
    port, plain, other = free_port(), free_port(), free_port()
    (tmp_path / "nginx.conf").write_text(NGINX.format(port=port, plain=plain, other=other, keeps=keeps))
    start = f"uvicorn --lifespan off --port {other} waiting_apps:{app} & exec nginx -p {tmp_path} -c nginx.conf"
    with serving(["sh", "-c", start], lambda: answers(plain), tmp_path / "log"):
        url = f"http://127.0.0.1:{port}/300"
        running = holdfast.start("attach", url, "--http2", "--max-offered", "40", "--json", "-")
        out, err = running.process.communicate(timeout=LONGEST_S)
    assert out, err
    return msgspec.json.decode(out)["http2"]


def test_the_streams_of_a_connection_are_counted_on_one_that_had_none_before(holdfast, tmp_path):
    found = streams_of(holdfast, tmp_path, 12, "waiting")

    assert (found["on_one_connection"], found["on_one_connection_bounded"]) == (12, True)
    assert found["overflow_sees"] == "GOAWAY"


def test_what_waits_on_a_connection_is_not_taken_for_what_goaway_ends(holdfast, tmp_path):
    found = streams_of(holdfast, tmp_path, 30, "three_at_once")

    assert (found["on_one_connection"], found["on_one_connection_bounded"]) == (3, True)
    assert found["overflow_sees"] == "waits"
