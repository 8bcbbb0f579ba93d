"""What is known of the machine and the time a training took, beside the run and outside what its bytes promise."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

from latentlab.runs.run import Run
from latentlab.system.files import write_json
from latentlab.system.machine import processor


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
