"""What `latentlab demo` takes as a whole command, alone and beside processes that spin.

    python benchmarks/demo.py
    python benchmarks/demo.py --neighbours 0

The demo is run into a new folder each time, without the dashboard; the table's load says whether the machine was idle.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from busy import neighbours

from latentlab.system.machine import cores, processor


def seconds(spinning: int) -> float:
    """How long the demo takes beside so many processes that spin."""
    with TemporaryDirectory() as folder, neighbours(spinning):
        start = time.perf_counter()
        line = ["demo", "--out", str(Path(folder) / "demo"), "--no-dashboard", "--quiet"]
        subprocess.run([sys.executable, "-m", "latentlab", *line], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neighbours", default="0,2")
    given = parser.parse_args()
    print(f"{processor()}, {cores()} cores\n| spinning neighbours | s | load before |\n|---|---|---|")
    for count in map(int, given.neighbours.split(",")):
        load = os.getloadavg()[0]
        print(f"| {count} | {seconds(count):.0f} | {load:.1f} |", flush=True)


if __name__ == "__main__":
    main()
