"""Every verb with every kind of wrong path and wrong number: one line on standard error, and a status that says so."""

import os
from pathlib import Path

import numpy as np
import pytest
from toy import write_run

from latentlab.cli import run
from latentlab.system.registry import names

PATHS = ("missing", "file.txt", "empty", "noise.bin", "pipe")
LINES = [
    "train --data PATH --out new --steps 1",
    "train --data digits --out noise.bin --steps 1",
    "train --data digits --out new --steps 1 --weights PATH",
    "sweep --data PATH --out new --steps 1 --workers 1",
    "sweep PATH --out new",
    "analyze PATH",
    "compare PATH",
    "report PATH -o new.html",
    "publish PATH -o new",
    "doctor PATH",
    "methods PATH",
    "advise PATH",
    "score PATH",
    "score --codes PATH",
    "score --codes codes.npy --factors PATH",
    "figure kl PATH -o new.svg",
    "export PATH --to h5ad -o new.h5ad",
    "import state-dict PATH --out new",
    "import disvae PATH --out new",
    "import huggingface PATH --out new",
    "import pythae PATH --out new",
    "import --adapter PATH --weights noise.bin --out new",
    "debias PATH",
    "explain PATH",
    "intervene PATH",
    "leakage PATH",
    "likelihood PATH",
    "outliers PATH --against digits",
    "outliers run --against PATH",
    "probe PATH",
    "support PATH",
    "data show PATH",
    "data check PATH",
    "dashboard PATH --no-browser",
]
NUMBERS = [
    *(f"train --data digits --out new --{name} VALUE" for name in ("steps", "latent-dim", "batch-size", "sigma")),
    *(f"train --data digits --out new --{name} VALUE" for name in ("learning-rate", "seed", "threads", "log-every")),
    *(f"train --data digits --out new --{name} VALUE" for name in ("checkpoint-every", "decay", "beta")),
    *(f"sweep --data digits --out new --{name} VALUE" for name in ("seeds", "workers", "latent-dim", "beta")),
    "analyze run --projection-rows VALUE",
    "analyze run --resamples VALUE",
    "debias run --bins VALUE",
    "debias run --smoothing VALUE",
    "dashboard run --no-browser --port VALUE",
]
VALUES = ("-1", "nan", "9" * 400)


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("odd")
    write_run(root / "run", 4.0, 0)
    (root / "file.txt").write_text("mine")
    (root / "noise.bin").write_bytes(bytes(range(256)) * 4)
    (root / "nothing.npz").touch()
    (root / "empty").mkdir()
    os.mkfifo(root / "pipe")
    np.save(root / "codes.npy", np.random.default_rng(0).normal(size=(30, 3)))
    return root


def refused(line: str, odd: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = run([odd if word in ("PATH", "VALUE") else word for word in line.split()])
    said = capsys.readouterr()
    assert status in (1, 2), said
    assert said.err.count("\n") == 1, said.err
    assert said.err.startswith("latentlab: ")
    assert len(said.err) <= 201


@pytest.mark.parametrize("line", LINES)
def test_a_wrong_path_is_one_line(
    material: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    monkeypatch.chdir(material)
    for odd in PATHS:
        refused(line, odd, capsys)
    assert not [path for path in material.iterdir() if path.name.startswith("new")]


@pytest.mark.parametrize("line", NUMBERS)
def test_a_wrong_number_is_one_line(
    material: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    monkeypatch.chdir(material)
    for odd in VALUES:
        refused(line, odd, capsys)
    assert not [path for path in material.iterdir() if path.name.startswith("new")]


def test_every_verb_is_tried() -> None:
    tried = {line.split()[0] for line in LINES}
    reads_no_path = {"demo", "metrics", "teach", "zoo"}
    assert {name.rstrip("_") for name in names("cli")} - tried == reads_no_path
