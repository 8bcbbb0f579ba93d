"""What a latent space is for, of one run: outliers, debiasing weights, few labels, what a dimension does.

Each function lets the torch half fill containers and the NumPy half read them, and keeps its answer in a file of the
run with the hashes of what it was made from. The verbs of the same names call these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab import debiasing, effects, probes
from latentlab.data import Dataset
from latentlab.data._fingerprint import agree
from latentlab.data._polarity import inverted, light_ground
from latentlab.debiasing import BINS, SMOOTHING, Combine, Commonness, commonness
from latentlab.decodings import Decodings, save_decodings
from latentlab.effects import Effects, load_effects, save_effects
from latentlab.errors import InputError
from latentlab.files import MERGE_PATIENCE, kept_json, lock, sha256, write_json
from latentlab.hdf5 import made_from
from latentlab.labels import labelled
from latentlab.outliers import FILE as OUTLIERS
from latentlab.outliers import (
    areas,
    best_baseline,
    beyond,
    constant_images,
    detect,
    image_scores,
    load_outliers,
    model_scores,
)
from latentlab.probes import DRAWS, ESTIMATORS, SIZES, Curve, few_label_curve, load_probes
from latentlab.runs import Run, data_of, model_hash
from latentlab.score import plain
from latentlab.selections import extremes

if TYPE_CHECKING:
    from latentlab.codes import Codes
    from latentlab.models import Model

FORMAT = 1
ROWS = 10_000
SHOWN = 24
COMPARED = 100  # images of equal ids that tell whether rows were trained on
Progress = Callable[[float, float, str], None]


def _silent(done: float, total: float, note: str = "") -> None:
    """Say nothing."""


def debias(
    run: Run,
    data: Dataset | None = None,
    *,
    split: str | None = None,
    combine: Combine = "product",
    bins: int = BINS,
    smoothing: float = SMOOTHING,
    adapter: str | Model | None = None,
    progress: Progress = _silent,
) -> Commonness:
    """How common each training row is under the run's latent distribution; the extremes stay in ``debiasing.h5``.

    ``data`` and ``split`` are what the run was trained on unless they say otherwise. The file holds the rarest and the
    commonest rows, each with its reconstruction; see `latentlab.debiasing.commonness` for the weights.
    """
    from latentlab.decoding import reconstruct
    from latentlab.judging import judge
    from latentlab.models import load_model

    part = trained_rows(run, data, split)
    model = load_model(run, adapter)
    progress(0, 2, "encode")
    codes = judge(model, part, distortion=False, workers=None if adapter is None else 1)
    found = commonness(codes, bins=bins, smoothing=smoothing, combine=combine)
    progress(1, 2, "decode the extremes")
    of_row, classes = _classes(part)
    parts, summary = {}, {**found.settings, "effective": found.effective, "data": part.name}
    for name, rows in zip(("commonest", "rarest"), extremes(found.weights, SHOWN), strict=True):
        made = reconstruct(model, codes, part, rows) if run.decodes else Decodings(part[rows], codes.mean[rows])
        told = {"kind": name, "rows": codes.row_ids[rows].tolist(), "weights": found.weights[rows].tolist()}
        parts[name] = replace(
            made, settings={**told, "classes": [classes[k] for k in of_row[rows]], "summary": summary}
        )
    with lock(run.path, MERGE_PATIENCE):
        inputs = {"model": model_hash(run), "source": plain(part.source), "fingerprint": part.fingerprint}
        save_decodings(run.path / debiasing.FILE, parts, inputs)
    progress(2, 2, "")
    return found


def shares(data: Dataset, found: Commonness) -> list[dict[str, Any]]:
    """Each class's share of the rows and of the weights: what drawing by the weights would do to it.

    Of the labels, else of the first categorical factor; nothing where neither is known. No weight was made from it.
    """
    of_row, classes = _classes(data)
    weight = found.weights / found.weights.sum()
    every = [(name, of_row == k) for k, name in enumerate(classes)] if len(classes) > 1 else []
    return [
        {"class": name, "rows": int(here.sum()), "share": float(here.mean()), "weighted": float(weight[here].sum())}
        for name, here in every
    ]


def _classes(data: Dataset) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The class of each row and the classes' names; one without a name where nothing is known."""
    if data.labels is not None:
        numbers, names = data.labels, data.label_names
    else:
        k = next((k for k, spec in enumerate(data.specs) if spec.kind == "categorical" and spec.levels > 1), None)
        if k is None or data.factors is None or np.isnan(data.factors[:, k]).any():
            return np.zeros(len(data), np.int64), ("",)
        numbers, names = data.factors[:, k].astype(np.int64), tuple(map(str, data.specs[k].values))
    seen, of_row = np.unique(numbers, return_inverse=True)
    missing = data.labels is not None and not labelled(data.labels).all()
    named = {k: names[k] if 0 <= k < len(names) else str(k) for k in seen} | ({-1: "unlabelled"} if missing else {})
    return of_row, tuple(named[k] for k in seen)


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
    from latentlab.encoding import analysed
    from latentlab.judging import judge
    from latentlab.models import load_model

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


