"""A table of a scenario file, whose values are asked for by name and type; its errors tell line and column."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from holdfast.api import toml_places
from holdfast.engine import quantities
from holdfast.errors import HoldfastError, UsageError
from holdfast.model.frozen import frozen
from holdfast.model.suggestions import did_you_mean

_Read = TypeVar("_Read")
_TEXT = "a text in quotes"


@frozen
class Table:
    """One table of the file.

    Attributes:
        values: as `tomllib` reads them.
        path: where it is in the file.
        what: it is, for messages: "a step".
        places: line and column of each key of the file.
    """

    file: Path
    values: Mapping[str, Any]
    path: toml_places.Path
    what: str
    places: Mapping[toml_places.Path, tuple[int, int]]

    def at(self, *keys: str | int) -> str:
        """The file, and line and column of a key in this table; of the table itself without one."""
        for end in range(len(keys), -1, -1):
            found = self.places.get((*self.path, *keys[:end]))
            if found is not None:
                return f"{self.file.name}, line {found[0]}, column {found[1]}"
        return self.file.name

    def wrong(self, key: str | tuple[str | int, ...], why: str, remedy: str = "") -> UsageError:
        """The error for a value that cannot be used; a key of () is the table itself."""
        keys = (key,) if isinstance(key, str) else key
        named = f"{keys[0]} in " if keys else ""
        return UsageError(f"{self.at(*keys)}: {named}{self.what} cannot be used.", why, remedy or "Correct it there.")

    def only(self, known: Iterable[str]) -> None:
        """Makes sure that the table has no other keys.

        Raises:
            UsageError: it has.
        """
        names = sorted({*known})
        for key in self.values:
            if key not in names:
                raise UsageError(
                    f"{self.at(key)}: there is no {key!r} in {self.what}.",
                    f"Known are: {', '.join(names)}.",
                    did_you_mean(key, names, "Remove it."),
                )

    def text(self, key: str, otherwise: str = "") -> str:
        """A text."""
        return str(self._of_type(key, str, _TEXT, otherwise))

    def flag(self, key: str, *, otherwise: bool = False) -> bool:
        """True or false."""
        return bool(self._of_type(key, bool, "true or false", otherwise))

    def whole(self, key: str, least: int, most: int) -> int | None:
        """A whole number; None where there is none."""
        found: int | None = self._of_type(key, int, "a whole number", None)
        if isinstance(found, bool) or (found is not None and not least <= found <= most):
            raise self.wrong(key, f"It must be a whole number from {least:,} to {most:,}.")
        return found

    def texts(self, key: str) -> tuple[str, ...]:
        """One text, or a list of them."""
        found = self.values.get(key, ())
        several = (found,) if isinstance(found, str) else found
        if not isinstance(several, list | tuple) or not all(isinstance(each, str) for each in several):
            raise self.wrong(key, f"It must be {_TEXT}, or a list of these.")
        return tuple(several)

    def read(self, key: str, reader: Callable[[str], _Read]) -> _Read | None:
        """What a reader of `engine.quantities` makes of a text or a number; None where there is none."""
        found = self.values.get(key)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, str | int | float):
            raise self.wrong(key, f"It must be {_TEXT}, or a number.")
        return self.made(key, lambda: reader(found if isinstance(found, str) else f"{found:f}".rstrip("0").rstrip(".")))

    def each(self, key: str, reader: Callable[[str], _Read]) -> tuple[_Read, ...]:
        """The same of one text, or of each in a list."""
        return tuple(self.made(key, partial(reader, text)) for text in self.texts(key))

    def duration(self, key: str) -> float | None:
        """A time in seconds, more than 0; None where there is none."""
        return self.read(key, quantities.some_time_s)

    def made(self, key: str | tuple[str | int, ...], make: Callable[[], _Read]) -> _Read:
        """What is made of a value; an error in making it is one in this value.

        Raises:
            UsageError: it cannot be made.
        """
        try:
            return make()
        except ValueError as error:
            raise self.wrong(key, str(error)) from error
        except HoldfastError as error:
            raise self.wrong(key, f"{error.what} {error.why}".rstrip(), error.remedy) from error

    def tables(self, key: str, what: str) -> tuple[Table, ...]:
        """The tables of an array; or one alone."""
        found = self.values.get(key, [])
        if isinstance(found, dict):
            return (Table(self.file, found, (*self.path, key), what, self.places),)
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise self.wrong(key, "It must be a table.", f"Write [[{key}]] on a line of its own.")
        return tuple(
            Table(self.file, each, (*self.path, key, number), what, self.places) for number, each in enumerate(found)
        )

    def table(self, key: str, what: str) -> Table:
        """The table of that name; an empty one where there is none."""
        found = self.values.get(key, {})
        if not isinstance(found, dict):
            raise self.wrong(key, f"It must be a table, as in {key} = {{ name = ... }}.")
        return Table(self.file, found, (*self.path, key), what, self.places)

    def _of_type(self, key: str, kind: type, words: str, otherwise: Any) -> Any:  # noqa: ANN401 - a value of that type
        found = self.values.get(key, otherwise)
        if found is not otherwise and not isinstance(found, kind):
            raise self.wrong(key, f"It must be {words}.")
        return found


def table_of(content: bytes, file: Path) -> Table:
    """The whole file.

    Raises:
        UsageError: it is not TOML.
    """
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
        values = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not TOML.", toml_places.not_utf_8(error), "Save it as UTF-8.") from error
    except RecursionError as error:
        raise UsageError(f"{file} cannot be read.", "It is nested too deeply.", "Use fewer brackets.") from error
    except tomllib.TOMLDecodeError as error:
        # A text that does not end is found out at the end of the file.
        unclosed = toml_places.unclosed_at(text) if "end of document" in str(error) else None
        where = f" The text that begins at line {unclosed[0]}, column {unclosed[1]} does not end." if unclosed else ""
        raise UsageError(f"{file} is not TOML.", f"{error}.{where}", "Correct it there.") from error
    return Table(file, values, (), "a scenario", toml_places.places(text))
