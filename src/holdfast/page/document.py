"""What a page says, in words and figures, before it is laid out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from holdfast.model.frozen import frozen


@frozen
class Fact:
    """A name and its value, both as shown."""

    name: str
    value: str


@frozen
class PlaceBar:
    """One place in the table of places.

    Attributes:
        place: its name as in `model.places`; "" for the number offered.
        shown: its number, or ? where it is not known.
        percent: length of its bar.
    """

    place: str
    label: str
    shown: str
    percent: float
    note: str


@frozen
class Sheet:
    """A table as shown.

    Attributes:
        right: columns of figures, by their number.
        sentences: what it shows, above it.
        notes: what its columns mean, and doubts about it, below it.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()
    sentences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@frozen
class Multiple:
    """One of several small pictures that are compared: where the requests of one run were.

    Attributes:
        headline: the answer, or why there is none.
        bars: () where nothing was counted.
        notes: what it is of.
        remarks: what else is to be known of it, such as what was expected and is not so.
        answered: whether the headline is an answer.
    """

    title: str
    headline: str
    bars: Sequence[PlaceBar]
    notes: Sequence[str] = ()
    remarks: Sequence[str] = ()
    answered: bool = True


@frozen
class Document:
    """One page.

    Attributes:
        kind: of the run: probe, attach, load, explain, study, diff.
        title: what was measured.
        headline: the answer in a few words, or why there is none.
        answered: whether the headline is an answer.
        sentences: each further finding.
        places: () where nothing was counted.
        multiples: small pictures, one for each of several runs.
        sheets: further tables.
        forms: what people know from their own tools, line by line, under what says which.
        command: what makes the run again, as a shell reads it; "" where that is not known.
        facts: versions, settings, limits.
        unknown: what was not measured, with the reason.
        log: the end of what the server wrote; "" where there is nothing.
        data: what the charts are made of, as JSON can hold it.
    """

    kind: str
    title: str
    headline: str
    sentences: Sequence[str]
    warnings: Sequence[str]
    places: Sequence[PlaceBar] = ()
    multiples: Sequence[Multiple] = ()
    sheets: Sequence[Sheet] = ()
    forms: Sequence[Fact] = ()
    command: str = ""
    facts: Sequence[Fact] = ()
    unknown: Sequence[Fact] = ()
    log: str = ""
    data: Mapping[str, object] = field(default_factory=dict)
    answered: bool = True
