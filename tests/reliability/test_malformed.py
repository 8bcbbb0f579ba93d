"""Malformed files of every kind: exit status 2 and one line of at most 200 characters, or 0 where they mean something.

Long form: 3,000 inputs. Time and memory of each are measured and the largest printed (``-s``); memory is bounded here.
"""

from __future__ import annotations

import gzip
import json
import random
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mutations import mutated
from victims import Victims, many

from latentlab.system.files import TEMPORARY

pytestmark = pytest.mark.reliability

MORE = 300  # MiB that reading what is malformed may take beyond what doing nothing takes
PLAN = 'data = "missing.npz"\nbeta = ["ae", 1, 4]\nseeds = 2\nlatent_dim = [2, 5]\nsteps = 10\nnetwork = "mlp"\n'

Command = Callable[[Path], list[str | Path]]
# File to mutate → the command line that reads it, in a folder that holds a copy of the finished run.
READERS: dict[str, Command] = {
    "run/config.json": lambda here: ["analyze", here / "run", "--only", "traverse", "--quiet"],
    "run/model.safetensors": lambda here: ["analyze", here / "run", "--only", "encode", "--quiet"],
    "run/codes.h5ad": lambda here: ["score", here / "run/codes.h5ad", "--metric", "mig", "--resamples", "0"],
    "run/decodings.h5": lambda here: ["figure", "traversals", here / "run", "-o", here / "x.svg"],
    "run/projections.h5": lambda here: ["figure", "projection", here / "run", "-o", here / "x.svg"],
    "run/scores.json": lambda here: ["compare", here, "--json"],
    "run/history.jsonl": lambda here: ["compare", here, "--json"],
    "run/notes.json": lambda here: ["figure", "kl", here / "run", "-o", here / "x.svg"],
    "data.npz": lambda here: ["train", "--data", here / "data.npz", "--out", here / "new", "--steps", "1", "--quiet"],
    "idx/train-images-idx3-ubyte.gz": lambda here: ["data", "check", here / "idx"],
    "plan.toml": lambda here: ["sweep", here / "plan.toml", "--out", here / "study"],
    "weights.pt": lambda here: ["import", "state-dict", here / "weights.pt", "--network", "shallow",
                                "--data", here / "data.npz", "--out", here / "imported"],
}  # fmt: skip


@pytest.fixture(scope="session")
def sound(ground: Path, finished: tuple[Path, dict[str, float]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every file of `READERS` is sound."""
    import torch
    from safetensors.torch import load_file

    here = tmp_path_factory.mktemp("sound")
    shutil.copytree(
        finished[0], here / "run", ignore=shutil.ignore_patterns("training.safetensors", "out.h5ad", ".lock")
    )
    note = {"dimensions": {"0": {"name": "size", "note": "how large"}}, "selections": {}}
    (here / "run/notes.json").write_text(json.dumps(note))
    shutil.copy(ground / "data.npz", here)
    (here / "idx").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (20, 8, 8), np.uint8)
    packed = gzip.compress(struct.pack(">IIII", 2051, 20, 8, 8) + pixels.tobytes(), mtime=0)
    (here / "idx/train-images-idx3-ubyte.gz").write_bytes(packed)
    (here / "plan.toml").write_text(PLAN)
    torch.save(load_file(here / "run/model.safetensors"), here / "weights.pt")
    return here


@pytest.mark.parametrize("name", READERS)
def test_one_line(victims: Victims, sound: Path, tmp_path: Path, name: str) -> None:
    chance = random.Random(name)
    idle = victims.run("--version").peak
    slowest = largest = 0.0
    content = (sound / name).read_bytes()
    for number in range(many(250, 3)):
        here = tmp_path / str(number)
        shutil.copytree(sound, here)
        bad = mutated(content, chance)
        (here / name).write_bytes(bad)
        end = victims.run(*READERS[name](here))
        said = f"{name}, input {number}: {end.errors}"
        partial = READERS[name](here)[0] == "compare"  # whose other runs are still shown
        assert end.status in ((0, 1, 2) if partial else (0, 2)), said
        if end.status:
            line = end.errors.replace(str(here), "")
            assert len(end.errors.splitlines()) == 1, said
            assert len(line) <= 200 + len("latentlab: "), said
        assert end.peak < idle + MORE, f"{said} took {end.peak - idle:.0f} MiB"
        assert not list(here.rglob(f"{TEMPORARY}*")), said
        slowest, largest = max(slowest, end.seconds), max(largest, end.peak - idle)
        shutil.rmtree(here)
    print(f"{name}: at most {slowest:.2f} s and {largest:.0f} MiB more")


@pytest.mark.parametrize("name", ["run/config.json", "plan.toml", "idx/train-images-idx3-ubyte.gz"])
def test_cut_at_every_byte(victims: Victims, sound: Path, tmp_path: Path, name: str) -> None:
    content, whole = (sound / name).read_bytes(), victims.run(*READERS[name](sound)).status
    places = range(len(content)) if many(1, 0) else random.Random(name).sample(range(len(content)), 2)
    for at in places:
        here = tmp_path / "cut"
        shutil.copytree(sound, here)
        (here / name).write_bytes(content[:at])
        end = victims.run(*READERS[name](here))
        said = f"{name} cut at {at} of {len(content)}: {end.errors}"
        assert end.status == (2 if content[at:].strip() else whole), said
        assert len(end.errors.splitlines()) == (end.status == 2), said
        shutil.rmtree(here)
