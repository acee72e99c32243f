"""What is written in HTTP and in URLs as it is."""

from __future__ import annotations

import re

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A method, or the name of a header field (RFC 9110, 5.6.2)."""

IN_PATH = "%/?&=:+,;@~!$'()*[]"
"""Characters that stay in a path and query (RFC 3986, 2.2); `%` too, so that what is encoded is not encoded again."""

IN_URL = f"{IN_PATH}#"
"""The same with a fragment."""
JAVA_BLANKS = r"\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""In a class of a regular expression: blanks and control characters that java.net.URI refuses, also beyond ASCII."""
