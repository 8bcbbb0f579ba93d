"""The leakage of runs: a reader learnt from their data, traversals decoded by each, the number kept beside the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.analysis.leakage.measure import leakage
from latentlab.analysis.leakage.reader import Reader, learn
from latentlab.analysis.leakage.record import FILE, load_leakage, save_leakage
from latentlab.data import Dataset, load
from latentlab.data._fingerprint import agree
from latentlab.errors import InputError, LatentlabError
from latentlab.results import Score, plain
from latentlab.runs.images import dataset_of
from latentlab.runs.run import Run, model_hash
from latentlab.system.files import MERGE_PATIENCE, lock, sha256

if TYPE_CHECKING:
    from latentlab.models import Model

ANCHORS = 16
Progress = Callable[[float, float, str], None]


def leakage_of(
    run: Run, reader: Reader, *, anchors: int = ANCHORS, seed: int = 0, adapter: str | Model | None = None
) -> Score:
    """The leakage of one run around `anchors` seeded random rows of its codes, over each dimension's 95 % of codes."""
    from latentlab.models.decoding import around
    from latentlab.models.live import live

    if not run.encodes:
        raise InputError(f"{run.name} has no encoder, so there are no rows of the data to move around")
    codes, model = run.codes(), live(run, adapter)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(codes))[:anchors])
    return leakage(around(model.ready(), codes, chosen), reader, seed=seed)


def measure_leakage(
    runs: Sequence[Run],
    data: Dataset | str | None = None,
    *,
    anchors: int = ANCHORS,
    seed: int = 0,
    adapter: str | Model | None = None,
    progress: Progress | None = None,
) -> tuple[dict[str, Score], dict[str, LatentlabError]]:
    """The leakage of every run, kept in its ``leakage.json``, and why some have none; what is there is not made again.

    One reader is learnt for all runs of the same images. ``data`` is by default what the run's codes were made from.
    """
    say = progress or (lambda done, total, note: None)
    given = None if data is None else load(data)
    readers: dict[str, Reader] = {}
    found: dict[str, Score] = {}
    failed: dict[str, LatentlabError] = {}
    for number, run in enumerate(runs):
        say(number, len(runs), run.name)
        try:
            found[run.name] = _kept(run, given, anchors, seed, adapter, readers)
        except LatentlabError as error:
            failed[run.name] = error
    say(len(runs), len(runs), "")
    return found, failed


def _kept(run: Run, given: Dataset | None, anchors: int, seed: int, adapter: Any, readers: dict[str, Reader]) -> Score:
    codes = run.codes()
    images = given if given is not None else dataset_of(run)
    if images.image_shape != tuple(run.config.image_shape):
        raise InputError(f"{images.name} has images {images.image_shape}; {run.name} makes {run.config.image_shape}")
    inputs = {
        "model": model_hash(run),
        "codes": sha256(run.codes_path),
        "data": plain(images.source),
        "fingerprint": images.fingerprint,
        "anchors": min(anchors, len(codes)),
        "seed": seed,
    }
    if (run.path / FILE).is_file():
        score, made_from = load_leakage(run)
        # A shared copy also names its full codes.
        if agree({key: made_from[key] for key in inputs if key in made_from}, inputs):
            return score
    key = str((images.spec, images.name, inputs["data"], inputs["fingerprint"]))
    if key not in readers:
        readers[key] = learn(images, seed=seed)
    score = leakage_of(run, readers[key], anchors=anchors, seed=seed, adapter=adapter)
    with lock(run.path, MERGE_PATIENCE):
        save_leakage(run, score, inputs)
    return score
