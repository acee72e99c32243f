"""The rows of a load run as JMeter writes its results: JTL in CSV.

Source: JMeter 5.6, `CSVSaveService` (columns, their order, quotes), `SampleResult` (what they mean),
`HTTPSamplerBase.errorResult()` (what replaces a missing reply), the defaults of `jmeter.save.saveservice.*`, and
`sampleresult.timestamp.start=true` of bin/jmeter.properties.

As there, a sample begins where its connection is opened, or on a kept connection where it is sent; `elapsed`,
`Latency` (to the first byte) and `Connect` are whole ms from there. A column more, in quotes as JMeter's own sample
variables are, tells the time from when the request was due, which no other column knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from http import HTTPStatus

from holdfast.model.places import REPLIED_LABELS
from holdfast.model.rows import Rows, Samples, Together
from holdfast.model.units import MS
from holdfast.report.rows import Remembered, csv_field

HEAD = (
    "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,"
    'grpThreads,allThreads,URL,Latency,IdleTime,Connect,"elapsedFromDue"'
)

_EXCEPTION = "Non HTTP response code: "
_MESSAGE = "Non HTTP response message: "

# The exception that JMeter's Java sampler meets where holdfast sees the outcome, and its words.
_EXCEPTIONS = {
    "refused": ("java.net.ConnectException", "Connection refused"),
    "reset": ("java.net.SocketException", "Connection reset"),
    "closed": ("java.net.SocketException", "Unexpected end of file from server"),
    "connect-timeout": ("java.net.SocketTimeoutException", "Connect timed out"),
    "unanswered": ("java.net.SocketTimeoutException", "Read timed out"),
    "malformed": ("java.io.IOException", "Invalid Http response"),
    "no-room": ("java.net.ConnectException", "Resource temporarily unavailable"),
    "stream-reset": ("java.io.IOException", "Stream reset (RST_STREAM)"),
    "stream-refused": ("java.io.IOException", "Stream refused (REFUSED_STREAM)"),
    "given-up": ("java.net.SocketException", "Socket closed"),
    "unsent": ("java.lang.IllegalArgumentException", "The request could not be put together"),
    "failed": ("java.net.SocketException", "The load's own side failed: no port, no descriptor, or a process lost"),
}
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


def jtl(
    chunks: Iterable[tuple[Rows, Samples]], wall_clock_offset_ns: int, together: Iterable[Together] = ()
) -> Iterator[bytes]:
    """The head, a line for each request, and then one for each transaction.

    Args:
        wall_clock_offset_ns: what makes an instant of CLOCK_MONOTONIC one since the epoch.
        together: the transactions.
    """
    yield HEAD.encode() + b"\n"
    fields = Remembered(csv_field)
    for rows, samples in chunks:
        yield "".join(_lines(rows, samples, wall_clock_offset_ns, fields)).encode()
    for each in together:
        yield _transaction(each, wall_clock_offset_ns, fields).encode()


def _lines(rows: Rows, samples: Samples, offset_ns: int, fields: Remembered) -> Iterator[str]:
    facts = zip(
        rows.due_ns,
        rows.begun_ns,
        rows.opened_ns,
        rows.connected_ns,
        rows.first_byte_ns,
        rows.done_ns,
        rows.outcome,
        rows.status,
        map(fields, rows.label),
        map(fields, samples.thread),
        rows.received_bytes,
        samples.sent_bytes,
        samples.group_threads,
        samples.all_threads,
        map(fields, samples.url),
        map(fields, samples.failure),
        strict=True,
    )
    # One comprehension would be 0.3 us faster for each row and could not be read.
    for (
        due,
        begun,
        opened,
        connected,
        first,
        done,
        outcome,
        status,
        label,
        thread,
        received,
        sent_bytes,
        group_threads,
        all_threads,
        url,
        failure,
    ) in facts:
        # Each instant is cut to ms by itself, as there: timeStamp + elapsed is the end, and no difference is biased.
        start = ((begun or due) + offset_ns) // MS
        end = (done + offset_ns) // MS
        latency = (first + offset_ns) // MS - start if first else 0
        connect = ((connected or done) + offset_ns) // MS - start if opened else 0
        code, message = _answer(outcome, status)
        yield (
            f"{start},{end - start},{label},{code},{message},{thread},,{'true' if outcome == 'answered' else 'false'},"
            f"{failure},{received},{sent_bytes},{group_threads},{all_threads},{url},{latency},0,{connect},"
            f"{end - (due + offset_ns) // MS}\n"
        )


def _transaction(each: Together, offset_ns: int, fields: Remembered) -> str:
    """A line as JMeter writes it for a Transaction Controller, and by whose message its report knows it again.

    Source: JMeter 5.6, `TransactionController.nextWithoutTransactionSampler()` and `isFromTransactionController()`.
    """
    end = (each.ended_ns + offset_ns) // MS
    elapsed, idle = each.took_ns // MS, each.pauses_ns // MS
    message = csv_field(
        f"Number of samples in transaction : {each.requests}, number of failing samples : {each.failed}"
    )
    code, success = ("200", "true") if each.answered else ("", "false")
    return (
        f"{end - elapsed - idle},{elapsed},{fields(each.label)},{code},{message},{fields(each.thread)},,{success},,0,0,"
        f"{each.group_threads},{each.all_threads},null,0,{idle},0,{elapsed}\n"
    )


def _answer(outcome: str, status: int) -> tuple[str | int, str]:
    """Both responseCode and responseMessage; the latter is the registered phrase, the reply's own is not kept."""
    if outcome in REPLIED_LABELS:
        return status, _PHRASES.get(status, "")
    exception, words = _EXCEPTIONS[outcome]
    return _EXCEPTION + exception, csv_field(_MESSAGE + words)
