"""Writes the table of elements as a person reads it: docs/jmeter-elements.md.

python tests/oracle/oracle_document.py            writes it
python tests/oracle/oracle_document.py --check    exits 1 where it is not what the cases say
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "jmeter-elements.md"
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests")]

from function_names import OF_ALL, OF_PLUGIN, OF_SOURCE  # noqa: E402
from oracle_case import Case  # noqa: E402 - after the path
from oracle_cases import CASES  # noqa: E402

HEAD = """\
# Elements of JMeter plans

What holdfast sends for an element is what JMeter sends. `make oracle` runs a small plan for each row with JMeter 5.5
and with holdfast, against the same server, and compares method, path, header fields, body, whether the connection is
kept, and the label and success of each result. It takes Java 8 or newer; JMeter comes with a Python package.

Not compared: User-Agent, Accept-Encoding, and what versions of JMeter do differently: a body without an encoding, of
a request or an answer, is UTF-8 in 5.6 (`text/plain; charset=UTF-8`), and ISO-8859-1 in 5.5 (`text/plain`); here it is
what it is in the version that saved the plan.

## What agrees

| element | compared |
| --- | --- |
"""


def listed(names: list[str]) -> str:
    """Names of functions, in a sentence."""
    return ", ".join(f"`{name}`" for name in names)


TAIL = f"""
Functions that are compared: {listed(OF_ALL)}.

By chance, by time or of the machine, and so compared with their sources only: {listed(OF_SOURCE)}.

Of the plug-in "Custom JMeter Functions", compared with its source: {listed(OF_PLUGIN)}.

## What is done otherwise

holdfast lists the element before the load wherever it is in a plan.

| element | with holdfast |
| --- | --- |
| HTTP Request: a path that no URL can hold | it is listed; it fails unsent each time, as with JMeter |
| HTTP Request: proxy | it is sent directly to its server |
| HTTP Request: source address | the machine's own; `--source` sets one |
| HTTP Request: parallel downloads | embedded resources are fetched one after the other |
| HTTP Cookie Manager: policy `standard-strict` | dates of cookies are read as RFC 6265 says |
| HTTP Request, implementation Java: "Redirect Automatically" | redirects are followed as Apache's client does |
| HTTP Request, implementation Java: a path with characters beyond ASCII | they are percent-encoded |
| Keystore Configuration | no certificate of a client is sent |
| "Main sample and sub-samples" of JMESPath and XPath Extractors, and of "Request Data" | the last answer alone |

Not listed, since it shows only while the load runs: functions of User Parameters, Counters and the like below a request
that is not done are called in each pass of its controller, and with JMeter once in an iteration of the thread; a thread
whose timer goes beyond its duration ends then, and with JMeter at once; a kept connection that its server closes is
opened anew for a request that may be sent twice, and with JMeter that request fails.

## What is refused

Without these, requests or verdicts would be others. holdfast says which element, in which line, and what would take its
place; nothing is sent.

| element | why |
| --- | --- |
| JSR223, BeanShell and BSF elements that do more than read, compare and log | scripts of the author's |
| `__groovy`, `__jexl3`, ... that are no condition | scripts of the author's |
| "Sub-samples only" of JMESPath and XPath Extractors, of Duration Assertions and of "Request Data" | not supported |
| Regular expressions with `\\p`, `\\G`, `\\Q` | they mean something else to Jakarta ORO, with which JMeter matches |
| Regular expressions with lookbehind, named groups or possessive repetition | JMeter finds nothing with them |
| CSS selectors of jsoup's own: `:contains`, `:eq`, `:has`, `[attr~=regex]` | lxml reads them otherwise, or not |
| XPath 2.0 and later in an XPath2 Extractor or Assertion | lxml reads XPath 1.0 |
| HTML, Compare, S/MIME and XML Schema Assertion | not supported; answers that it would reject would count as good |
| Response Assertion on a document that is turned into a text | it depends on the parsers that a JMeter was given |
| Parallel Controller (plug-in) | its requests would not be sent at the same time |
| Methods that the rows of a CSV Data Set give, other than POST, PUT and PATCH | each is put together in its own way |
| HTTP Cookie Manager: policy `rfc2965` | it sends cookies in another form |
| HTTP Cookie Manager: own cookies, with policies `rfc2109` and `default` | they are sent in another form |
| Dummy Sampler, two Header Managers that apply to it | JMeter sends the fields of one of them no more |
| Kerberos in an Authorization Manager | holdfast has no tickets |
| Functions with a wrong number of arguments, and unknown ones | JMeter sends the reference as it is written |

CSS selectors, XPath, JMESPath and HTML Link Parsers need `pip install 'holdfast-probe[markup]'`; without it such plans
are refused.
"""


def compared(case: Case) -> str:
    """What of a case is compared, in words."""
    words = ["requests in order" if case.ordered else "requests in any order"]
    if case.results:
        words.append("results")
    if case.lasts:
        words.append("the time from the first to the last")
    return ", ".join(words)


def text() -> str:
    """The whole document."""
    rows = "".join(f"| {each.element} | {compared(each)} |\n" for each in CASES)
    return HEAD + rows + TAIL


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(DOCUMENT.read_text(encoding="utf-8") != text())
    DOCUMENT.write_text(text(), encoding="utf-8")
