"""The loaders that read what others made, each with a sound file, and what may come of a malformed one."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from toy import write_run

from latentlab.analysis.score.arrays import read_arrays
from latentlab.codes.decodings import load_decodings
from latentlab.codes.h5ad import load_codes
from latentlab.codes.projections import load_projections
from latentlab.data import load
from latentlab.errors import InputError
from latentlab.exchange.embeddings.anndata import read_h5ad
from latentlab.exchange.exporting import export
from latentlab.models.weights import read_weights
from latentlab.runs.health import environment
from latentlab.runs.run import Run
from latentlab.training.environment import write_environment
from latentlab.training.plan import read_plan

PLAN = 'data = "missing.npz"\nbeta = ["ae", 1, 4]\nseeds = 2\nlatent_dim = [2, 5]\nsteps = 10\nnetwork = "mlp"\n'


def _all(data: Any) -> None:
    data[0 : len(data)]


# The name under which a loader expects its file, and the loader.
LOADERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "checkpoint": ("weights.pt", read_weights),
    "safetensors": ("weights.safetensors", read_weights),
    "codes": ("codes.h5ad", load_codes),
    "anndata": ("cells.h5ad", lambda path: read_h5ad(path, "X_pca")),
    "decodings": ("decodings.h5", load_decodings),
    "projections": ("projections.h5", load_projections),
    "idx": ("idx/train-images-idx3-ubyte.gz", lambda path: _all(load(str(path.parent)))),
    "npz": ("data.npz", lambda path: _all(load(str(path)))),
    "csv": ("codes.csv", read_arrays),
    "config": ("run/config.json", lambda path: Run(path.parent).config.label),
    "environment": ("run/environment.json", lambda path: environment(Run(path.parent))),
    "scores": ("run/scores.json", lambda path: Run(path.parent).scores()),
    "notes": ("run/notes.json", lambda path: Run(path.parent).notes()),
    "history": ("run/history.jsonl", lambda path: Run(path.parent).history()),
    "plan": ("plan.toml", read_plan),
}


def sound_files(folder: Path) -> dict[str, Path]:
    """A sound file for each loader."""
    import torch
    from safetensors.torch import save_file

    run = write_run(folder / "run", 4.0, 0)
    note = {
        "dimensions": {"0": {"name": "size", "note": "how large"}},
        "selections": {"rare": {"rows": [3], "note": ""}},
    }
    write_environment(run, 100, 1.0)
    (run.path / "notes.json").write_text(json.dumps(note))
    state = {"fc.weight": torch.ones(4, 3), "fc.bias": torch.zeros(4)}
    torch.save(state, folder / "weights.pt")
    save_file(state, folder / "weights.safetensors")
    random = np.random.default_rng(0)
    np.savez(folder / "data.npz", images=random.integers(0, 256, (20, 8, 8), np.uint8), labels=np.arange(20) % 3)
    np.savetxt(folder / "codes.csv", random.standard_normal((20, 3)), delimiter=",", header="a,b,c", comments="")
    (folder / "idx").mkdir()
    pixels = random.integers(0, 256, (20, 8, 8), np.uint8)
    packed = gzip.compress(struct.pack(">IIII", 2051, 20, 8, 8) + pixels.tobytes(), mtime=0)
    (folder / "idx" / "train-images-idx3-ubyte.gz").write_bytes(packed)
    (folder / "plan.toml").write_text(PLAN)
    export(run, folder / "cells.h5ad", "h5ad")
    places = {"codes": "run/codes.h5ad", "decodings": "run/decodings.h5", "projections": "run/projections.h5"}
    return {name: folder / places.get(name, LOADERS[name][0]) for name in LOADERS}


def problem(name: str, content: bytes, folder: Path) -> tuple[str, str]:
    """What went wrong when a loader read `content` (nothing, if it did as it should), and its message."""
    where, read = LOADERS[name]
    path = folder / where
    if path.parent.name == "run" and not path.parent.exists():
        write_run(path.parent, 4.0, 0, analysed=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    try:
        read(path)
    except InputError as error:
        message = str(error).replace(str(folder), "")
        wrong = "a message of several lines" if "\n" in message else "a long message" if len(message) > 200 else ""
        return wrong, message
    except Exception as error:  # what is looked for
        return type(error).__name__, " ".join(str(error).split())[:100]
    return "", ""
