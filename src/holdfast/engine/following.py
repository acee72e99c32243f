"""What clients do beyond the request that their journey asks for: cookies, redirects, and what a page embeds.

Decisions
---------
* A redirect that is a result of its own gets a label of its own, so that the figures of the request that was asked for
  are not mixed with those of the ones that followed it. So do the resources that a page embeds.
* Resources on a server that may not be loaded are left out and counted: a page embeds what others serve.
* What a page embeds is looked up once for each page, as bytes: a load gets the same ones again and again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from holdfast.engine.challenges import UNAUTHORIZED, asked_again, with_login
from holdfast.engine.fetching import (
    REDIRECTS,
    Ended,
    Exchange,
    Fetched,
    Fetching,
    Verdict,
    answer_of,
    first_exchange,
    judged,
    plain,
)
from holdfast.engine.particulars import Kind
from holdfast.engine.redirects import OF_A_SERVER, is_followed, redirected, resolved, without
from holdfast.model.answers import Answer
from holdfast.model.places import Outcome
from holdfast.model.units import NS_PER_S

if TYPE_CHECKING:
    from holdfast.engine.answer_cache import AnswerCache
    from holdfast.engine.cookies import Cookies
    from holdfast.engine.visitor import Visitor
    from holdfast.journeys.steps import Sending
    from holdfast.model.journey_request import Cache, Resources

MOST_WITH_COOKIES = 20_000
"""Requests with a client's own cookies that are kept, of all clients, as long as these cookies stay the same."""
MOST_PAGES = 100
"""Pages whose references are remembered."""
CACHED = Answer("", answered=True, status=0, message="", head="", body=b"", is_cached=True)
"""In place of an answer that the client still has."""
DEEPEST = 5
"""Frames within frames, and style sheets within those, that are looked into; JMeter's MAX_FRAME_DEPTH."""
_LONG_IDLE_NS = NS_PER_S
_OF_A_PAGE = frozenset({"content-type", "content-length", "content-encoding"})


