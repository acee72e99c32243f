"""What is written in HTTP and in URLs as it is."""

from __future__ import annotations

import re

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A method, or the name of a header field (RFC 9110, 5.6.2)."""

IN_PATH = "%/?&=:+,;@~!$'()*[]"
"""Characters that stay in a path and query (RFC 3986, 2.2); `%` too, so that what is encoded is not encoded again."""

IN_URL = f"{IN_PATH}#"
"""The same with a fragment."""
