"""What is known of the machine and the time a training took, beside the run and outside what its bytes promise."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from latentlab.files import write_json
from latentlab.runs import Run


def write_environment(run: Run, steps: int, seconds: float) -> None:
    """Publish what is known of machine and timing; kept out of every file whose bytes are promised."""
    packages = ("latentlab", "torch", "numpy", "safetensors", "h5py", "scikit-learn")
    images = steps * min(run.config.batch_size, run.config.rows)
    found = {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "machine": {"processor": processor(), "cores": os.cpu_count(), "system": platform.platform()},
        "training": {"steps": steps, "seconds": seconds, "images_per_second": images / seconds},
        "place": {"folder": str(Path.cwd())},  # where a relative path to the data starts
    }
    write_json(run.path / "environment.json", found)


def processor() -> str:
    """The processor's name, as Linux tells it."""
    return next(_processor_lines(), platform.processor() or platform.machine())


def _processor_lines() -> Iterator[str]:
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                yield line.partition(":")[2].strip()
