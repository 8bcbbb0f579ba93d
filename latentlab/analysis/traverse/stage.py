"""Traversals and reconstructions of a run, decoded once and kept in ``decodings.h5``."""

from __future__ import annotations

import torch

from latentlab.analysis.traverse import STAGE
from latentlab.codes.codes import Codes
from latentlab.codes.decodings import Decodings, save_decodings
from latentlab.data import Dataset
from latentlab.errors import InputError
from latentlab.models import Model, load_model
from latentlab.models.decoding import RECONSTRUCTED, Range, _check_encoded, reconstruct, traverse, typical_row
from latentlab.runs.data import analysed
from latentlab.runs.kept import kept
from latentlab.runs.run import Run
from latentlab.runs.weights import model_hash
from latentlab.system.files import sha256


def decode_run(
    run: Run,
    data: Dataset | None = None,
    *,
    split: str | None = None,
    anchor: int | str | None = None,
    seed: int = 0,
    adapter: str | Model | None = None,
) -> dict[str, Decodings]:
    """Traversals over both ranges and reconstructions of a run, kept in its ``decodings.h5``.

    ``anchor`` is a row's id or name; by default the row nearest to the median code. A deterministic encoder has no
    prior, so only the aggregate range is decoded for it. A model without an encoder has no reconstructions: its
    traversals go around a draw from the prior.
    """
    STAGE.check(run)
    images, codes = analysed(run, data, split) if run.encodes else None, run.codes()
    if images is not None:
        _check_encoded(run, codes, images)
    position = None if anchor is None else codes.position(anchor)
    known = None if position is None else int(codes.row_ids[position])
    inputs = {"model": model_hash(run), "codes": sha256(run.codes_path), "anchor": known, "seed": seed}
    return kept(
        run,
        STAGE,
        inputs,
        lambda: _decoded(run, codes, images, position, seed, adapter),
        lambda parts: save_decodings(run.decodings_path, parts, inputs),
    )


def _decoded(
    run: Run, codes: Codes, images: Dataset | None, position: int | None, seed: int, adapter: str | Model | None
) -> dict[str, Decodings]:
    if images is not None and len(codes) != len(images):
        raise InputError(
            f"{run.codes_path} has {len(codes)} rows but {images.name} has {len(images)}; encode this data first"
        )
    position = typical_row(codes) if position is None else position
    rows = codes.drawn(RECONSTRUCTED, seed)
    torch.set_num_threads(run.config.hardware.threads)
    model = load_model(run, adapter)
    ranges: tuple[Range, ...] = ("prior", "aggregate") if run.config.stochastic or not run.encodes else ("aggregate",)
    parts = {f"traversals-{r}": traverse(model, codes, position, over=r, images=images) for r in ranges}
    if images is not None:
        parts["reconstructions"] = reconstruct(model, codes, images, rows)
    return parts
