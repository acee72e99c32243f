"""What `holdfast load` writes for other programs and for later."""

from __future__ import annotations

import contextlib
import csv
import importlib.util
import json
import os
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.waiting import until

ANSWERED, FAILED, USAGE, INCONCLUSIVE, ENVIRONMENT = range(5)
FAULTY = Path(__file__).with_name("faulty_server.py")
READ_JTL = Path(__file__).with_name("ReadJtl.java")
JMETER = Path(os.environ.get("JMETER_HOME", "/usr/share/jmeter"))

# jmeter.save.saveservice.* as it comes (bin/jmeter.properties of JMeter 5.6; the order is that of CSVSaveService's
# printableFieldNamesToString), and a sample variable as it writes one.
JTL_COLUMNS = (
    "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,"
    'grpThreads,allThreads,URL,Latency,IdleTime,Connect,"elapsedFromDue"'
)


@pytest.fixture
def faulty():
    process = subprocess.Popen([sys.executable, str(FAULTY)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def rows_of(file):
    with Path(file).open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_form_tells_the_same_of_each_request(holdfast, faulty, tmp_path):
    forms = [word for form in ("csv", "jsonl", "sqlite", "json") for word in (f"--{form}", f"rows.{form}")]

    ended = holdfast.run("load", f"{faulty}/{{id}}", "--rate", "200", "--for", "200ms", *forms)

    told = json.loads((tmp_path / "rows.json").read_text())
    # On a machine that has other things to do, a load may be late, and says so.
    assert ended.exit == (INCONCLUSIVE if told["generator_limited"] else ANSWERED), ended.err
    rows = rows_of(tmp_path / "rows.csv")
    lines = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    with contextlib.closing(sqlite3.connect(tmp_path / "rows.sqlite")) as database:
        database.row_factory = sqlite3.Row
        stored = [dict(row) for row in database.execute("SELECT * FROM requests ORDER BY id")]
        result = dict(map(tuple, database.execute("SELECT name, value FROM result")))
    assert [row["id"] for row in rows] == [str(number) for number in range(40)]
    assert lines == stored
    # CSV has 0 where the others have null.
    assert [[str(value if value is not None else 0) for value in line.values()] for line in lines] == [
        [value or "0" for value in row.values()] for row in rows
    ]
    assert {row["label"] for row in rows} == {"GET /{id}"}
    assert result["outcomes.answered"] == told["outcomes"]["answered"]
    assert {name: result[f"outcomes.{name}"] for name in told["outcomes"]} == told["outcomes"]


def test_the_first_bytes_instant_is_the_last_ones_where_they_came_together(holdfast, faulty, tmp_path):
    # Bytes that come one by one, and a reply in one piece.
    for path in ("drip/3000", "999"):
        holdfast.run("load", f"{faulty}/{path}", "--burst", "3", "--csv", "rows.csv")
        for row in rows_of(tmp_path / "rows.csv"):
            first, done = int(row["first_byte_ns"]), int(row["done_ns"])
            assert int(row["sent_ns"]) < first
            assert first < done if path == "drip/3000" else first == done


def test_jmeters_results_have_its_columns_and_its_words_for_what_is_no_reply(holdfast, faulty, tmp_path):
    forms = ("--jtl", "rows.jtl", "--csv", "rows.csv", "--json", "result.json")

    holdfast.run("load", f"{faulty}/{{id}}/a,b", "--rate", "200", "--for", "100ms", "--no-keep-alive", *forms)

    head, *_ = (tmp_path / "rows.jtl").read_text().splitlines()
    samples, rows = rows_of(tmp_path / "rows.jtl"), rows_of(tmp_path / "rows.csv")
    offset = json.loads((tmp_path / "result.json").read_text())["wall_clock_offset_ns"]
    assert head == JTL_COLUMNS
    assert len(samples) == len(rows) == 20

    def ms(row, instant):
        return (int(row[instant]) + offset) // 1_000_000

    for number, (sample, row) in enumerate(zip(samples, rows, strict=True)):
        start = ms(row, "begun_ns")
        assert int(sample["timeStamp"]) == start
        assert int(sample["elapsed"]) == ms(row, "done_ns") - start
        assert int(sample["elapsedFromDue"]) == ms(row, "done_ns") - ms(row, "due_ns")
        assert int(sample["Connect"]) == ms(row, "connected_ns") - start
        assert int(sample["Latency"]) == (ms(row, "first_byte_ns") - start if int(row["first_byte_ns"]) else 0)
        assert int(sample["Connect"]) <= int(sample["elapsed"])
        assert sample["URL"] == f"{faulty}/{number}/a,b"
        assert sample["label"] == "GET /{id}/a,b"
        assert sample["threadName"].endswith(f" 1-{number + 1}")
        assert 1 <= int(sample["grpThreads"]) == int(sample["allThreads"]) <= 20
        # "GET /N/a,b HTTP/1.1", Host, User-Agent, Connection: as many bytes for each, but for the number's digits.
        assert int(sample["sentBytes"]) == int(samples[0]["sentBytes"]) + len(str(number)) - 1
        assert sample["success"] == ("true" if row["outcome"] == "answered" else "false")
        assert int(sample["bytes"]) == int(row["received_bytes"])
    codes = {row["outcome"]: sample["responseCode"] for sample, row in zip(samples, rows, strict=True)}
    assert codes["reset"] == "Non HTTP response code: java.net.SocketException"
    assert codes["closed"] == "Non HTTP response code: java.net.SocketException"
    assert codes["rejected"] == "503"
    assert samples[5]["responseMessage"] == "Service Unavailable"
    assert samples[0]["responseMessage"] == "Non HTTP response message: Connection reset"


def test_a_refused_connection_is_what_jmeter_calls_a_connect_exception(holdfast, tmp_path):
    holdfast.run("load", "http://127.0.0.1:1/", "--burst", "2", "--jtl", "rows.jtl")

    for sample in rows_of(tmp_path / "rows.jtl"):
        assert sample["responseCode"] == "Non HTTP response code: java.net.ConnectException"
        assert sample["responseMessage"] == "Non HTTP response message: Connection refused"
        assert (sample["success"], sample["sentBytes"], sample["Latency"]) == ("false", "0", "0")


def test_a_check_that_does_not_hold_is_a_failed_assertion_with_its_text(holdfast, counting, tmp_path):
    ended = holdfast.run("load", counting.url, "--burst", "2", "--expect-body", 'a "b"', "--jtl", "rows.jtl")

    assert "2 wrong-body" in ended.out
    for sample in rows_of(tmp_path / "rows.jtl"):
        assert (sample["responseCode"], sample["success"]) == ("200", "false")
        assert sample["failureMessage"] == 'Test failed: text expected to contain /a "b"/'


def test_requests_on_kept_connections_begin_when_they_are_sent_and_connect_no_more(holdfast, counting, tmp_path):
    holdfast.run("load", counting.url, "--clients", "2", "--requests", "40", "--jtl", "rows.jtl", "--csv", "rows.csv")

    rows, samples = rows_of(tmp_path / "rows.csv"), rows_of(tmp_path / "rows.jtl")
    kept = [number for number, row in enumerate(rows) if row["opened_ns"] == "0"]
    assert len(kept) == 38
    for number in kept:
        assert rows[number]["begun_ns"] == rows[number]["sent_ns"] != "0"
        assert samples[number]["Connect"] == "0"
    assert {sample["threadName"].rpartition(" ")[2] for sample in samples} == {"1-1", "1-2"}
    assert {int(sample["allThreads"]) for sample in samples} <= {1, 2}


def test_a_saved_load_is_shown_and_written_again_as_it_was(holdfast, faulty, tmp_path):
    forms = ("csv", "jsonl", "jtl", "json", "summary")

    def targets(name):
        return [word for form in forms for word in (f"--{form}", f"{name}.{form}")]

    made = holdfast.run(
        *("load", f"{faulty}/{{id}}", "--rate", "300", "--for", "200ms", "--threshold", "errors<1%"),
        *("-H", "Cookie: secret", "-X", "POST", "--data", "n={id}", *targets("first")),
    )
    shown = holdfast.run("show", "1", "--json", "shown.json")
    written = holdfast.run("report", "1", *targets("second"))

    assert (made.exit, shown.exit, written.exit) == (FAILED, FAILED, ANSWERED)
    assert shown.out == made.out
    for form in forms:
        assert (tmp_path / f"second.{form}").read_bytes() == (tmp_path / f"first.{form}").read_bytes()
    assert (tmp_path / "shown.json").read_bytes() == (tmp_path / "first.json").read_bytes()
    assert f"{faulty}/{{id}} 300/s for" in " ".join(holdfast.run("runs").out.split())
    # The cookie is in there.
    assert holdfast.runs.stat().st_mode & 0o077 == 0


def test_a_load_that_was_interrupted_or_stopped_says_so_again(holdfast, counting):
    running = holdfast.start("load", counting.url, "--rate", "100", "--for", "60s")
    until(lambda: counting.seen()["requests"] >= 5, "five requests")
    running.signal(signal.SIGINT)
    interrupted = running.ended()
    stopped = holdfast.run("load", f"{counting.url}/busy", "--rate", "100", "--for", "60s", "--stop", "first-failure")

    for number, made, code, says in (
        ("1", interrupted, INCONCLUSIVE, "Stopped early: interrupted"),
        ("2", stopped, FAILED, "a request was not answered"),
    ):
        shown = holdfast.run("show", number)
        assert (made.exit, shown.exit) == (code, code)
        assert shown.out == made.out
        assert says in made.out


def test_only_loads_have_rows_to_report(holdfast):
    holdfast.run("probe", "--max-offered", "5")

    of_a_probe, of_nothing = holdfast.run("report", "1", "--csv", "-"), holdfast.run("report", "7", "--csv", "-")

    assert (of_a_probe.exit, of_nothing.exit) == (USAGE, USAGE)
    assert "Run 1 is not a load" in of_a_probe.err
    assert "There is no saved run 7" in of_nothing.err


def test_what_cannot_be_written_keeps_nothing_else_back_and_what_was_there_stays(holdfast, counting, tmp_path):
    (tmp_path / "rows.csv").write_text("from yesterday")
    limit = 4096  # bytes of a file: 200 rows need more, the result does not

    ended = holdfast.run(
        *("load", counting.url, "--burst", "200", "--csv", "rows.csv", "--jtl", "/dev/full"),
        *("--sqlite", "rows.sqlite", "--json", "result.json"),
        # Python 3.11 keeps of a compiled module what fits, and fails to read it the next time.
        env={"PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )

    assert ended.exit == ENVIRONMENT
    assert "200 answered" in ended.out
    assert json.loads((tmp_path / "result.json").read_text())["outcomes"]["answered"] == 200
    assert (tmp_path / "rows.csv").read_text() == "from yesterday"
    for target in ("rows.csv", "/dev/full", "rows.sqlite"):
        assert f"Cannot write {target}" in ended.err
    assert sorted(each.name for each in tmp_path.iterdir() if "rows" in each.name) == ["rows.csv"]


def test_rows_that_do_not_fit_are_in_the_saved_run(holdfast, counting, tmp_path):
    full = holdfast.run("load", counting.url, "--burst", "200", "--csv", "/dev/full")
    again = holdfast.run("report", "1", "--csv", "rows.csv")

    assert (full.exit, again.exit) == (ENVIRONMENT, ANSWERED)
    assert "holdfast report 1 --csv FILE writes it again" in full.err
    assert len(rows_of(tmp_path / "rows.csv")) == 200


@pytest.mark.parametrize(
    ("forms", "says"),
    [
        (("--csv", "-", "--json", "-"), "cannot both go to standard output"),
        (("--csv", "rows", "--jtl", "rows"), "cannot hold two forms"),
        (("--sqlite", "-"), "--sqlite needs the name of a file"),
        (("--sqlite", "theirs.sqlite"), "is a database with other tables: orders"),
        (("--jsonl", "missing/rows.jsonl"), "does not exist"),
    ],
)
def test_where_results_cannot_go_is_told_before_anything_is_sent(holdfast, counting, tmp_path, forms, says):
    with contextlib.closing(sqlite3.connect(tmp_path / "theirs.sqlite")) as database, database:
        database.execute("CREATE TABLE orders (x)")

    ended = holdfast.run("load", counting.url, "--burst", "3", *forms)

    assert ended.exit == USAGE
    assert says in ended.err
    assert counting.seen()["requests"] == 0


def test_redirects_count_as_answers_and_are_said_not_to_be_followed(holdfast, faulty):
    plain = holdfast.run("load", f"{faulty}/moved", "--burst", "3")
    expected = holdfast.run("load", f"{faulty}/moved", "--burst", "3", "--expect-status", "302")

    words = " ".join(plain.out.split())
    assert "3 of the replies that count as answers were redirects; the last one leads to /elsewhere?a=1." in words
    assert "Redirects" not in expected.out


@pytest.mark.skipif(importlib.util.find_spec("pyarrow") is not None, reason="pyarrow is installed")
def test_parquet_without_pyarrow_names_what_to_install_before_anything_is_sent(holdfast, counting):
    ended = holdfast.run("load", counting.url, "--burst", "3", "--parquet", "rows.parquet")

    assert ended.exit == ENVIRONMENT
    assert "pip install 'holdfast-probe[parquet]'" in ended.err
    assert counting.seen()["requests"] == 0


def test_parquet_has_the_rows_with_their_types(holdfast, faulty, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")

    files = ("--parquet", "rows.parquet", "--jsonl", "rows.jsonl", "--json", "result.json")
    holdfast.run("load", f"{faulty}/{{id}}", "--burst", "30", *files)

    lines = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    table = parquet.read_table(tmp_path / "rows.parquet")
    assert table.to_pylist() == lines
    offset_ns = json.loads((tmp_path / "result.json").read_text())["wall_clock_offset_ns"]
    assert int(table.schema.metadata[b"wall_clock_offset_ns"]) == offset_ns


def jmeters(*arguments, cwd):
    """Its Java, with its class path."""
    own = [JMETER / "lib", JMETER / "lib" / "ext", Path("/usr/share/java") if JMETER.is_relative_to("/usr") else cwd]
    path = ":".join([str(cwd), *(f"{each}/*" for each in own)])
    return subprocess.run(
        [arguments[0], "-cp", path, *arguments[1:]], cwd=cwd, text=True, capture_output=True, check=True
    ).stdout


@pytest.mark.skipif(not (JMETER / "lib/ext").is_dir(), reason="JMeter is not in $JMETER_HOME or /usr/share/jmeter")
@pytest.mark.skipif(shutil.which("javac") is None, reason="there is no Java compiler")
def test_jmeters_own_reader_understands_each_sample(holdfast, faulty, tmp_path):
    jmeters("javac", "-nowarn", "-d", str(tmp_path), str(READ_JTL), cwd=tmp_path)
    holdfast.run("load", f"{faulty}/{{id}}", "--burst", "18", "--jtl", "rows.jtl")
    samples = rows_of(tmp_path / "rows.jtl")
    if not (JMETER / "bin/report-template").is_dir():
        # Before 3.1 it knew no sentBytes: the rest of what it knows is the same.
        with (tmp_path / "rows.jtl").open("w", newline="") as stream:
            names = [name for name in samples[0] if name != "sentBytes"]
            stream.write(",".join(names).replace("elapsedFromDue", '"elapsedFromDue"') + "\n")
            csv.DictWriter(stream, names, extrasaction="ignore", lineterminator="\n").writerows(samples)

    said = jmeters("java", "-Djava.awt.headless=true", "ReadJtl", str(JMETER), "rows.jtl", cwd=tmp_path)

    read = [line.split("\t")[1:] for line in said.splitlines() if line.startswith("sample\t")]
    assert read == [
        [
            sample["timeStamp"],
            str(int(sample["timeStamp"]) + int(sample["elapsed"])),
            *(sample[name] for name in ("Latency", "label", "responseCode", "success", "threadName", "allThreads")),
        ]
        for sample in samples
    ]


@pytest.mark.skipif(not (JMETER / "bin/report-template").is_dir(), reason="no JMeter with a report generator (3.0)")
def test_jmeters_report_generator_counts_the_same(holdfast, faulty, tmp_path):
    holdfast.run("load", f"{faulty}/{{id}}", "--burst", "18", "--jtl", "rows.jtl", "--json", "result.json")

    subprocess.run(
        ["java", "-jar", str(JMETER / "bin/ApacheJMeter.jar"), "-g", "rows.jtl", "-o", "report"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )

    statistics = json.loads((tmp_path / "report/statistics.json").read_text())["GET /{id}"]
    answered = json.loads((tmp_path / "result.json").read_text())["outcomes"]["answered"]
    assert (statistics["sampleCount"], statistics["errorCount"]) == (18, 18 - answered)


def test_the_rows_of_a_lost_process_are_written_with_the_addresses_that_they_came_from(holdfast, counting, tmp_path):
    sources = ("127.0.0.1", "127.0.0.2")
    held = (f"{counting.url}/silent", "--burst", "10", *(word for each in sources for word in ("--source", each)))
    running = holdfast.start("load", *held, "--csv", "rows.csv")
    until(lambda: counting.seen()["silent"] == 10, "all requests at the server")

    os.kill(running.processes()[-1], signal.SIGKILL)

    ended = running.ended()
    assert ended.exit == INCONCLUSIVE, ended.err
    rows = rows_of(tmp_path / "rows.csv")
    assert [row["outcome"] for row in rows] == ["failed"] * 10
    assert [row["source"] for row in rows] == [*sources] * 5


def test_clients_that_had_not_begun_when_the_time_was_over_are_told(holdfast, counting):
    ended = holdfast.run("load", counting.url, "--clients", "2000", "--for", "1ms", "--json", "-")

    result = json.loads(ended.out)
    assert result["offered"] < 2000
    (told,) = [each for each in result["warnings"] if each.startswith("Only ")]
    assert told.startswith(f"Only {result['offered']:,} of 2,000 clients had begun")
    assert "opening so many connections takes longer" in told


def test_clients_that_were_to_wait_longer_than_the_load_are_not_said_to_be_too_many(holdfast, counting):
    ended = holdfast.run("load", counting.url, "--clients", "3", "--for", "200ms", "--think", "60s", "--json", "-")

    (told,) = [each for each in json.loads(ended.out)["warnings"] if each.startswith("Only ")]
    assert told.endswith("some were to wait for up to 60 s before their first request. Give a longer --for.")


@pytest.mark.parametrize("more", [(), ("--cookies",)], ids=["fixed beforehand", "with memory"])
def test_a_reply_that_does_not_end_is_told_from_one_that_never_came(holdfast, counting, more):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
                connection.recv(4096)

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        ended = holdfast.run("load", url, "--burst", "1", "--timeout", "300ms", "--json", "-", *more)
        thread.join()
    silent = holdfast.run("load", f"{counting.url}/silent", "--burst", "1", "--timeout", "300ms", "--json", "-", *more)

    result = json.loads(ended.out)
    assert result["outcomes"]["unanswered"] == 1
    (told,) = (each for each in result["warnings"] if "A reply had begun and not ended when the time" in each)
    # Clients with a memory cannot be given --events.
    assert told.endswith("Give a longer timeout." if more else "or --events for a stream that does not end.")
    assert not any("had begun and not ended" in each for each in json.loads(silent.out)["warnings"])