class Following:
    """All that clients follow; what they have in common.

    Attributes:
        redirects: requests that followed a redirect.
        lost: redirects that named no Location, and count as answers.
        left_out: by server, resources that were not fetched because it may not be loaded.
        too_slow: pages or patterns that were given up, in words.
        dropped: cookies that were not kept.
        idle: clients whose journeys had nothing to do for a second and more until they left.
        longest_idle_ns: for how long that was at most.
    """

    def __init__(self, may: Callable[[str], bool], within: Callable[[Callable[[], Any]], Any]) -> None:
        """Has followed nothing.

        Args:
            may: whether an origin may be loaded.
            within: does something that may take any time; raises TimeoutError where it takes too long.
        """
        self._may = may
        self._within = within
        self._pages: dict[tuple[str, bytes], list[str]] = {}
        self.redirects = self.lost = self.dropped = self._with_cookies_kept = 0
        self.idle = self.longest_idle_ns = 0
        self.left_out: dict[str, int] = {}
        self.too_slow: dict[str, int] = {}

    def fetching(self, sending: Sending, visitor: Visitor) -> Fetching:
        """What a client does for a request of its journey."""
        has_cookies = visitor.cookies is not None or visitor.crew.keeps_cookies
        if not has_cookies and not sending.follow and is_alone(sending):
            return plain(sending)
        return self._full(sending, visitor)

    def is_over(self, sending: Sending, visitor: Visitor, ended: Ended) -> bool:
        """Whether nothing follows the first exchange of a request that `is_alone`, which has ended like this."""
        read = ended.read
        if read is None:
            return True
        if sending.follow and ended.status in REDIRECTS:
            return False
        if read.sets_cookies:
            assert visitor.exchange is not None
            self._take_cookies(visitor.exchange, ended, visitor)
        return True

    def first(self, sending: Sending, visitor: Visitor) -> Exchange:
        """The first exchange of a request that `is_alone`."""
        exchange = first_exchange(sending)
        return exchange if visitor.cookies is None else self._with_cookies(exchange, visitor)

    def _full(self, sending: Sending, visitor: Visitor) -> Fetching:
        parts: list[Answer] = []
        followed = yield from self._followed(first_exchange(sending), sending, visitor, parts)
        if followed is None:
            return Fetched(CACHED, None)
        first, ended, exchange, outcome, why = followed
        if parts:
            self._note_part(parts, exchange, ended, sending)
        answer = answer_of(exchange, ended, outcome, why, first.due_ns)
        last = Verdict(ended.row, outcome, why)
        if sending.resources is not None and answer.answered:
            visitor.last = last  # it waits for its resources, and is not lost if the load ends meanwhile
            failed = yield from self._embedded(sending, exchange, answer, visitor, parts)
            if failed:
                answer = replace(answer, answered=False, message=failed)
                last = last._replace(outcome=Outcome.REJECTED, why=failed)
        return Fetched(replace(answer, parts=tuple(parts)) if parts else answer, last)

    def _followed(
        self, exchange: Exchange, sending: Sending, visitor: Visitor, parts: list[Answer]
    ) -> Generator[Exchange | Verdict, Ended | None, tuple[Ended, Ended, Exchange, Outcome, str] | None]:
        """An exchange and all redirects after it; the first end, the last one, and what came of it.

        None if nothing was sent, since the client has the answer. Where it has that of a redirect, it ends there.

        Args:
            parts: gets the answers that were redirects, if the request looks at them.
        """
        first: Ended | None = None
        passed: set[str] = set()
        if (sent := self._prepared(exchange, sending, visitor)) is None:
            return None
        for hops in range(sending.follow + 1):
            told = yield sent
            assert told is not None
            if told.status == UNAUTHORIZED and (again := asked_again(sent, told, sending)) is not None:
                sent, first = again, first or told
                told = yield again
                assert told is not None
            ended, first = told, first or told
            self._take_cookies(exchange, ended, visitor)
            self._take_answer(sent, ended, sending, visitor)
            outcome, why = judged(ended, sending, exchange)
            read = ended.read
            if read is None or not is_followed(sending, exchange.method, ended.status, read.location):
                self.lost += read is not None and outcome is Outcome.ANSWERED and _is_lost(sending, ended)
                break
            if hops == sending.follow:
                outcome, why = Outcome.REJECTED, f"It was redirected more than {hops} times, at last to {read.location}"
                break
            try:
                following = with_login(redirected(exchange, ended.status, read.location, sending), sending, exchange)
                if sending.redirects == "library" and following.url in passed:
                    raise ValueError(f"in a circle, to {following.url}")
                passed.add(following.url)
            except ValueError as error:
                outcome, why = Outcome.REJECTED, f"It was redirected, but {error}"
                break
            if (prepared := self._prepared(following, sending, visitor)) is None:
                break
            if sending.hops_count:
                yield Verdict(ended.row, Outcome.ANSWERED, "")
            self.redirects += 1
            self._note_part(parts, sent, ended, sending)
            exchange, sent = following, prepared
        assert first is not None
        return first, ended, sent, outcome, why

    def _note_part(self, parts: list[Answer], sent: Exchange, ended: Ended, sending: Sending) -> None:
        """Keeps the answer of one of several exchanges, as JMeter does of those that it sends itself."""
        if sending.with_parts and sending.redirects == "get":
            outcome, why = judged(ended, sending, sent)
            # They share a row, whose bytes are those of all so far.
            own = ended._replace(received=ended.received - sum(each.size for each in parts))
            parts.append(answer_of(sent, own, outcome, why, ended.due_ns))

    def _prepared(self, exchange: Exchange, sending: Sending, visitor: Visitor) -> Exchange | None:
        """An exchange as its client sends it; None where that still has the answer."""
        sent = self._with_cookies(exchange, visitor)
        if (cache := sending.cache) is None:
            return sent
        own = visitor.caches.get(cache.number)
        if own is None:
            own = visitor.caches[cache.number] = new_cache(cache)
        if exchange.method == "GET" and own.has(exchange.url, sent.headers, time.time()):
            return None
        conditions = own.conditions(exchange.url, sent.headers)
        names = {name.lower() for name, _ in conditions}
        others = tuple(each for each in sent.headers if each[0].lower() not in names)
        return sent._replace(headers=(*others, *conditions), made=None) if conditions else sent

    def _take_answer(self, sent: Exchange, ended: Ended, sending: Sending, visitor: Visitor) -> None:
        if sending.cache is None or sent.method != "GET" or ended.read is None:
            return
        visitor.caches[sending.cache.number].take(sent.url, sent.headers, ended.status, ended.read.head, time.time())

    def _embedded(
        self, sending: Sending, page: Exchange, answer: Answer, visitor: Visitor, parts: list[Answer]
    ) -> Generator[Exchange | Verdict, Ended | None, str]:
        """Fetches what a page embeds, each once; returns which one failed, or "".

        Args:
            parts: gets the answers, if the request looks at them.
        """
        assert sending.resources is not None
        with_body = sending.resources.with_body
        headers = without(sending.headers, _OF_A_PAGE - (frozenset({"content-type"}) if with_body else sending.kept))
        elsewhere = without(headers, OF_A_SERVER - sending.kept)
        body = sending.body if with_body else None
        failed, seen = "", {answer.url}
        if sending.with_parts and not parts and self._references(answer):
            parts.append(answer)
        waiting = [(each, 1) for each in self._wanted(page, answer, sending.resources)]
        while waiting:
            (origin, path), depth = waiting.pop(0)
            if origin + path in seen:
                continue
            seen.add(origin + path)
            fields = headers if origin == sending.origin else elsewhere
            exchange = Exchange(origin, "GET", path, fields, body, f"{sending.label}, embedded", Kind.EMBEDDED)
            exchange = with_login(exchange, sending)
            hops: list[Answer] = []
            followed = yield from self._followed(exchange, sending, visitor, hops)
            if followed is None:
                continue
            first, ended, last, outcome, why = followed
            yield Verdict(ended.row, outcome, why)
            found = answer_of(last, ended, outcome, why, first.due_ns)
            if hops:
                self._note_part(hops, last, ended, sending)
            if sending.with_parts:
                parts += [found, *hops]
            if outcome is not Outcome.ANSWERED:
                failed = failed or f"{origin}{path}, which it embeds, was not answered"
            elif depth < DEEPEST:
                waiting += [(each, depth + 1) for each in self._wanted(last, found, sending.resources)]
        return failed

    def _wanted(self, page: Exchange, answer: Answer, resources: Resources) -> Iterator[tuple[str, str]]:
        """Where the resources of a page are: origin and path."""
        matching, not_matching = ("".join(map(str, each)) for each in (resources.matching, resources.not_matching))
        for reference in self._references(answer):
            try:
                origin, path = resolved(page.origin, page.path, reference)
            except ValueError:
                continue  # as a browser does with what is not a URL
            url = origin + path
            if matching and not self._matches(matching, url):
                continue
            if not_matching and self._matches(not_matching, url):
                continue
            if self._may(origin):
                yield origin, path
            else:
                self.left_out[origin] = self.left_out.get(origin, 0) + 1

    def _references(self, answer: Answer) -> list[str]:
        from holdfast.engine.embedded import references_in  # noqa: PLC0415 - few loads fetch what pages embed

        key = (_content_type(answer.head), answer.body)
        found = self._pages.get(key)
        if found is None:
            try:
                found = self._within(lambda: references_in(answer.head, answer.body))
            except TimeoutError:
                self._note_slow(f"looking for what {answer.url} embeds")
                found = []
            assert found is not None
            if len(self._pages) >= MOST_PAGES:
                self._pages.pop(next(iter(self._pages)))
            self._pages[key] = found
        return found

    def _matches(self, pattern: str, url: str) -> bool:
        try:
            return bool(self._within(lambda: re.fullmatch(pattern, url)))
        except TimeoutError:
            self._note_slow(f"comparing a URL with {pattern}")
        except re.error as error:
            self._note_slow(f"{pattern} is not a pattern ({error})")
        return False

    def _note_slow(self, words: str) -> None:
        if words in self.too_slow or len(self.too_slow) < MOST_PAGES:
            self.too_slow[words] = self.too_slow.get(words, 0) + 1

    def _with_cookies(self, exchange: Exchange, visitor: Visitor) -> Exchange:
        field = "" if visitor.cookies is None else visitor.cookies.field(_url(exchange))
        if not field:
            return exchange
        known = visitor.with_cookies.get(id(exchange.made))
        if known is not None and known[0] == field:
            return known[1]
        own = [value for name, value in exchange.headers if name.lower() == "cookie"]
        if visitor.crew.jar_replaces_field:
            own = []
        others = tuple(each for each in exchange.headers if each[0].lower() != "cookie")
        # A request has one such field (RFC 6265, 5.4).
        headers = (*others, ("Cookie", "; ".join([*own, field])))
        if exchange.made is None or (known is None and self._with_cookies_kept >= MOST_WITH_COOKIES):
            return exchange._replace(headers=headers, made=None)
        self._with_cookies_kept += known is None
        sent = exchange._replace(headers=headers, made={})
        visitor.with_cookies[id(exchange.made)] = field, sent, exchange.made
        return sent

    def _take_cookies(self, exchange: Exchange, ended: Ended, visitor: Visitor) -> None:
        if ended.read is None or not visitor.crew.keeps_cookies or not ended.read.sets_cookies:
            return
        if visitor.cookies is None:
            visitor.cookies = new_cookies(visitor)
        before = visitor.cookies.dropped
        visitor.cookies.take(_url(exchange), ended.read.head)
        self.dropped += visitor.cookies.dropped - before

    def note_idle(self, visitor: Visitor) -> None:
        """Notes of a client that leaves whether its journey had nothing to do for long."""
        idle_ns = time.monotonic_ns() - visitor.idle_since_ns if visitor.idle_since_ns else 0
        self.idle += idle_ns >= _LONG_IDLE_NS
        self.longest_idle_ns = max(self.longest_idle_ns, idle_ns)

    def notes(self) -> Iterator[str]:
        """Doubts about the load, in words."""
        if self.idle:
            clients = "client" if self.idle == 1 else "clients"
            yield (
                f"{self.idle:,} {clients} went round in a loop that has nothing to do at the end of their time, for "
                f"{self.longest_idle_ns / NS_PER_S:.1f} s at most, and sent nothing meanwhile."
            )
        if self.left_out:
            hosts = ", ".join(sorted(self.left_out)[:5])
            yield (
                f"{sum(self.left_out.values()):,} resources that pages embed were not fetched, since their servers may "
                f"not be loaded: {hosts}. To fetch them too, allow each host with --allow-remote."
            )
        if self.lost:
            one = self.lost == 1
            yield (
                f"{'1 redirect' if one else f'{self.lost:,} redirects'} named no Location, so "
                f"{'it was not followed. It counts' if one else 'they were not followed. They count'} as answered, as "
                "in a browser."
            )
        for words, many in self.too_slow.items():
            yield f"Given up {many} times, since it took too long or cannot be done: {words}."
        if self.dropped:
            yield (
                f"{self.dropped:,} cookies were not kept: a client keeps 180 of a host, each of at most 4,096 bytes, "
                "as browsers do."
            )


