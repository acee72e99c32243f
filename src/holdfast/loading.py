"""The wiring of one load run: what a person asked for -> plan -> rows -> result."""

from __future__ import annotations

import os
import random
import socket
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address

from holdfast.errors import UsageError
from holdfast.load import schedule
from holdfast.load.http1 import request_head
from holdfast.load.plan import Closed, Open, Plan, Stop
from holdfast.load.processes import LoadRun, load_run
from holdfast.load.summary import Distribution, Summary
from holdfast.load.tls import Tls
from holdfast.load.url import Url, parse_url
from holdfast.load.words import Threshold
from holdfast.model.load import (
    Burst,
    Clients,
    Expectation,
    LagUs,
    LatencyMs,
    LoadExperiment,
    LoadResult,
    LoadTarget,
    Rise,
    Shape,
    Spread,
    Stages,
)
from holdfast.model.places import Outcome