def probe(
    run: Run,
    *,
    factor: str | None = None,
    estimators: Sequence[str] = tuple(ESTIMATORS),
    sizes: Sequence[int] = SIZES,
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, Curve]:
    """Few-label curves of the run's codes, by estimator; kept in ``probes.json`` and not made again while they hold."""
    inputs = {
        "codes": sha256(run.codes_path) if run.has("encode") else "",
        "factor": factor,
        "sizes": list(sizes),
        "draws": draws,
        "seed": seed,
    }
    curves = _curves(run, inputs)
    missing = [name for name in estimators if name not in curves]
    if missing:
        codes = run.codes()
        fresh = {
            name: few_label_curve(codes, factor=factor, estimator=name, sizes=sizes, draws=draws, seed=seed)
            for name in missing
        }
        with lock(run.path, MERGE_PATIENCE):
            curves = _curves(run, inputs) | fresh
            kept = {name: plain(each.to_json()) for name, each in curves.items()}
            write_json(run.path / probes.FILE, {"format": FORMAT, "inputs": inputs, "curves": kept})
    return {name: curves[name] for name in estimators}


def _curves(run: Run, inputs: dict[str, Any]) -> dict[str, Curve]:
    """The curves in ``probes.json`` that were made from just that."""
    if kept_json(run.path / probes.FILE).get("inputs") != inputs:
        return {}
    try:
        return load_probes(run)
    except InputError:  # not there, or damaged: they are made anew
        return {}


def explain(
    run: Run,
    *,
    rows: int | None = None,
    steps: int | None = None,
    seed: int = 0,
    adapter: str | Model | None = None,
) -> Effects:
    """What each latent dimension does to the picture; kept in ``effects.h5`` and not made again while it holds."""
    from latentlab.models import load_model
    from latentlab.sensitivity import ROWS as AROUND
    from latentlab.sensitivity import STEPS, measure

    if not run.decodes:
        raise InputError(f"{run.path} has no decoder, so what a dimension does to the picture cannot be computed")
    path, rows, steps = run.path / effects.FILE, rows or AROUND, steps or STEPS
    codes = run.codes()
    inputs = {
        "model": model_hash(run),
        "codes": sha256(run.codes_path),
        "rows": rows,
        "steps": steps,
        "seed": seed,
    }
    if made_from(path) != inputs:
        found = measure(load_model(run, adapter), codes, rows=rows, steps=steps, seed=seed)
        with lock(run.path, MERGE_PATIENCE):
            save_effects(path, found, inputs)
    return load_effects(path)


def trained_rows(run: Run, data: Dataset | None = None, split: str | None = None) -> Dataset:
    """The rows that the run was trained on, or the part of `data` that is named, all of it where none is."""
    split = split or (run.config.split if data is None else "all")
    found = (data_of(run) if data is None else data).split(split)
    if found.image_shape != run.config.image_shape:
        came, expected = ("×".join(map(str, shape)) for shape in (found.image_shape, run.config.image_shape))
        raise InputError(f"{found.name} has images {came}, {run.path} was trained on {expected}; choose other --data")
    return found


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
