"""The SQL of the tables and views of schema 1: what docs/saved-runs.md describes.

The views take apart the JSON in `result.json`. SQLite has had the functions for that built in since 3.38, and most
builds had them before; without them the views cannot be read, and everything else can.
"""

from __future__ import annotations

TABLES = """
CREATE TABLE result (
    run INTEGER PRIMARY KEY,
    kind TEXT,          -- verdict, load, explanation, study, capacity, inconclusive
    holdfast TEXT,      -- the version that inferred it
    made_at REAL,       -- seconds since the epoch
    server TEXT,        -- as the verdict names it
    ceiling INTEGER,    -- requests in service at once
    bounded INTEGER,    -- 0: at least so many
    json TEXT,          -- as --json writes it
    inconclusive TEXT   -- why there is no verdict
);
CREATE TABLE part (     -- runs without which a whole, an explanation or a study, cannot be shown
    whole INTEGER,
    run INTEGER,
    PRIMARY KEY (whole, run)
);
CREATE TABLE schema_change (
    schema INTEGER PRIMARY KEY,
    holdfast TEXT,      -- the version that made this schema
    made_at REAL
);
"""

VIEWS = """
CREATE VIEW saved_run AS
SELECT run.id AS run,
    datetime(run.saved_at, 'unixepoch') AS saved_at,
    coalesce(run.kind, CASE run.format WHEN 2 THEN 'load' WHEN 4 THEN 'attach' WHEN 5 THEN 'explain'
        ELSE CASE WHEN run.server IN ('exec', 'attach') THEN run.server ELSE 'probe' END END) AS kind,
    run.server,
    run.arguments,
    run.app,
    run.offered,
    run.version AS holdfast,
    run.revision,
    run.changed,
    result.ceiling,
    result.bounded,
    result.inconclusive,
    length(run.timeline)
        + coalesce((SELECT sum(length(rows)) FROM load_rows WHERE load_rows.run = run.id), 0)
        + coalesce((SELECT sum(length(rows)) FROM event_rows WHERE event_rows.run = run.id), 0) AS record_bytes
FROM run LEFT JOIN result ON result.run = run.id;

-- An explanation has the verdict of its first probe within it.
CREATE VIEW verdict_json AS
SELECT result.run,
    result.holdfast,
    CASE result.kind WHEN 'explanation' THEN json_extract(result.json, '$.verdict') ELSE result.json END AS json
FROM result JOIN run ON run.id = result.run
WHERE result.kind IN ('verdict', 'explanation');

CREATE VIEW verdict AS
SELECT saved_run.run,
    saved_run.saved_at,
    saved_run.kind,
    saved_run.arguments,
    saved_run.revision,
    json_extract(result.json, '$.target.server') AS server,
    json_extract(result.json, '$.target.version') AS version,
    json_extract(result.json, '$.target.app') AS app,
    json_extract(result.json, '$.target.view') AS view,
    json_extract(result.json, '$.target.path') AS path,
    json_extract(result.json, '$.target.held_in') AS held_in,
    json_extract(result.json, '$.target.python') AS python,
    json_extract(result.json, '$.offered') AS offered,
    json_extract(result.json, '$.ceiling.in_service') AS in_service,
    json_extract(result.json, '$.ceiling.bounded') AS bounded,
    json_extract(result.json, '$.ceiling.userspace_queue') AS userspace_queue,
    json_extract(result.json, '$.ceiling.accept_queue') AS accept_queue,
    json_extract(result.json, '$.ceiling.accept_queue_limit') AS accept_queue_limit,
    json_extract(result.json, '$.model.kind') AS model,
    json_extract(result.json, '$.model.processes') AS processes,
    json_extract(result.json, '$.model.threads_per_process') AS threads_per_process,
    json_extract(result.json, '$.overflow.first') AS overflow_first,
    json_extract(result.json, '$.overflow.client_sees') AS client_sees,
    json_extract(result.json, '$.cost.descriptors') AS descriptors,
    json_extract(result.json, '$.cost.threads') AS threads,
    json_extract(result.json, '$.cost.memory_bytes') AS memory_bytes,
    json_extract(result.json, '$.timing.total_s') AS total_s,
    json_extract(result.json, '$.confidence') AS confidence,
    result.holdfast AS inferred_by,
    result.json
FROM saved_run JOIN verdict_json AS result ON result.run = saved_run.run;

CREATE VIEW place AS
SELECT run, each.key AS place, each.value AS requests
FROM verdict_json, json_each(verdict_json.json, '$.places') AS each;

CREATE VIEW limit_in_force AS
SELECT run, each.key AS name, each.value AS value
FROM verdict_json, json_each(verdict_json.json, '$.limits') AS each;

CREATE VIEW not_known AS
SELECT run, each.key AS field, each.value AS reason
FROM verdict_json, json_each(verdict_json.json, '$.unknown') AS each;

CREATE VIEW binding AS
SELECT result.run,
    json_extract(each.value, '$.place') AS place,
    json_extract(each.value, '$.setting') AS setting,
    json_extract(each.value, '$.formula') AS formula,
    json_extract(each.value, '$.effective') AS value
FROM result JOIN run ON run.id = result.run, json_each(result.json, '$.bindings') AS each
WHERE result.kind = 'explanation';

CREATE VIEW load_result AS
SELECT saved_run.run,
    saved_run.saved_at,
    saved_run.arguments,
    saved_run.revision,
    json_extract(result.json, '$.target.url') AS url,
    json_extract(result.json, '$.offered') AS offered,
    json_extract(result.json, '$.outcomes.answered') AS answered,
    json_extract(result.json, '$.rate_asked_per_s') AS rate_asked_per_s,
    json_extract(result.json, '$.throughput_per_s') AS throughput_per_s,
    json_extract(result.json, '$.peak_in_flight') AS peak_in_flight,
    json_extract(result.json, '$.latency_from_due_ms.p50') AS p50_ms,
    json_extract(result.json, '$.latency_from_due_ms.p90') AS p90_ms,
    json_extract(result.json, '$.latency_from_due_ms.p99') AS p99_ms,
    json_extract(result.json, '$.latency_from_due_ms.max') AS max_ms,
    json_extract(result.json, '$.duration_s') AS duration_s,
    json_extract(result.json, '$.generator_limited') AS generator_limited,
    json_extract(result.json, '$.interrupted') AS interrupted,
    result.holdfast AS inferred_by,
    result.json
FROM saved_run JOIN result ON result.run = saved_run.run
WHERE result.kind = 'load';

CREATE VIEW load_outcome AS
SELECT result.run, each.key AS outcome, each.value AS requests
FROM result JOIN run ON run.id = result.run, json_each(result.json, '$.outcomes') AS each
WHERE result.kind = 'load';
"""

KIND = """
coalesce(run.kind, CASE run.format WHEN 2 THEN 'load' WHEN 4 THEN 'attach' WHEN 5 THEN 'explain'
        ELSE CASE WHEN run.server IN ('exec', 'attach') THEN run.server ELSE 'probe' END END)
"""
"""What kind of run a row is: versions that do not know the column leave it empty."""

FILL_KIND = """
UPDATE run SET kind = coalesce(run.kind, CASE run.format WHEN 2 THEN 'load' WHEN 4 THEN 'attach' WHEN 5 THEN 'explain'
        ELSE CASE WHEN run.server IN ('exec', 'attach') THEN run.server ELSE 'probe' END END) WHERE kind IS NULL
"""
