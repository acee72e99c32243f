"""All rows, and what kind each of them is of."""

from __future__ import annotations

import apache_table
import asgi_table
import fastpysgi_table
import flask_table
import frameworks_table
import granian_table
import granian_wsgi_table
import green_table
import gunicorn_table
import h2corn_table
import http2_table
import native_table
import plain_table
import pyvoy_table
import thread_pool_table
import tls_table
import truth_table
import unix_table
import uwsgi_table
from expectation import Case

ROWS = (
    *flask_table.ROWS,
    *uwsgi_table.ROWS,
    *truth_table.ROWS,
    *asgi_table.ROWS,
    *frameworks_table.ROWS,
    *granian_table.ROWS,
    *native_table.ROWS,
    *unix_table.ROWS,
    *gunicorn_table.ROWS,
    *thread_pool_table.ROWS,
    *granian_wsgi_table.ROWS,
    *green_table.ROWS,
    *plain_table.ROWS,
    *apache_table.ROWS,
    *h2corn_table.ROWS,
    *fastpysgi_table.ROWS,
    *pyvoy_table.ROWS,
    *http2_table.ROWS,
    *tls_table.ROWS,
)


def named(case: Case) -> str:
    return f"{case.server}: {case.id}"


def kind_of(case: Case) -> tuple[str, str | None]:
    """The process model, and the place where the overflow ends: the last that fills, or that takes what finds no room.

    None where all that was offered ran at once.
    """
    claimed = {name: value for claim in case.claims for name, value in claim.fields.items()}
    order = (claimed["overflow.first"], *claimed["overflow.then"])
    return claimed["model.kind"], order[-1]
