"""Functions on dates and times; pure: the time is the context's.

Source: apache/jmeter 5.5, org.apache.jmeter.functions: TimeFunction, TimeShift, DateTimeConvertFunction, RandomDate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from holdfast.journeys.context import Context, FunctionError
from holdfast.journeys.java_date_parsing import parsed
from holdfast.journeys.java_dates import formatted, pattern_of
from holdfast.journeys.known import Known, given, kept

_ALIASES = {"YMD": "yyyyMMdd", "HMS": "HHmmss", "YMDHMS": "yyyyMMdd-HHmmss", "USER1": "", "USER2": ""}
_DURATION = re.compile(
    r"([-+]?)P(?:([-+]?\d+)D)?(?:T(?=[-+\d])(?:([-+]?\d+)H)?(?:([-+]?\d+)M)?(?:([-+]?\d+)(?:[.,](\d{0,9}))?S)?)?",
    re.IGNORECASE,
)


def local(epoch_ms: int) -> datetime:
    """An instant in this machine's time zone."""
    moment = datetime.fromtimestamp(epoch_ms // 1000).astimezone()
    return moment.replace(microsecond=epoch_ms % 1000 * 1000)


def _time(arguments: list[str], context: Context) -> str:
    """__time(pattern, variable): without a pattern milliseconds, with `/1000` seconds."""
    pattern = given(arguments, 0)
    if pattern in _ALIASES:
        pattern = context.properties.get(f"time.{pattern}", _ALIASES[pattern])
    if not pattern:
        value = str(context.now_ms)
    elif re.fullmatch(r"/\d+", pattern):
        divisor = int(pattern[1:])
        if not divisor:
            raise FunctionError("__time cannot divide by 0.")
        value = str(context.now_ms // divisor)
    else:
        value = _formatted("__time", pattern, local(context.now_ms))
    return kept(value, arguments, 1, context)


def _formatted(function: str, pattern: str, moment: datetime) -> str:
    try:
        return formatted(pattern, moment)
    except ValueError as error:
        raise FunctionError(f"{function} cannot be written: {error}.") from error


def _time_shift(arguments: list[str], context: Context) -> str:
    """__timeShift(pattern, date, duration, locale, variable); with four arguments the fourth is the variable.

    A date or duration that cannot be read counts as not given; a pattern that cannot be gives "".
    """
    pattern, text, amount = (each.strip() for each in arguments[:3])
    if len(arguments) > 4:
        _english("__timeShift", arguments[3].strip())
    now = local(context.now_ms)
    moment = now
    try:
        if text:
            moment = _read(pattern, text, now) if pattern else local(int(text))
    except ValueError:
        pass
    shift = duration(amount)
    shifted = moment + shift
    if moment is now or not pattern:
        # An instant, which may be on the other side of a change of the clocks.
        shifted = local((int(moment.timestamp()) * 1000 + moment.microsecond // 1000) + int(shift / _MS))
    if pattern:
        try:
            value = formatted(pattern, shifted)
        except ValueError:
            return ""
    else:
        value = str(int(shifted.timestamp()) * 1000 + shifted.microsecond // 1000)
    return kept(value, arguments, len(arguments) - 1, context)


def _read(pattern: str, text: str, now: datetime) -> datetime:
    """The date to shift.

    JMeter gives each field that is not in the pattern a value, also those that follow from others: the hour of the day
    is 0 beside the hour of a half day, the milliseconds are 0 beside a fraction, the year of the era is this one. Where
    the two contradict each other it cannot read the date.

    Raises:
        ValueError: it cannot be read.
    """
    moment = parsed(pattern, text, now)
    letters = {each.letter for each in pattern_of(pattern) if not isinstance(each, str)}
    contradicted = (
        (moment.microsecond >= 1000)
        or (letters & set("hKk") and moment.hour)
        or ("D" in letters and (moment.month, moment.day) != (1, 1))
        or ("u" in letters and moment.year != now.year)
    )
    if contradicted:
        raise ValueError(f"{text!r} contradicts what JMeter adds to it")
    return moment


_MS = timedelta(milliseconds=1)


def duration(text: str) -> timedelta:
    """A duration as Java's Duration.parse reads it, `P1DT-2H`; none where it cannot."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()[1:]):
        return timedelta()
    sign, days, hours, minutes, seconds, fraction = found.groups()
    part = int((fraction or "").ljust(6, "0")[:6])
    total = timedelta(
        days=int(days or 0),
        hours=int(hours or 0),
        minutes=int(minutes or 0),
        seconds=int(seconds or 0),
        microseconds=-part if (seconds or "").startswith("-") else part,
    )
    return -total if sign == "-" else total


def _english(function: str, locale: str) -> None:
    if locale and not re.match(r"en(?:$|_)", locale):
        raise FunctionError(f"{function} has the locale {locale!r}; holdfast knows English names of months and days.")


def _converted(arguments: list[str], context: Context) -> str:
    """__dateTimeConvert(date, its pattern, the new pattern, variable): "" where one of them cannot be read."""
    text, source, target = arguments[:3]
    now = local(context.now_ms)
    try:
        if source:
            _check_has_all(source, target)
            moment = parsed(source, text, now).astimezone()
        else:
            moment = local(int(text))
        value = formatted(target, moment)
    except ValueError:
        return ""
    return kept(value, arguments, 3, context)


# Fields, and those of which one says them.
_SAYS = (
    ("uy", "uyY"),
    ("MLQqdDEecYwW", "MLD"),
    ("dDEecYwW", "dD"),
    ("ahKkHAN", "hKkHAN"),
    ("mAN", "mAN"),
    ("sAN", "sAN"),
)


def _check_has_all(source: str, target: str) -> None:
    """Raises ValueError where a date in one pattern does not say what the other one shows."""
    has, shows = ({each.letter for each in pattern_of(text) if not isinstance(each, str)} for text in (source, target))
    for shown, said in _SAYS:
        if shows & set(shown) and not has & set(said):
            raise ValueError(f"{source!r} does not say what {target!r} shows")


def _random_date(arguments: list[str], context: Context) -> str:
    """__RandomDate(pattern, first day, day after the last, locale, variable)."""
    pattern = arguments[0].strip() or "yyyy-MM-dd"
    _english("__RandomDate", given(arguments, 3).strip())
    now = local(context.now_ms)
    try:
        first, end = (_day(pattern, each.strip(), now) for each in arguments[1:3])
    except ValueError as error:
        raise FunctionError(f"__RandomDate cannot read its dates: {error}.") from error
    if end < first:
        return ""
    if end == first:
        raise FunctionError(f"__RandomDate has the end {arguments[2].strip()!r}, which is not after its begin.")
    day = datetime.fromordinal(first + context.below(end - first)).replace(tzinfo=now.tzinfo)
    return kept(_formatted("__RandomDate", pattern, day), arguments, 4, context)


def _day(pattern: str, text: str, now: datetime) -> int:
    return (parsed(pattern, text, now) if text else now).toordinal()


OF_TIME: Mapping[str, Known] = {
    "__time": Known(0, 2, _time),
    "__timeShift": Known(4, 5, _time_shift),
    "__dateTimeConvert": Known(3, 4, _converted),
    "__RandomDate": Known(3, 5, _random_date),
}
