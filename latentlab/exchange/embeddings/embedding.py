"""Codes without their model as a run: config.json and codes.h5ad, and every verb that needs no model goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from latentlab.codes.codes import Codes
from latentlab.codes.h5ad import FORMAT, save_codes
from latentlab.data._fingerprint import digest
from latentlab.errors import InputError
from latentlab.results import plain
from latentlab.runs.config import NO_NETWORK, RunConfig
from latentlab.runs.run import Run
from latentlab.system.files import lock, unless_damaged, write_json
from latentlab.system.validation import validate

WIDEST = 4096  # latent dimensions
LONGEST_NAME = 80


@dataclass(frozen=True, eq=False)
class Embedding:
    """Codes that were computed elsewhere, what they are called, where their rows came from, and how they were read.

    ``name`` is the setting's label in tables and figures, ``rows`` what the data are called, ``seed`` which of several
    runs of that setting this is, ``file`` what they were read from. ``recorded`` goes into the run's configuration:
    ``format``, ``file``, ``sha256`` and the ``options`` of the import.
    """

    codes: Codes
    name: str
    rows: str
    seed: int = 0
    file: Path | None = None
    recorded: Mapping[str, Any] = field(default_factory=dict)


def publish(found: Embedding, out: Path) -> Run:
    """Write the run; the same one that is there already stays, and another is refused."""
    config = _config(found)
    codes = replace(found.codes, provenance=_provenance(found, out))
    if (out / "config.json").is_file():
        run = Run(out)
        if run.config.model_dump(exclude={"hardware"}) == config.model_dump(exclude={"hardware"}):
            if unless_damaged(run.codes) is None:
                with lock(out):
                    save_codes(run.codes_path, codes)
            return run
    if out.exists() and (not out.is_dir() or any(each for each in out.iterdir() if not each.name.startswith("."))):
        raise InputError(f"{out} exists and is not empty; choose another folder or remove it")
    with lock(out):
        save_codes(out / "codes.h5ad", codes)
        write_json(out / "config.json", config.model_dump(mode="json"))
    return Run(out)


def _config(found: Embedding) -> RunConfig:
    name = " ".join(found.name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise InputError(f"the name has {len(name)} letters; expected 1 to {LONGEST_NAME}: --name NAME")
    content = {
        "data": "none",
        "imported": plain({**found.recorded, "content": _content(found.codes)}),
        "rows": len(found.codes),
        "source": _source(found),
        "form": None,
        "network": NO_NETWORK,
        "latent_dim": found.codes.latent_dim,
        "likelihood": "none",
        "objective": {"name": name},
        "stochastic": found.codes.variance is not None,
        "steps": 0,
        "learning_rate": 0,
        "seed": found.seed,
    }
    config: RunConfig = validate(RunConfig, content, "the codes")
    return config


def _source(found: Embedding) -> dict[str, Any]:
    return {"name": found.rows, "rows": _fingerprint(found.codes)["images"]}


def _provenance(found: Embedding, out: Path) -> dict[str, Any]:
    inputs = {
        "source": _source(found),
        "fingerprint": _fingerprint(found.codes),
        "rows": len(found.codes),
        "split": "all",
        "format": FORMAT,
    }
    stochastic = found.codes.variance is not None
    return {"inputs": inputs, "run": out.resolve().name, "label": found.name, "stochastic": stochastic}


def _fingerprint(codes: Codes) -> dict[str, str]:
    """Which rows these are and what is known of them, whatever their order: alike for embeddings of the same rows."""
    order = np.argsort(codes.row_ids, kind="stable")
    described = [repr((spec.name, spec.kind, *spec.values)) for spec in codes.specs]
    factors = "" if codes.factors is None else digest(codes.factors[order], *described)
    labels = "" if codes.labels is None else digest(codes.labels[order], *codes.label_names)
    return {"images": digest(codes.row_ids[order]), "factors": factors, "labels": labels}


def _content(codes: Codes) -> str:
    """A hash of all that is imported: the same import again is the same run."""
    arrays = [each for each in (codes.mean, codes.variance, codes.row_ids) if each is not None]
    names = [] if codes.row_names is None else codes.row_names.tolist()
    return digest(*arrays, *_fingerprint(codes).values(), *names)
