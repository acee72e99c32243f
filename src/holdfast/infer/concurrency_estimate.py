r"""How many requests are in service at once, from nothing but the times of their answers; pure.

Two ways to count, from requests that each take the service time S:

    first wave   M requests, all sent within a part of S. Those answered within S of the first answer
                 were all in service when it came: none of them can have begun after it.

                     |____S____|
                     ::::       ....
                 M sent at      wave      S later the next wave: those that waited
                 once           = ceiling

    Little       N = X S: what is in service on average is throughput times service time, over a stretch
                 in which a request always waits.

Both fail where the service time under load is not the one measured alone: a path that computes, a loop that is
blocked and keeps finished answers back, a server that starts requests more slowly than it ends them. They fail
differently, and so they are compared; where they differ there is no number, only bounds.

Source: J. D. C. Little, "A proof for the queuing formula L = lambda W", Operations Research 9 (1961).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from statistics import fmean

from holdfast.infer.flow import FLOW_ERROR, FRACTION, Flow
from holdfast.infer.signals import ANOTHER_SIZE, MARGIN, Service, Wave, close
from holdfast.model.frozen import frozen

_AGREE_LOW, _AGREE_HIGH = 0.85, 1.15
_SURE = 0.05
# How far a count may be wrong that was not the same each time.
_DOUBT = 1.1
_ROUNDING = 0.5


@frozen
class Estimate:
    """The number in service at the ceiling.

    Attributes:
        in_service: None where it is not known.
        bounded: False where no request had to wait; None where it is not known.
        least, most: bounds of the number, as far as they are known; `most` is None without an upper bound.
        why: why the number is not known, or is in doubt.
    """

    in_service: int | None
    bounded: bool | None
    least: int
    most: int | None
    why: str = ""


def estimate(waves: Sequence[Wave], flows: Sequence[Flow], service: Service) -> Estimate:
    """What waves and throughput say together.

    Args:
        waves: of all bursts, in their order.
        flows: of all steady stretches, in their order.
    """
    clear = [wave for wave in waves if wave.clear]
    most = max((wave.together for wave in clear), default=0)
    without_waiting = max((wave.together for wave in clear if not wave.beyond), default=0)
    beyond = [wave for wave in clear if wave.beyond]
    # Where more were in service once and none waited, what others waited for was not a place.
    bounds = [wave for wave in beyond if wave.together >= without_waiting]
    if bounds and not any(wave.queue_full or wave.offered >= MARGIN * most + 1 for wave in bounds):
        why = (
            f"{most} of {max(wave.offered for wave in bounds)} requests were answered at once, and so few others may "
            "only have taken longer: offer more with --max-offered"
        )
        return Estimate(None, None, most, None, why)
    if bounds:
        return _bounded(most, bounds, flows, service)
    if beyond:
        least = max(wave.together for wave in beyond)
        why = (
            f"all {without_waiting} requests of one burst were in service at once, of another one only {least} "
            "although others waited: requests start too slowly, or unevenly, for a bound to be seen"
        )
        return Estimate(None, None, most, None, why)
    if clear and waves[-1].clear:
        return Estimate(clear[-1].together, False, clear[-1].together, None)  # noqa: FBT003 - bounded: one of three
    least = max([1, *(wave.together for wave in clear), *(int(flow.low) for flow in flows)])
    if service.steady or not flows:
        return Estimate(None, None, least, None, waves[-1].why if waves else "no burst was sent")
    return _by_flow(least, waves, flows, service, "the path's time varies, so only throughput shows it")


def _bounded(least: int, bounds: Sequence[Wave], flows: Sequence[Flow], service: Service) -> Estimate:
    """The estimate where bursts met a bound.

    Args:
        least: the most that were seen in service at one instant.
    """
    counts = [wave.together for wave in bounds]
    if not flows:
        why = "too few requests were answered while others waited to compare the first wave with"
        return Estimate(None, None, least, None, why)
    flow = max(flows, key=lambda flow: flow.in_service)
    if flow.low > _AGREE_HIGH * least + _ROUNDING:
        why = (
            f"{least} are answered at once, but the throughput takes {flow.in_service:.1f} at once, as when some "
            "workers get more of a burst than others"
        )
        return _by_flow(max(least, flow.at_least), bounds, flows, service, why)
    same = all(count == least for count in counts)
    if flow.high >= _AGREE_LOW * least - _ROUNDING:
        # The first wave is a count, Little's law a mean, which the pauses between two requests only make smaller.
        number = max(least, flow.at_least)
        sure = same and (1 - _SURE) * number - FRACTION <= flow.in_service <= (1 + FLOW_ERROR) * number
        most = max(number, round(flow.high)) if sure else ceil(_DOUBT * number)
        return Estimate(number, True, min(*counts, number, round(flow.high)), most)  # noqa: FBT003
    why = (
        f"{least} are answered at once, but {flow.in_service:.1f} at once would explain the throughput: requests take "
        "longer when there are many (they compute, or wait for each other), or answers are kept back"
    )
    sizes = [wave.offered for wave in bounds if close(wave.together, least)]
    if sizes and max(sizes) >= ANOTHER_SIZE * min(sizes) and max(wave.offered for wave in bounds) == max(sizes):
        # However many more are sent, no more are in the first wave: a bound, whatever holds them up afterwards.
        return Estimate(least, True, min(least, *counts), ceil(_DOUBT * least), why)  # noqa: FBT003
    return Estimate(None, None, least, None, why)


def _start_at_once(waves: Sequence[Wave], number: int, service: Service) -> bool:
    """Whether the first requests of a burst, as many as there would be places, take no longer than one alone.

    Where starting is the limit, and so many start within the time that one takes, each begins a `number`th of that
    time after the one before: on average they take (number - 1) / (2 number) of it longer. False also where
    service times differ too much for so few requests to tell such a difference from none.
    """
    responses = [each for wave in waves if wave.offered > number for each in wave.responses_ns[:number]]
    longer = (number - 1) / (2 * number)
    if not responses or service.spread * (1 / len(responses) + 1 / service.count) ** 0.5 > longer / 6:
        return False
    return fmean(responses) <= (1 + longer / 3) * service.mean_ns


def _by_flow(least: int, waves: Sequence[Wave], flows: Sequence[Flow], service: Service, why: str) -> Estimate:
    """The estimate from throughput alone, where more clients brought no more of it."""
    flow = flows[-1]
    number = max(1, round(flow.in_service))
    if any(each.computes is None for each in flows):
        why += "; whether requests wait for a place or for a processor cannot be seen from here"
    elif any(each.computes for each in flows):
        why += f"; and the path computes ({flow.cores:.1f} cores are busy), so places and processors look alike"
    elif flow.all_in_service:
        why += f"; and hardly one of {flow.clients} clients had to wait: offer more with --max-offered"
    elif number == 1:
        why += "; and one request at a time looks like starts that take as long as a request"
    elif not _start_at_once(waves, number, service):
        why += f"; and whether the first {number} of a burst start at once, or one after another, does not show"
    elif len(flows) > 1 and close(flows[-2].in_service, flow.in_service):
        return Estimate(number, True, min(least, number), max(number, ceil(flow.high)), why)  # noqa: FBT003
    else:
        why += ", and more clients still increased it"
    return Estimate(None, None, least, None, why)
