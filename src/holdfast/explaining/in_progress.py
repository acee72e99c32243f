"""What is told of an explanation while it runs: views, or a line as each trial begins."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from holdfast.infer.evidence import basis_of, suspects
from holdfast.model.live import LiveProbe, Watch
from holdfast.model.live_study import LiveExplanation
from holdfast.model.places import Place
from holdfast.model.trial import Change, Rival, Trial


class InProgress:
    """How far an explanation is.

    Args:
        tell: is given a line as each trial begins, where there are no views.
        watch: is offered views; None is offered none.
    """

    def __init__(self, tell: Callable[[str], None], watch: Watch[LiveExplanation] | None) -> None:
        self._tell = tell
        self._watch = watch
        self._began_s = time.monotonic()
        self._until_s: float | None = None
        self._number = 0
        self._most: int | None = None
        self._purpose = ""
        self._changes: tuple[Change, ...] = ()
        self._trials: tuple[Trial, ...] = ()
        self._left: tuple[str, ...] | None = None
        self._decides: tuple[str, ...] = ()

    @property
    def watch(self) -> Watch[LiveProbe] | None:
        """What a trial's probe is watched by; None where no view is shown."""
        return None if self._watch is None else self._offered

    def begin(self, number: int, purpose: str = "", changes: tuple[Change, ...] = ()) -> None:
        """This trial is run now."""
        self._number, self._purpose, self._changes = number, purpose, changes
        if self._watch is None:
            said = ", ".join(f"{each.name}={each.value}" for each in changes)
            self._tell(f"{number}: {purpose or 'as asked'}{f' ({said})' if said else ''}")

    def end(self, trial: Trial) -> None:
        """The trial that was begun last has come to this."""
        self._trials += (trial,)

    def narrowed(self, rivals: Sequence[Rival], trials: Sequence[Trial]) -> None:
        """The trials so far show which of these may decide."""
        if self._watch is None:
            return
        found = suspects(rivals, trials)
        self._decides = tuple(each.name for each in found if each.certain)
        self._left = tuple(each.name for each in found)
        if basis_of(trials) is None:
            self._left = tuple(each.name for each in rivals if each.place is Place.IN_SERVICE and not each.fixed)

    def bounded(self, until_s: float | None, most: int | None) -> None:
        """No trial begins after this instant of `time.monotonic`, and there are no more than so many; None: any."""
        self._until_s, self._most = until_s, most

    def _offered(self, look: Callable[[], LiveProbe], /, *, at_once: bool = False) -> None:
        assert self._watch is not None
        self._watch(lambda: self._seen(look()), at_once=at_once)

    def _seen(self, probe: LiveProbe) -> LiveExplanation:
        now_s = time.monotonic()
        return LiveExplanation(
            elapsed_s=now_s - self._began_s,
            probe=probe,
            number=self._number,
            most=self._most,
            purpose=self._purpose,
            changes=self._changes,
            trials=self._trials,
            left=self._left,
            decides=self._decides,
            within_s=None if self._until_s is None else max(0.0, self._until_s - now_s),
        )
