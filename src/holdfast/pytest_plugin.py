"""The fixture `holdfast` of pytest: the calls of `import holdfast`, in a test.

```python
def test_ceiling(holdfast):
    verdict = holdfast.probe("app:app", server="gunicorn", args=["--threads", "8"])
    assert verdict.ceiling.in_service == 8
```

pytest imports this in every session of an environment that has holdfast, so it imports nothing of holdfast's own until
the fixture is used.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import pytest

if TYPE_CHECKING:
    from holdfast.api.options import AttachOptions, ExplainOptions, LoadOptions, StartOptions
    from holdfast.api.tested import Kept
    from holdfast.model.explanation import Explanation
    from holdfast.model.load import LoadResult
    from holdfast.model.verdict import Verdict

MARK = "holdfast"
_REPORT = "--holdfast-report"
_KEPT = pytest.StashKey["Kept"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--holdfast-report`."""
    parser.getgroup("holdfast").addoption(
        _REPORT,
        metavar="DIR",
        help="Keep the run, the JSON and the text of every result in DIR; otherwise those of failed tests only.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Says what the mark is, for --strict-markers and --markers."""
    config.addinivalue_line(
        "markers",
        "holdfast(**arguments): what the calls of the fixture `holdfast` in this test are given besides their own, "
        'such as server="gunicorn" or time_limit=60.',
    )


class Measuring:
    """What the fixture gives: the calls of `import holdfast`, with what the marks of the test say.

    A server that is not installed skips the test; everything else that goes wrong is an error of holdfast's.
    """

    def __init__(self, kept: Kept) -> None:
        """Calls whose results are noted there."""
        self._kept = kept

    def probe(
        self, app: str | None = None, *, time_limit: float | None = None, **options: Unpack[StartOptions]
    ) -> Verdict:
        """As `holdfast.probe`."""
        __tracebackhide__ = True
        found: Verdict = self._asked("probe", app, {**options, "time_limit": time_limit})
        return found

    def attach(self, url: str, *, time_limit: float | None = None, **options: Unpack[AttachOptions]) -> Verdict:
        """As `holdfast.attach`."""
        __tracebackhide__ = True
        found: Verdict = self._asked("attach", url, {**options, "time_limit": time_limit})
        return found

    def explain(
        self, app: str | None = None, *, time_limit: float | None = None, **options: Unpack[ExplainOptions]
    ) -> Explanation:
        """As `holdfast.explain`."""
        __tracebackhide__ = True
        found: Explanation = self._asked("explain", app, {**options, "time_limit": time_limit})
        return found

    def load(self, url: str, *, time_limit: float | None = None, **options: Unpack[LoadOptions]) -> LoadResult:
        """As `holdfast.load`."""
        __tracebackhide__ = True
        found: LoadResult = self._asked("load", url, {**options, "time_limit": time_limit})
        return found

    def _asked(self, call: str, first: str | None, given: dict[str, Any]) -> Any:  # noqa: ANN401 - what the call gives
        __tracebackhide__ = True
        from holdfast.errors import HoldfastError, NotInstalledError  # noqa: PLC0415 - see above

        try:
            return self._kept.asked(call, first, given)
        except NotInstalledError as error:
            pytest.skip(f"{error.what} {error.why}")
        except HoldfastError as error:
            # The way to it is holdfast's own matter; a fault of holdfast's has its traceback in its words.
            raise error.with_traceback(None) from None


@pytest.fixture
def holdfast(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measuring]:
    """Measures servers in a test: `probe`, `attach`, `explain` and `load`, as `import holdfast` has them."""
    from holdfast.api.tested import Kept  # noqa: PLC0415 - see above
    from holdfast.errors import UsageError  # noqa: PLC0415

    marks = [*request.node.iter_markers(MARK)]
    if any(each.args for each in marks):
        raise pytest.UsageError("@pytest.mark.holdfast takes arguments by name only, such as server='gunicorn'.")
    asked: str | None = request.config.getoption(_REPORT)
    directory = None if asked is None else Path(request.config.invocation_params.dir, asked).absolute()
    try:
        # The nearest one wins: that of the test over that of its class, and that over the module's.
        defaults = {name: value for each in reversed(marks) for name, value in each.kwargs.items()}
        kept = Kept(request.node.nodeid, request.config.rootpath, defaults, directory)
    except UsageError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    with kept.until_passed(lambda: tmp_path_factory.mktemp("holdfast")):
        request.node.stash[_KEPT] = kept
        yield Measuring(kept)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the results of a failed test to its report, and where they are kept."""
    report = yield
    kept = item.stash.get(_KEPT, None)
    if kept is not None and report.failed and (words := kept.words()):
        report.sections.append(("holdfast", words))
    return report
