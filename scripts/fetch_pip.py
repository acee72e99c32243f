"""Fetches pip's newest wheel from the package registry: `python fetch_pip.py FILE`.

For a Python without pip, venv's ensurepip or both, as Debian's: the wheel can be run as it is
(`python pip.whl/pip install ...`). Pages and digests as in PEP 503.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from urllib.parse import urldefrag, urljoin
from urllib.request import urlopen

REGISTRY = (os.environ.get("PIP_INDEX_URL") or "https://pypi.org/simple").rstrip("/")
WHEEL = re.compile(r'href="([^"]*/pip-([\d.]+)-py3-none-any\.whl[^"]*)"')


def read(address: str) -> bytes:
    """What the registry has at this address."""
    try:
        with urlopen(address, timeout=60) as reply:
            content: bytes = reply.read()
    except OSError as error:
        sys.exit(f"{address}: {error}")
    return content


page = f"{REGISTRY}/pip/"
links = WHEEL.findall(read(page).decode())
newest, _ = max(links, key=lambda link: [int(number) for number in link[1].split(".")])
address, digest = urldefrag(urljoin(page, newest))
wheel = read(address)
if digest and digest != f"sha256={hashlib.sha256(wheel).hexdigest()}":
    sys.exit(f"{address} does not have the digest that the registry gives for it")
with open(sys.argv[1], "wb") as file:
    file.write(wheel)
