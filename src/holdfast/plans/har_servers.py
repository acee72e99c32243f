"""Which of the servers in a recording are loaded: the page's, or those that the command line names; pure."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from holdfast.model.frozen import frozen
from holdfast.plans.har_bodies import mapping
from holdfast.plans.origins import Origins, check_matches
from holdfast.plans.samplers import PORTS, server_name

_MOST_NAMED = 8


@frozen
class Choice:
    """The servers that are loaded, and those that are not.

    Attributes:
        targets: where requests go, by their recorded origin.
        sent, left_out: how many requests of the recording go to each origin.
        why: that one server was chosen, as a clause; "" where the command line names the servers.
        page: the origin of the recorded page; None where the recording does not say.
    """

    targets: Mapping[str, str]
    sent: Mapping[str, int]
    left_out: Mapping[str, int]
    why: str
    page: str | None

    def in_words(self, file: str) -> str:
        """The choice in one line; "" where there was none to make."""
        if not self.left_out and all(origin == target for origin, target in self.targets.items()):
            return ""
        words = f"{file}: {self._sent_in_words()}"
        if self.left_out:
            where = f", to {next(iter(self.left_out))}" if len(self.left_out) == 1 else f": {_counted(self.left_out)}"
            words += f"; {_are(sum(self.left_out.values()))} left out{where}"
        if self.page in self.left_out:
            words += f". The page itself, on {self.page}, is not sent"
        return f"{words}."

    def _sent_in_words(self) -> str:
        many = sum(self.sent.values())
        if len(self.targets) == 1:
            ((origin, target),) = self.targets.items()
            why = f", {self.why}," if self.why else ""
            verb = "is" if many == 1 else "are"
            where = "" if target == origin else f" to {target}"
            return f"{many:,} request{'' if many == 1 else 's'} to {origin}{why} {verb} sent{where}"
        targets = set(self.targets.values())
        if len(targets) == 1 and targets.isdisjoint(self.targets):
            origins = ", ".join(f"{origin} ({self.sent[origin]:,})" for origin in list(self.targets)[:_MOST_NAMED])
            more = f" and {len(self.targets) - _MOST_NAMED} others" if len(self.targets) > _MOST_NAMED else ""
            return f"{many:,} requests are sent to {targets.pop()} instead of {origins}{more}"
        replaced = {
            f"{origin}{'' if target == origin else f' ({target} instead)'}": self.sent[origin]
            for origin, target in self.targets.items()
        }
        return f"{many:,} requests are sent: {_counted(replaced)}"


def chosen(
    log: Mapping[str, object], servers: Sequence[str], documents: Sequence[str], asked: Origins, file: str
) -> Choice:
    """Which servers are loaded.

    Args:
        log: of the recording.
        servers: of each request, in order; at least one.
        documents: the servers of those that are a page's document.
        asked: what the command line says.

    Raises:
        UsageError: it names a server that the recording does not have.
    """
    page = _page(log, servers, documents)
    check_matches(asked, servers, file)
    many = Tally(servers)
    targets = {origin: target for origin in many if (target := asked.target(origin)) is not None}
    why = ""
    if asked.base is not None or not asked.mapped:
        one = page
        why = "the page's server"
        if one is None:
            one, why = many.most_common(1)[0][0], "the server with most of them"
        if len(many) == 1:
            why = ""
        targets = {one: asked.base or one} | targets
    left_out = {origin: number for origin, number in many.items() if origin not in targets}
    return Choice(targets, {origin: many[origin] for origin in targets}, left_out, why, page)


def _page(log: Mapping[str, object], servers: Sequence[str], documents: Sequence[str]) -> str | None:
    """The origin of the recorded page, as far as the recording says."""
    pages = log.get("pages")
    for page in pages if isinstance(pages, list) else ():
        url = urlsplit(str(mapping(page).get("title"))) if isinstance(page, dict) else urlsplit("")
        if url.scheme in PORTS and url.hostname:
            named = server_name(url.scheme, url.hostname, url.port or 0)
            if named in servers:
                return named
    return documents[0] if documents else None


def _counted(origins: Mapping[str, int]) -> str:
    most = sorted(origins.items(), key=lambda each: -each[1])
    words = [f"{number:,} to {origin}" for origin, number in most[:_MOST_NAMED]]
    if rest := most[_MOST_NAMED:]:
        words.append(f"{sum(number for _, number in rest):,} to {len(rest)} others")
    return ", ".join(words)


def _are(number: int) -> str:
    return f"{number:,} {'is' if number == 1 else 'are'}"
