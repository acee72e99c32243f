"""What becomes of requests on streams, written into their rows."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence

from holdfast.engine.columns import MOST_RECEIVED, Columns
from holdfast.engine.exchange import Event
from holdfast.engine.multiplex import Multiplex
from holdfast.engine.replies import Replies
from holdfast.engine.stream_link import StreamLink
from holdfast.engine.stream_reply import Heard, Progress, Reply
from holdfast.engine.streams_seen import RST_STREAM, UNPROCESSED
from holdfast.model.places import Outcome

_ANSWERED = Outcome.ANSWERED.value  # a plain number: storing an enum's member looks its number up first
_OF_STREAM = {"malformed": Outcome.MALFORMED, "rst": Outcome.STREAM_RESET, "refused": Outcome.STREAM_REFUSED}
_OF_REPLY = {
    Event.REPLY: Outcome.ANSWERED,
    Event.ERROR_REPLY: Outcome.REJECTED,
    Event.WRONG_BODY: Outcome.WRONG_BODY,
    Event.OWN_LIMIT: Outcome.FAILED,
}


class StreamRows:
    """The rows of one load process, and what all its replies have in common.

    Attributes:
        counts: how often it happened to connections and streams, by words.
        replies, ended, unanswered, refused, remembers_finished, remembers_sent, sent_rows, resent_rows: as of
            `Connections`.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._finished: list[int] = []
        self.remembers_finished = self.remembers_sent = False
        self.sent_rows, self.resent_rows = array("q"), array("q")
        self.ended = self.unanswered = self.refused = 0
        self.replies: tuple[Replies, ...] = (Replies(),)
        self.counts: Counter[str] = Counter()

    def finished(self) -> Sequence[int]:
        """See `Connections`."""
        rows, self._finished = self._finished, []
        return rows

    def note(self, client: Multiplex, progress: Progress, now: int) -> list[int]:
        """Writes down what some bytes said; returns the rows that are to be sent again, on another connection."""
        if client.usual is not None and (progress.headed or progress.ended):
            self._note_usual(client, progress, now)
        return [heard.reply.row for heard in progress.heard if self._note_heard(client, heard, now)]

    def stamp(self, link: StreamLink, rows: Iterable[int], now: int) -> None:
        """Writes down that these requests are sent on a connection."""
        columns = self._columns
        for row in rows:
            columns.source[row], columns.local_port[row] = link.source, link.local_port
            columns.sent[row] = now
            if columns.opened[row]:
                columns.connected[row] = max(columns.opened[row], link.connected_ns)
            if self.remembers_sent:
                self.sent_rows.append(~row if columns.resent[row] else row)

    def stamp_all(self, link: StreamLink, rows: range, now: int) -> None:
        """The same of requests that are due when they are sent."""
        columns, first, stop = self._columns, rows.start, rows.stop
        columns.due[first:stop] = columns.sent[first:stop] = array("q", (now,)) * len(rows)
        columns.local_port[first:stop] = array("I", (link.local_port,)) * len(rows)
        if link.source:
            columns.source[first:stop] = bytes((link.source,)) * len(rows)
        if self.remembers_sent:
            self.sent_rows.extend(rows)

    def record(self, row: int, outcome: Outcome, now: int) -> None:
        """Writes down how a request has ended."""
        self._columns.done[row] = now
        self._columns.outcome[row] = outcome
        self.ended += 1
        self.unanswered += outcome is not Outcome.ANSWERED
        self.refused += outcome is Outcome.REFUSED
        if self.remembers_finished:
            self._finished.append(row)

    def _note_usual(self, client: Multiplex, progress: Progress, now: int) -> None:
        usual, columns = client.usual, self._columns
        assert usual is not None
        status, received = usual.head.status, usual.received
        statuses, firsts, dones = columns.status, columns.first, columns.done
        receiveds, outcomes = columns.received, columns.outcome
        for row in progress.headed:
            statuses[row] = status
            firsts[row] = now
        for row in progress.ended:
            dones[row] = now
            receiveds[row] = received
            outcomes[row] = _ANSWERED
        self.ended += len(progress.ended)
        if self.remembers_finished:
            self._finished += progress.ended

    def _note_heard(self, client: Multiplex, heard: Heard, now: int) -> bool:
        """What the peer said about one request, the usual reply aside; whether that is to be sent again."""
        reply, columns = heard.reply, self._columns
        row = reply.row
        columns.received[row] = min(reply.received, MOST_RECEIVED)
        match heard.what:
            case "part":
                return False
            case "head":
                columns.status[row], columns.first[row] = reply.status, now
                return False
            case "again":
                self._forget(row)
                return True
            case "end":
                self.record(row, self._judged(client, reply), now)
                return False
            case "malformed":
                self.replies[0].malformed = self.replies[0].malformed or heard.words
            case _:
                self.counts[f"{RST_STREAM}{heard.words}"] += 1
        self.record(row, _OF_STREAM[heard.what], now)
        return False

    def _forget(self, row: int) -> None:
        """The request will be sent again: its instants are those of the next time."""
        columns = self._columns
        columns.opened[row] = columns.connected[row] = columns.sent[row] = columns.first[row] = 0
        columns.status[row] = columns.received[row] = 0
        columns.resent[row] = 1
        self.resent_rows.append(row)
        self.counts[UNPROCESSED] += 1

    def _judged(self, client: Multiplex, reply: Reply) -> Outcome:
        replies, head = self.replies[reply.row % len(self.replies)], reply.head
        assert head is not None
        replies.location = head.location or replies.location
        event = replies.judged(head.status, bytes(reply.body), head.encoding)
        looked_at = replies.acceptance.checks or replies.in_pieces
        if event is Event.REPLY and len(self.replies) == 1 and not looked_at:
            client.adopt(reply)
        return _OF_REPLY[event]
