"""The files of docs/extending.md, put into a copy of the package, are found by their names and work."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

FILES = re.compile(r'```py title="(latentlab/[a-z_/]+\.py)"\n(.*?)```', re.DOTALL)
USE = """
import numpy as np
import latentlab as ll

assert ll.__file__.startswith({here!r}), ll.__file__
assert ll.metrics.loudest(np.array([[0.0, 0.0], [2.0, 1.0]])).value == 0.8
data = ll.data.load("stripes", size=8)
assert len(data) == 8 and data[[3]].sum() == 8 * 255
run = ll.train(data, "run", objective="hinge-vae", settings={{"budget": 5}}, latent_dim=2, steps=3)
ll.analyze(run, only=["encode"])
assert len(ll.figures.spread(run).data[0].y) == 2
for ending in ("svg", "csv", "txt"):
    assert ll.figures.rendered("spread", run, ending)
"""


def test_each_file_is_all_that_is_needed(tmp_path: Path) -> None:
    found = FILES.findall((ROOT / "docs" / "extending.md").read_text(encoding="utf-8"))
    assert [Path(name).parent.name for name, _ in found] == ["metrics", "data", "objectives", "figures"]
    shutil.copytree(ROOT / "latentlab", tmp_path / "latentlab", ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in found:
        assert not (tmp_path / name).exists()
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", USE.format(here=str(tmp_path))],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
