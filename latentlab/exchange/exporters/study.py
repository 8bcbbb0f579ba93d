"""A study small enough to hand around: float16 weights or none, some rows of codes, no training state."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from latentlab.codes.h5ad import save_codes
from latentlab.codes.projections import save_projections
from latentlab.errors import InputError
from latentlab.exchange.exporters._needs import new_folder
from latentlab.runs.data import environment_of
from latentlab.runs.run import Run, refuse_links
from latentlab.runs.study import Study
from latentlab.system.files import read_json, sha256, write_bytes, write_json
from latentlab.system.hdf5 import made_from

TAKES = "study"
ROWS = 5000


def write(study: Study, out: Path, *, rows: int = ROWS, weights: bool = True, seed: int = 0) -> Study:
    """A small copy of a study: float16 weights or none, some seeded rows of codes, no training state.

    The rows carry the SHA-256 of the full ``codes.h5ad`` they were drawn from. Scores are those of the full codes.
    """
    for run in study:
        refuse_links(run)
    if study.broken:
        name, why = next(iter(study.broken.items()))
        raise InputError(f"{study.path} has a broken run, {name}; restore or remove it ({why})"[:200])
    with new_folder(out):
        for run in study:
            _export_run(run, out / run.name, rows, seed, weights=weights)
    return Study(out)


def _export_run(run: Run, out: Path, rows: int, seed: int, *, weights: bool) -> None:
    for name in ("config.json", "history.jsonl", "decodings.h5", "notes.json"):
        if (run.path / name).is_file():
            write_bytes(out / name, (run.path / name).read_bytes())
    if (run.path / "environment.json").is_file():
        machine = environment_of(run)
        write_json(out / "environment.json", {key: part for key, part in machine.items() if key != "place"})
    _half_weights(run.model_path, out / "model.safetensors", keep=weights)
    if run.has("encode"):
        _export_codes(run, out, rows, seed)


def _half_weights(path: Path, out: Path, *, keep: bool) -> None:
    """The weights in float16; without them the file says only how far they were trained."""
    from safetensors.numpy import load_file, save

    from latentlab.runs.run import safetensors_metadata

    weights = {name: array.astype(np.float16) for name, array in load_file(path).items() if keep}
    write_bytes(out, save(weights, metadata=safetensors_metadata(path)))


def _export_codes(run: Run, out: Path, rows: int, seed: int) -> None:
    codes, full, full_model = run.codes(), sha256(run.codes_path), sha256(run.model_path)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(codes))[:rows])
    inputs = codes.provenance.get("inputs", {})
    drawn = {"of_rows": len(codes), "full_codes": full, "full_model": full_model, "rows_seed": seed}
    # A hash is renewed only where it was right: what is stale stays stale in the copy.
    model = {"model": sha256(out / "model.safetensors")} if inputs.get("model") == full_model else {}
    provenance = {**codes.provenance, **drawn, "inputs": {**inputs, **model}}
    some = replace(codes.take(chosen), provenance=provenance)
    save_codes(out / "codes.h5ad", some)
    here = sha256(out / "codes.h5ad")
    if run.has("project"):
        kept = {name: _among(projection, some.row_ids) for name, projection in run.projections().items()}
        source = made_from(run.projections_path)
        renewed = {"codes": here, "full_codes": full} if source.get("codes") == full else source
        save_projections(out / "projections.h5", kept, renewed)
    for name in ("scores.json", "leakage.json"):
        if (run.path / name).is_file():
            found = read_json(run.path / name)
            if not isinstance(found, dict) or not isinstance(found.get("inputs"), dict):
                raise InputError(f"{run.path / name} does not say what it was made from; make it anew")
            if found["inputs"].get("codes") == full:
                found["inputs"] |= {"codes": here, "full_codes": full} | (model if "model" in found["inputs"] else {})
            write_json(out / name, found)


def _among(projection: Any, row_ids: Any) -> Any:
    """The part of a projection whose rows are kept; the picture is that of the full codes."""
    keep = np.isin(projection.row_ids, row_ids)
    return replace(projection, xy=projection.xy[keep], row_ids=projection.row_ids[keep])
