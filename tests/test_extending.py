"""The files of docs/extending.md, put into a copy of the project, are found by their names and work."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

FILES = re.compile(r'```(?:py|md) title="([a-z_/]+\.(?:py|md))"\n(.*?)```', re.DOTALL)
QUESTION = ("latentlab/analysis/centre/", "latentlab/cli/", "latentlab/figures/centre", "docs/", "tests/")
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
USE_VOLUME = """
x = np.random.default_rng(0).normal(5, 2, (80, 3, 4, 5))
data = ll.data.from_arrays(x, "volume", labels=[0, 1] * 40, name="scans")
assert [each["found"] for each in ll.data.check(data)][:2] == ["scans (array)", "80 volumes 3×4×5"]
run = ll.train(data, "volumes", latent_dim=2, steps=5)
ll.encode(run, data)
louder = ll.data.from_arrays(x + 90, "volume", name="louder")
assert ll.outliers(run, against=louder, data=data)["scores"]["mean"]["auroc"] == 1
assert ll.support(run, data=data, samples=100)["arms"]["real"]["precision"] > 0
assert ll.explain(run).local.shape[0] == 2
decoded = ll.traverse(ll.live(run).ready(), run.codes(), 0)
assert decoded.images.shape[-3:] == (3, 4, 5) and decoded.pictures().dtype == np.uint8
"""
ASK = """
import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from toy import write_run
import latentlab as ll
from latentlab.cli import run as latentlab
from latentlab.runs.health import health
from latentlab.runs.stage import stage

def said(*words, status=0):
    with redirect_stdout(StringIO()) as out:
        assert latentlab([str(word) for word in words]) == status, words
    return out.getvalue()

assert ll.__file__.startswith({here!r}), ll.__file__
run = write_run(Path("study/run"), 4.0, 0)
assert "centre" in said("--help") and "centre" in said("analyze", "--help")
assert not run.has("centre") and "centre.json" not in set(health(run)["file"])
assert json.loads(said("analyze", "study", "--only", "centre", "--json"))["runs"][0]["stages"] == ["centre"]
assert json.loads(said("centre", "study", "--json"))["runs"][0]["means"] == run.read("centre")
assert dict(zip(*health(run)[["file", "state"]].values.T))["centre.json"] == "current"
said("export", "study", "--to", "study", "-o", "small", "--rows", "50")
small = ll.Study("small")["run"]
assert small.read("centre") == run.read("centre")
assert dict(zip(*health(small)[["file", "state"]].values.T))["centre.json"] == "current"
assert "mean of the codes was compared" in said("methods", "study")
assert ll.figures.rendered("centre", run, "csv")
(run.path / "centre.json").write_text(json.dumps({{"format": 2}}))
said("report", "study", "-o", "r.html")
assert "centre.json newer" in Path("r.html").read_text()
assert "pip install --upgrade" in said("doctor", "study", status=1)
(run.path / "centre.json").write_text(json.dumps({{"means": 3}}))
wrong = said("doctor", "study", status=1)
assert "centre.json" in wrong and "latentlab centre" in wrong
"""


def copied(here: Path, chosen: str) -> list[str]:
    """A copy of the project with those files of the page; their names. They fill places that were empty."""
    page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    found = [(name, text) for name, text in FILES.findall(page) if ("centre" in name) == (chosen == "question")]
    for part in ("latentlab", "docs", "tests/helpers", "tests/analysis"):
        shutil.copytree(ROOT / part, here / part)  # with what is compiled already
    for name in ("tests/conftest.py", "tests/test_layers.py", "pyproject.toml"):
        shutil.copy(ROOT / name, here / name)
    for name, text in found:
        assert not (here / name).exists()
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).write_text(text, encoding="utf-8")
    return [name for name, _ in found]


def python(here: Path, *words: str) -> None:
    path = os.pathsep.join([str(here), str(here / "tests" / "helpers")])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, *words], cwd=here, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_file_is_all_that_is_needed(tmp_path: Path) -> None:
    names = copied(tmp_path, "one thing")
    assert [Path(name).parent.name for name in names] == ["metrics", "data", "kinds", "objectives", "figures"]
    python(tmp_path, "-c", (USE + USE_VOLUME).format(here=str(tmp_path)))


def test_a_question_takes_five_places_and_is_found_everywhere(tmp_path: Path) -> None:
    names = copied(tmp_path, "question")
    assert {place for place in QUESTION for name in names if name.startswith(place)} == set(QUESTION)
    assert all(name.startswith(QUESTION) for name in names)
    python(tmp_path, "-c", ASK.format(here=str(tmp_path)))
    python(tmp_path, "docs/stages.py")
    table = (tmp_path / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert "| [centre](centre.md) | `centre.json` | `latentlab centre RUN` | centre |" in table
    assert "| `centre` | study |" in (tmp_path / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    python(tmp_path, "-m", "pytest", "-q", "-n0", "tests/analysis/test_centre.py")
