"""A study on eight workers of which a quarter is killed, and once the scheduler: what is lost, what is done twice.

python benchmarks/cluster.py --members 16 --steps 1000

Every kill is a SIGKILL to a worker and all that it started. Finished members are watched: were one trained again, its
files would be written again. In the end every member's weights are compared with a solo run's, byte for byte.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))
from clusters import Cluster, cluster, kill

from latentlab.errors import LatentlabError
from latentlab.runs.run import Run
from latentlab.runs.study import Study
from latentlab.system.files import sha256
from latentlab.training.sweep import _steps_done, sweep


def main() -> None:
    """Print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=16)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=8)
    given = parser.parse_args()
    options = {"beta": [4], "seeds": given.members, "steps": given.steps, "latent_dim": 2, "checkpoint_every": 100}
    with tempfile.TemporaryDirectory() as folder, cluster() as found:
        out = Path(folder) / "study"
        names = [f"beta4-seed{seed}" for seed in range(given.members)]
        finished: dict[str, int] = {}
        again: list[str] = []
        calls: list[str] = []

        def watch() -> None:
            for name in names:
                path = out / name / "training.safetensors"
                if name in finished and path.stat().st_mtime_ns != finished[name]:
                    again.append(name)
                elif (out / name / "config.json").is_file() and Run(out / name).state == "finished":
                    finished.setdefault(name, path.stat().st_mtime_ns)

        def call(events: list[tuple[float, str]]) -> None:
            """Sweep, and as the given parts of the study are done, do what stands beside them."""

            def train() -> None:
                try:
                    sweep("digits", out, cluster=found.address, **options)
                    calls.append("done")
                except LatentlabError as error:
                    calls.append(str(error))

            client = threading.Thread(target=train)
            client.start()
            while client.is_alive():
                time.sleep(0.05)
                watch()
                done = sum(_steps_done(out / name) for name in names) / (given.members * given.steps)
                while events and done >= events[0][0]:
                    strike(found, events.pop(0)[1])
            client.join()
            watch()

        found.add(given.workers)
        call([(0.1, "worker"), (0.2, "worker"), (0.4, "scheduler")])
        found.end()
        found.workers.clear()
        found.begin()
        found.add(given.workers - given.workers // 4)
        call([])
        solo = sweep("digits", Path(folder) / "solo", workers=2, **options)
        equal = [sha256(a.model_path) == sha256(b.model_path) for a, b in zip(Study(out), solo, strict=True)]
        result = {"calls": calls, "finished": len(finished), "done twice": again, "equal bytes": sum(equal)}
        print(json.dumps({**vars(given), **result}))


def strike(found: Cluster, whom: str) -> None:
    """SIGKILL to a worker, or to the scheduler."""
    if whom == "worker":
        kill(found.workers.pop(0))
    elif found.scheduler:
        kill(found.scheduler)


if __name__ == "__main__":
    main()
