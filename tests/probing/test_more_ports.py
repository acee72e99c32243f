"""A program that listens with a part of its own first, and on the port that its command names only later."""

from __future__ import annotations

from own_commands import ANSWERED, Own, run_all

# As TensorBoard has it: a data server that is no Python takes a port of the kernel's, and the server comes after that.
SERVER = """
import socket
import subprocess
import sys
import time
from wsgiref.simple_server import make_server

part = socket.create_server(("127.0.0.1", 0))
subprocess.Popen(["sleep", "600"], pass_fds=(part.fileno(),))
part.close()
time.sleep(1)


def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "4")])
    return [b"done"]


make_server("127.0.0.1", int(sys.argv[-1]), application).serve_forever()
"""


def test_the_port_that_the_command_names_is_waited_for_while_only_a_part_of_it_listens_elsewhere(workshop):
    own = Own("parts", ("python", "serve.py", "--port", "{port}"), {"serve.py": SERVER})

    done = run_all(workshop, (own,))[own.id]

    assert done.ended.exit == ANSWERED, done.ended.err
    ceiling = done.verdict()["ceiling"]
    # wsgiref serves one request after another.
    assert (ceiling["in_service"], ceiling["bounded"]) == (1, True)
