"""What a study of many runs takes: `compare`, `doctor` and `report` as whole commands, and the dashboard's first page.

    python benchmarks/many_runs.py
    python benchmarks/many_runs.py --runs 500 --baseline fc90e4e

The study is made of copies of the runs of ``--of``: settings of five seeds each, every setting with a learning rate of
its own. With ``--baseline``, each command is run by the package of that commit as well, in turn with ours, in the same
environment; the table then has the ratio of the two, of the time on the clock and of the processor time, which
neighbours on a busy machine change less. The page needs playwright and a Chromium on the PATH; with ``--no-browser``
its script alone is timed, by Streamlit's test client in a new process.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parents[1]
SEEDS = 5
SCRIPT = """
import os, sys, time
os.environ["LATENTLAB_STUDY"] = sys.argv[1]
sys.path.insert(0, sys.argv[2] + "/dashboards")
from streamlit.testing.v1 import AppTest
test = AppTest.from_file(sys.argv[2] + "/dashboards/app.py", default_timeout=600)
import latentlab.figures, pandas
started = time.perf_counter()
test.run()
assert not test.exception, test.exception
print(time.perf_counter() - started)
"""


def copies(of: Path, runs: int, study: Path) -> Path:
    """A study of that many runs: copies of those in `of`, told apart by name, learning rate and seed."""
    models = sorted(path.parent for path in of.glob("*/config.json"))
    for number in range(runs):
        setting, seed = divmod(number, SEEDS)
        model = models[setting % len(models)]
        run = study / f"{re.sub('-seed[0-9]+$', '', model.name)}-{setting}-seed{seed}"
        shutil.copytree(model, run)
        config = json.loads((run / "config.json").read_text())
        config["seed"] = seed
        config["learning_rate"] = (setting + 1) * 1e-5
        (run / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    return study


def checkout(commit: str, folder: Path) -> Path:
    """The package as it is in a commit."""
    archive = subprocess.run(["git", "archive", commit], cwd=HERE, check=True, capture_output=True).stdout
    folder.mkdir()
    subprocess.run(["tar", "-x"], cwd=folder, input=archive, check=True)
    return folder


def command(package: Path, *line: str) -> float:
    """Seconds that a command of a package takes as a whole, the start of its process included."""
    environment = {**os.environ, "PYTHONPATH": str(package)}
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "latentlab", *line], env=environment, cwd=package, capture_output=True, text=True
    )
    seconds = time.perf_counter() - started
    if done.returncode not in (0, 1):  # doctor says 1 where it finds something
        raise SystemExit(done.stderr)
    return seconds


def script(package: Path, study: Path) -> float:
    """Seconds until the first page's script has run to its end, in a process that has just imported what it needs."""
    environment = {**os.environ, "PYTHONPATH": str(package)}
    line = [sys.executable, "-c", SCRIPT, str(study), str(package)]
    done = subprocess.run(line, env=environment, cwd=package, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return float(done.stdout.splitlines()[-1])


def page(package: Path, study: Path) -> float:
    """Seconds until Chromium has drawn the first page of a server that was just started."""
    sys.path.insert(0, str(HERE / "benchmarks"))
    from dashboard import FLAGS, Visit, served
    from playwright.sync_api import sync_playwright

    os.environ["PYTHONPATH"] = str(package)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright, served(study) as (url, _):
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        visit = Visit(browser, url, until="table[data-table=overview]")
        visit.close()
        browser.close()
    return visit.settled


Times = dict[str, list[tuple[float, float]]]


def measure(what: Callable[[Path], float], packages: dict[str, Path], tries: int) -> Times:
    """Seconds on the clock and of processor time that something takes with each package, measured in turn."""
    times: Times = {name: [] for name in packages}
    for _ in range(tries):
        for name, package in packages.items():
            before = used()
            seconds = what(package)
            times[name].append((seconds, used() - before))
    return times


def used() -> float:
    """The processor time, in seconds, of all processes that this one started and that have ended."""
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime


def row(name: str, times: Times) -> str:
    """A line of the table: the middle times of each package, and the ratios of the last to the first."""
    clock, processor = ([statistics.median(each[k] for each in times[name]) for name in times] for k in (0, 1))
    cells = [f"{each:.1f} ({cpu:.1f})" for each, cpu in zip(clock, processor, strict=True)]
    ratio = f"{clock[-1] / clock[0]:.2f} ({processor[-1] / processor[0]:.2f})" if len(clock) > 1 else "–"
    return f"| {name} | {' | '.join(cells)} | {ratio} | {os.getloadavg()[0]:.1f} |"


def main() -> None:
    """Make the study, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--of", type=Path, default=HERE / "artifacts" / "mini", help="the study whose runs are copied")
    parser.add_argument("--baseline", help="a commit to compare with")
    parser.add_argument("--tries", type=int, default=1)
    parser.add_argument("--only", default="compare,doctor,report,page")
    parser.add_argument("--no-browser", action="store_true", help="measure the page's script alone")
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        study = copies(given.of, given.runs, Path(folder) / "study")
        packages = {"ours": HERE}
        if given.baseline:
            packages = {"baseline": checkout(given.baseline, Path(folder) / "baseline"), **packages}
        time.sleep(3)  # a file changed within the last two seconds is hashed each time
        verbs: dict[str, Callable[[Path], float]] = {
            "compare": lambda package: command(package, "compare", str(study)),
            "doctor": lambda package: command(package, "doctor", str(study)),
            "report": lambda package: command(package, "report", str(study), "-o", f"{folder}/report.html"),
            "page": lambda package: (script if given.no_browser else page)(package, study),
        }
        print(f"| {given.runs} runs | {' | '.join(f'{name}, s (processor, s)' for name in packages)} | ratio | load |")
        print("|---|" + "---|" * (len(packages) + 2))
        for name in given.only.split(","):
            print(row(name, measure(verbs[name], packages, given.tries)), flush=True)


if __name__ == "__main__":
    main()