def is_alone(sending: Sending) -> bool:
    """Whether the first exchange of a request is what its journey says, and mostly the only one."""
    asked = sending.credentials and any(each.told == "asked" for each in sending.credentials)
    return sending.resources is None and sending.cache is None and not asked


def new_cache(cache: Cache) -> AnswerCache:
    """A client's cache, empty."""
    from holdfast.engine.answer_cache import AnswerCache  # noqa: PLC0415 - few loads have one

    return AnswerCache(cache)


def new_cookies(visitor: Visitor) -> Cookies:
    """The cookies that a client of its crew begins with."""
    from holdfast.engine.cookies import Cookies  # noqa: PLC0415 - its jar takes tens of ms to import, and few loads need one

    return Cookies(visitor.crew.cookies, visitor.crew.cookie_form)


def _url(exchange: Exchange) -> str:
    return (exchange.origin if exchange.origin.startswith("http") else "http://localhost") + exchange.path


def _is_lost(sending: Sending, ended: Ended) -> bool:
    """Whether it would have been followed, had it said where it leads."""
    return bool(sending.follow) and ended.status in REDIRECTS and ended.read is not None and not ended.read.location


def _content_type(head: str) -> str:
    at = head.lower().find("content-type:")
    return head[at : head.find("\r\n", at)] if at >= 0 else ""
