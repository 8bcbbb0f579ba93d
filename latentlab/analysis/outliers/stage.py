"""Out-of-distribution detection by a run, computed once per pair of data sets and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.analysis.outliers.measure import (
    areas,
    best_baseline,
    beyond,
    constant_images,
    detect,
    image_scores,
    model_scores,
)
from latentlab.analysis.outliers.record import FILE as OUTLIERS
from latentlab.analysis.outliers.record import load_outliers
from latentlab.data import Dataset
from latentlab.data._fingerprint import agree
from latentlab.data._polarity import inverted, light_ground
from latentlab.errors import InputError
from latentlab.results import plain
from latentlab.runs.data import trained_rows
from latentlab.runs.run import Run, model_hash
from latentlab.runs.stage import FORMAT, Progress, _silent
from latentlab.system.files import MERGE_PATIENCE, kept_json, lock, write_json

if TYPE_CHECKING:
    from latentlab.codes.codes import Codes
    from latentlab.models import Model


ROWS = 10_000

COMPARED = 100  # images of equal ids that tell whether rows were trained on


def outliers(
    run: Run,
    against: Dataset,
    data: Dataset | None = None,
    *,
    split: str | None = None,
    rows: int = ROWS,
    seed: int = 0,
    adapter: str | Model | None = None,
    progress: Progress = _silent,
) -> dict[str, Any]:
    """How well the run tells `against` from its own data, beside baselines.

    Kept in ``outliers.json``, an entry a set, and not judged again while it holds. Own rows are the test split of what
    the run was trained on (all of it where there is none), or those of ``data``; where some of them were trained on,
    the entry says so. At most `rows` of each side, seeded. Where one side is drawn light on dark and the other dark on
    light, the foreign one is inverted, and the entry says so.
    """
    from latentlab.models import load_model
    from latentlab.models.encoding import judge
    from latentlab.runs.data import analysed

    own, trained = analysed(run, data, split), trained_rows(run)
    if against.image_shape != own.image_shape:
        came, expected = ("×".join(map(str, each.image_shape)) for each in (against, own))
        raise InputError(f"{against.name} has images {came}, the run {expected}; resize them, as in PATH:size=28")
    images = [each.fingerprint["images"] for each in (own, against, trained)]
    inputs = {"own": own.source, "foreign": against.source, "of": [len(own), len(against)], "rows": rows, "seed": seed}
    inputs["fingerprint"] = dict(zip(("own", "foreign", "trained"), images, strict=True))
    called = _called(against, own.name, _kept(run))
    key = f"{own.name} against {called}"
    kept = _kept(run).get(key, {})
    if agree(kept.get("inputs", {}), plain(inputs)):
        return kept
    turned = light_ground(own) != light_ground(against)
    sides = {
        "own": _some(own, rows, seed),
        "foreign": _some(inverted(against) if turned else against, rows, seed),
        "reference": _some(trained, rows, seed),
        "constant": _constant(own),
    }
    model = load_model(run, adapter)
    judged = {}
    for number, (name, side) in enumerate(sides.items()):
        progress(number, len(sides), name)
        judged[name] = judge(model, side, seed=seed, workers=None if adapter is None else 1)
    scores = {name: _scores(judged[name], sides[name], judged["reference"], sides["reference"]) for name in sides}
    found = detect(scores["own"], scores["foreign"], seed=seed)
    entry = {
        "own": own.name,
        "against": called,
        "data": against.spec,
        "inverted": turned,
        "rows": [len(sides["own"]), len(sides["foreign"])],
        "own_rows_were_trained_on": _overlap(own, trained),
        "likelihood": run.config.likelihood,
        "scores": {name: each.to_json() for name, each in found.items()},
        "best_baseline": best_baseline(found)[:2],
        "beyond_baselines": list(beyond(found)),
        "constant_images": _controls(scores),
        "inputs": inputs,
    }
    progress(len(sides), len(sides), "")
    return _keep(run, key, entry)


def _called(against: Dataset, own: str, kept: dict[str, Any]) -> str:
    """The name of a foreign set; its specification where an entry of that name is of data in another place."""
    entry = kept.get(f"{own} against {against.name}", {})
    return against.name if entry.get("data", against.spec) == against.spec else against.spec or against.name


def _overlap(own: Dataset, trained: Dataset) -> bool:
    """Whether some of the own rows are among those that were trained on: equal row ids with equal images."""
    ids, here, there = np.intersect1d(own.row_ids, trained.row_ids, return_indices=True)
    some = np.unique(np.linspace(0, len(ids) - 1, min(len(ids), COMPARED)).astype(np.int64))
    equal = (own[here[some]] == trained[there[some]]).all(axis=(1, 2, 3)) if len(some) else np.zeros(1, bool)
    return bool(equal.mean() > 0.5)


def _scores(codes: Codes, data: Dataset, reference: Codes, trained: Dataset) -> dict[str, Any]:
    mean_image = trained[np.arange(len(trained))].mean(axis=0) / 255
    return {**model_scores(codes, reference), **image_scores(data[np.arange(len(data))], mean_image)}


def _controls(scores: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """AUROC of each score where every foreign image is of one grey level: any of the 256, or black."""
    levels = {"any": slice(None), "black": slice(1)}
    return {
        which: {name: areas(own, scores["constant"][name][rows])[0] for name, own in scores["own"].items()}
        for which, rows in levels.items()
    }


def _constant(own: Dataset) -> Dataset:
    images = constant_images(own.image_shape)
    return Dataset("constant", images.shape, images.__getitem__)


def _some(data: Dataset, rows: int, seed: int) -> Dataset:
    if len(data) <= rows:
        return data
    return data.take(np.sort(np.random.default_rng(seed).permutation(len(data))[:rows]))


def _kept(run: Run) -> dict[str, Any]:
    """The entries of ``outliers.json`` that the run's present weights made."""
    try:
        entries = load_outliers(run)
    except InputError:  # not there, or damaged: they are made anew
        return {}
    return entries if kept_json(run.path / OUTLIERS).get("model") == model_hash(run) else {}


def _keep(run: Run, key: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Put one entry beside the others in ``outliers.json``; it comes back as it will be read."""
    with lock(run.path, MERGE_PATIENCE):
        entries = {**_kept(run), key: plain(entry)}
        write_json(run.path / OUTLIERS, {"format": FORMAT, "model": model_hash(run), "entries": entries})
    return dict(entries[key])
