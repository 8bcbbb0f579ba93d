"""A study small enough to hand around: float16 weights or none, some rows of codes, no training state.

What stages made travels with it (`Stage.private` says what does not); `left_out` says in words what a copy lacks.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from latentlab.codes.h5ad import read_rows, save_codes
from latentlab.data.dataset import Rows
from latentlab.errors import InputError
from latentlab.exchange.exporters._needs import new_folder
from latentlab.runs.data import environment_of
from latentlab.runs.folders import refuse_links
from latentlab.runs.health import NOTES, TRAINED
from latentlab.runs.identity import labelled, training_of
from latentlab.runs.kept import FULL, inputs_of
from latentlab.runs.run import Run
from latentlab.runs.stage import Stage, stages
from latentlab.runs.study import Study
from latentlab.system.files import LOCK, read_record, sha256, write_bytes, write_json
from latentlab.system.hdf5 import publishing
from latentlab.system.registry import resolve

TAKES = "study"
ROWS = 5000
COPIED = ("config.json", "history.jsonl", NOTES)
Inputs = dict[str, Any]


def write(study: Study, out: Path, *, rows: int = ROWS, weights: bool = True, seed: int = 0) -> Study:
    """A small copy of a study: float16 weights or none, some seeded rows of codes, no training state.

    The rows carry the SHA-256 of the full ``codes.h5ad`` they were drawn from. Scores and answers to questions are
    those of the full codes and weights.
    """
    for run in study:
        refuse_links(run)
    if study.broken:
        name, why = next(iter(study.broken.items()))
        raise InputError(f"{study.path} has a broken run, {name}; restore or remove it ({why})"[:200])
    with new_folder(out):
        for run in study:
            _copy_run(run, out / run.name, rows, seed, weights=weights)
    return Study(out)


def left_out(study: Study, *, rows: int = ROWS, weights: bool = True, seed: int = 0) -> list[str]:
    """What a copy of the study lacks, in words."""
    runs = study.runs
    files = {path.name: path for run in runs for path in run.path.iterdir()}
    told = ["training.safetensors (the state that a resume reads)"] if "training.safetensors" in files else []
    if any(run.config.has_model for run in runs):
        told += ["half the precision of the weights (float16)" if weights else "the weights"]
    told += ["the folders that runs were trained in"] if "environment.json" in files else []
    most = max((len(read_rows(run.codes_path)) for run in runs if run.has("encode")), default=0)
    told += [f"all but {rows:,} rows of each run's codes"] if most > rows else []
    told += [
        f"{stage.name} ({stage.private})"
        for stage in stages().values()
        if stage.private and set(stage.files) & set(files)
    ]
    known = {*TRAINED, NOTES, LOCK, *(file for stage in stages().values() for file in stage.files)}
    others = sorted(files.keys() - known)
    return told + (
        [f"files that are not latentlab's: {', '.join(others[:3])}{' …' * (len(others) > 3)}"] if others else []
    )


def _copy_run(run: Run, out: Path, rows: int, seed: int, *, weights: bool) -> None:
    for name in COPIED:
        if (run.path / name).is_file():
            write_bytes(out / name, (run.path / name).read_bytes())
    if (run.path / "environment.json").is_file():
        machine = environment_of(run)
        write_json(out / "environment.json", {key: part for key, part in machine.items() if key != "place"})
    full, here = {}, {}
    if run.config.has_model:
        _half_weights(run, out / "model.safetensors", keep=weights)
        full, here = {"model": sha256(run.model_path)}, {"model": sha256(out / "model.safetensors")}
    row_ids = None
    if run.has("encode"):
        full["codes"] = sha256(run.codes_path)
        row_ids = _copy_codes(run, out / run.codes_path.name, rows, seed, full, here)
        here["codes"] = sha256(out / run.codes_path.name)
    for stage in stages().values():
        if stage.name != "encode" and not stage.private:
            _copy_stage(run, stage, out, row_ids, lambda inputs: _renewed(inputs, full, here))


def _half_weights(run: Run, out: Path, *, keep: bool) -> None:
    """The weights in float16; without them the file says only how far they were trained."""
    from safetensors.numpy import load_file, save

    weights = {name: array.astype(np.float16) for name, array in load_file(run.model_path).items() if keep}
    write_bytes(out, labelled(save(weights), run.step, training_of(run.model_path)))


def _copy_codes(run: Run, out: Path, rows: int, seed: int, full: dict[str, str], here: dict[str, str]) -> Rows:
    """Some seeded rows of the codes, which say what they were drawn from; the ids of these rows."""
    codes = run.codes()
    some = codes.take(codes.drawn(rows, seed))
    inputs = codes.provenance.get("inputs", {})
    before = codes.provenance  # a copy of a copy was drawn from what the first was drawn from
    hashes = {f"{FULL}{key}": before.get(f"{FULL}{key}", digest) for key, digest in full.items()}
    drawn = {"of_rows": before.get("of_rows", len(codes)), **hashes, "rows_seed": seed}
    model = {"model": here["model"]} if "model" in here and inputs.get("model") == full["model"] else {}
    save_codes(out, replace(some, provenance={**codes.provenance, **drawn, "inputs": {**inputs, **model}}))
    return some.row_ids


def _renewed(inputs: Inputs, full: dict[str, str], here: dict[str, str]) -> Inputs:
    """The inputs with the hashes of the copy's files; one that was wrong stays wrong, so that stale stays stale."""
    right = [key for key in full if inputs.get(key) == full[key]]
    return {f"{FULL}{key}": full[key] for key in right} | inputs | {key: here[key] for key in right}


def _copy_stage(run: Run, stage: Stage, out: Path, row_ids: Rows | None, renew: Callable[[Inputs], Inputs]) -> None:
    for path in (run.path / file for file in stage.files):
        if not path.is_file():
            continue
        inputs = renew(inputs_of(path, stage.format))
        if stage.thin and row_ids is not None:
            resolve(stage.thin)(path, out / path.name, row_ids, inputs)
        elif path.suffix == ".json":
            _copy_json(path, out / path.name, stage, inputs)
        else:
            with publishing(out / path.name, source=path) as file:
                file.attrs["inputs"] = json.dumps(inputs, sort_keys=True)


def _copy_json(path: Path, out: Path, stage: Stage, inputs: Inputs) -> None:
    record = read_record(path, stage.format)
    model = {"model": inputs.pop("model")} if "model" in record else {}
    write_json(out, {**record, **model, **({"inputs": inputs} if inputs else {})})
