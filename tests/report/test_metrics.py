"""The page for Prometheus."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from holdfast.model.load import LatencyMs
from holdfast.model.progress import LabelProgress, Progress, Times
from holdfast.report.metrics import metrics_text

NO_TIMES = Times(((0.1, 0),), 0.0, 0)
NOTHING = LatencyMs(None, None, None, None, None, None)


def test_labels_show_no_values_of_a_query_and_stay_different():
    labels = ["GET /a?key=hunter2&page=1", "GET /a?key=hunter3&page=2", "GET /b", "log in"]
    ended = tuple(LabelProgress(label, {"answered": at}, NOTHING, NO_TIMES) for at, label in enumerate(labels, 1))
    progress = Progress(
        1.0, None, 4, None, 4, {"answered": 10}, 1.0, None, None, None, NOTHING, NOTHING, None, NO_TIMES, ended
    )

    families = {each.name: each for each in text_string_to_metric_families(metrics_text(progress))}

    counts = {each.labels["label"]: each.value for each in families["holdfast_requests_ended"].samples}
    assert counts == {"GET /a?key=*&page=*": 1, "GET /a?key=*&page=* (2)": 2, "GET /b": 3, "log in": 4}
