"""Members trained together in one pass against one after another: steps of a member a second, on the device at hand.

python benchmarks/ensemble.py --data dsprites --members 8 --steps 100 [--device cuda] [--network burgess]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from latentlab.data import load
from latentlab.data.dataset import Dataset
from latentlab.system.memory import keep_freed_memory
from latentlab.training.sweep import sweep


def seconds(data: Dataset, *, together: bool, **options: Any) -> float:
    """What a study of one β and several seeds takes; building and the checkpoints at the end included."""
    where: dict[str, Any] = {"together": True} if together else {"together": False, "workers": 1}
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        sweep(data, Path(folder) / "study", beta=[4], **where, **options)
        return time.perf_counter() - started


def main() -> None:
    """Print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--members", type=int, default=8)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--network", default="auto")
    given = parser.parse_args()
    keep_freed_memory()
    data = load(given.data)
    options = {"batch_size": given.batch_size, "device": given.device, "network": given.network}
    for together in (True, False):  # images rendered, kernels chosen
        seconds(data, together=together, seeds=2, steps=2, **options)
    found = {
        "together" if together else "one by one": seconds(
            data, together=together, seeds=given.members, steps=given.steps, **options
        )
        for together in (True, False)
    }
    rates = {name: given.members * given.steps / took for name, took in found.items()}
    ratio = rates["together"] / rates["one by one"]
    print(json.dumps({**vars(given), "member steps a second": rates, "together against one by one": ratio}))


if __name__ == "__main__":
    main()
