"""What the analysis of a whole study takes: one run after another, and side by side in a process per core, in turn.

    python benchmarks/study.py artifacts/dsprites
    python benchmarks/study.py artifacts/dsprites --runs 4 --only project --tries 1
    python benchmarks/study.py artifacts/dsprites --runs 4 --tries 1 --baseline a0c37c0

Each try analyses new copies of the runs, without their codes and what is made of them, as a whole command of the shell.
The least time of the tries is shown, and the processor time of that try. One process and several must leave the same
bytes; the script ends with an error where they do not. With ``--baseline``, the package of that commit analyses the
runs as well, one command after another; its files may have other formats and are not compared.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from many_runs import checkout

from latentlab.analysis.analyze import named_stages
from latentlab.runs.stage import stage
from latentlab.runs.study import Study
from latentlab.system.machine import cores, processor


def copied(study: Study, runs: int | None, stages: tuple[str, ...], out: Path) -> Path:
    """A copy of the first runs, without the files of these stages."""
    made = [file for name in stages for file in stage(name).files]
    for run in study.runs[:runs]:
        shutil.copytree(run.path, out / run.name, ignore=shutil.ignore_patterns(*made, ".lock"))
    return out


def analysed(study: Path, workers: int, only: str) -> None:
    """Analyse a study by so many processes."""
    line = ["analyze", str(study), "--only", only, "--workers", str(workers), "--quiet"]
    subprocess.run([sys.executable, "-m", "latentlab", *line], check=True, stdout=subprocess.DEVNULL)


def earlier(study: Path, package: Path, only: str) -> None:
    """Analyse the runs of a study one command after another, by the package that lies there."""
    environment = {**os.environ, "PYTHONPATH": str(package)}
    for config in sorted(study.glob("*/config.json")):
        line = [sys.executable, "-m", "latentlab", "analyze", str(config.parent), "--only", only, "--quiet"]
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL, cwd=package, env=environment)


def measured(analyse: Callable[[], None]) -> tuple[float, float]:
    """Seconds of one analysis on the clock, and processor seconds."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    analyse()
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def contents(study: Path) -> dict[str, bytes]:
    """The bytes of every file."""
    files = (path for path in sorted(study.rglob("*")) if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(study)): path.read_bytes() for path in files}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("--runs", type=int, help="the first so many; all by default")
    parser.add_argument("--only", default=",".join(named_stages(None)))
    parser.add_argument("--tries", type=int, default=2)
    parser.add_argument("--baseline", help="a commit whose package analyses the runs as well, one after another")
    given = parser.parse_args()
    times: dict[str, list[tuple[float, float]]] = {}
    with TemporaryDirectory() as folder:
        package = checkout(given.baseline, Path(folder) / "baseline") if given.baseline else None
        for number in range(given.tries):
            found = []
            for workers in ([None] if package else []) + [1, cores()]:
                out = Path(folder) / f"{number}-{workers}"
                copy = copied(Study(given.study), given.runs, named_stages(given.only), out)
                if workers is None:
                    taken = measured(partial(earlier, copy, package, given.only))
                else:
                    taken = measured(partial(analysed, copy, workers, given.only))
                    found.append(contents(copy))
                times.setdefault(given.baseline if workers is None else str(workers), []).append(taken)
                shutil.rmtree(copy)
            if any(other != found[0] for other in found[1:]):
                sys.exit("the results differ in their bytes")
    print(f"{processor()}, {cores()} cores, load {os.getloadavg()[0]:.1f}; stages {given.only}")
    print("| processes | s | processor s | relative to the first |\n|---|---|---|---|")
    first = min(next(iter(times.values())))[0]
    for workers, each in times.items():
        seconds, used = min(each)
        print(f"| {workers} | {seconds:.1f} | {used:.1f} | {first / seconds:.2f} |", flush=True)


if __name__ == "__main__":
    main()
