"""Out-of-distribution detection by a run, computed once per pair of data sets and kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.analysis.outliers import STAGE
from latentlab.analysis.outliers.measure import (
    areas,
    best_baseline,
    beyond,
    detect,
    model_scores,
)
from latentlab.analysis.outliers.record import FILE, Outliers, load_outliers
from latentlab.data import Dataset, Factor, load
from latentlab.data._fingerprint import agree
from latentlab.data._polarity import inverted, light_ground
from latentlab.data.dataset import Samples, check_form
from latentlab.data.kinds import kind_of
from latentlab.results import plain
from latentlab.runs.data import trained_rows
from latentlab.runs.kept import collected, made_from
from latentlab.runs.run import Run
from latentlab.runs.weights import model_hash
from latentlab.system.files import unless_damaged, write_json
from latentlab.system.progress import Progress, silent

if TYPE_CHECKING:
    from latentlab.models import Model


ROWS = 10_000

MATCHING = 2  # 1 compared all rows of the matched sets, not the two of each pair
THIS = ""  # the entry that is asked for, before it has a name
COMPARED = 100  # images of equal ids that tell whether rows were trained on


def outliers(
    run: Run,
    *,
    against: Dataset | str | Path,
    data: Dataset | str | Path | None = None,
    split: str | None = None,
    rows: int = ROWS,
    seed: int = 0,
    adapter: str | Model | None = None,
    progress: Progress = silent,
) -> Outliers:
    """Measure how well a run detects out-of-distribution data, compared with baselines without a model.

    Kept in ``outliers.json``, one entry for each other data set; an entry is recomputed when it is out of date.

    Parameters
    ----------
    run : Run
        The run, or the path of its folder.
    against : Dataset, str or Path
        The other data. Where one side is drawn light on dark and the other dark on light, these are inverted, and the
        entry says so.
    data : Dataset, str or Path, optional
        Own data; by default the test split of what the run was trained on (all of it where there is none). Where some
        of its rows were trained on, the entry says so.
    split : str, optional
        A published part of the own data.
    rows : int, default 10,000
        At most how many rows of each side, chosen by the seed.
    seed : int, default 0
        Of the rows and of the posterior samples.
    adapter : str or Model, optional
        What a run of a user's own model needs: ``FILE.py:NAME``, or the model.
    progress : callable
        Called with work done, work to do, and what is worked on.

    Returns
    -------
    Outliers
        The AUROC of each score, from 0 to 1: 0.5 is chance, 1 separates the two data sets completely.

    Raises
    ------
    InputError
        Where the run has no encoder, the two data sets differ in form, or the run needs an adapter.
    MissingError
        Where the data are not there.

    References
    ----------
    Nalisnick et al. (2019), Do Deep Generative Models Know What They Don't Know?

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import latentlab as ll
    >>> run = ll.train("digits", f"{mkdtemp()}/run", steps=2, latent_dim=2)
    >>> found = ll.outliers(run, against="digits:binarised=0", rows=50)
    >>> found.own, 0 <= found.best_baseline[1] <= 1
    ('digits', True)
    """
    from latentlab.runs.data import analysed

    STAGE.check(run)
    against = load(against)
    data = None if data is None else load(data)
    own, trained = analysed(run, data, split), _trained(run, data)
    check_form(against, own.form, f"{run.path} was trained on")
    images = [each.fingerprint["images"] for each in (own, against, trained)]
    inputs = {"own": own.source, "foreign": against.source, "of": [len(own), len(against)], "rows": rows, "seed": seed}
    inputs["matching"] = MATCHING
    inputs["fingerprint"] = dict(zip(("own", "foreign", "trained"), images, strict=True))
    model = {"model": model_hash(run)}

    def known() -> dict[str, Outliers]:
        """The entries that these weights made; the wanted one, under `THIS`, if it is of these inputs."""
        entries = dict(_entries(run, model))
        this = entries.pop(f"{own.name} against {_called(against, own.name, entries)}", None)
        held = this is not None and agree(this.get("inputs", {}), plain(inputs))
        return {**entries, **({THIS: this} if this is not None and held else {})}

    def make(missing: list[str]) -> dict[str, Outliers]:
        judged = _judged(run, own, against, trained, rows, seed, adapter, progress)
        return {THIS: Outliers.of(plain({"own": own.name, "against": against.name, **judged, "inputs": inputs}))}

    def write(entries: dict[str, Outliers]) -> None:
        """Publish under the name that is free now: another process may have written an entry since."""
        others = {key: entry for key, entry in entries.items() if key != THIS}
        called = _called(against, own.name, others)
        entries[THIS] = Outliers.of({**entries[THIS], "against": called})
        named = {**others, f"{own.name} against {called}": entries[THIS]}
        write_json(run.path / FILE, {"format": STAGE.format, **model, "entries": plain(named)})

    return collected(run, known, [THIS], make, write)[THIS]


def _judged(
    run: Run,
    own: Dataset,
    against: Dataset,
    trained: Dataset,
    rows: int,
    seed: int,
    adapter: str | Model | None,
    progress: Progress,
) -> dict[str, Any]:
    """How well each score tells the two sets apart, and what has to be known to read it."""
    from latentlab.models import load_model
    from latentlab.models.encoding import judge
    from latentlab.models.load import encoding_threads

    form = run.config.form
    kind = kind_of(form)
    turned = form.bytes and light_ground(own) != light_ground(against)
    sides = {
        "own": _some(own, rows, seed),
        "foreign": _some(inverted(against) if turned else against, rows, seed),
        "reference": _some(trained, rows, seed),
    }
    nothing, which = kind.constants(form, sides["reference"][:])
    sides["constant"] = _constant(nothing, run)
    model = load_model(run, adapter)
    judged = {}
    for number, (name, side) in enumerate(sides.items()):
        progress(number, len(sides), name)
        judged[name] = judge(model, side, seed=seed, workers=encoding_threads(run))
    trained_on = sides["reference"][:]
    plain = {name: kind.baselines(form, side[:], trained_on) for name, side in sides.items()}
    scores = {name: {**model_scores(judged[name], judged["reference"]), **plain[name]} for name in sides}
    found = detect(scores["own"], scores["foreign"], baselines=plain["own"], matched=kind.MATCHED, seed=seed)
    progress(len(sides), len(sides), "")
    return {
        "data": against.spec,
        "inverted": turned,
        "rows": [len(sides["own"]), len(sides["foreign"])],
        "own_rows_were_trained_on": _overlap(own, trained),
        "likelihood": run.config.likelihood,
        "scores": {name: each.to_json() for name, each in found.items()},
        "best_baseline": best_baseline(found)[:2],
        "beyond_baselines": list(beyond(found)),
        "matched_by": kind.MATCHED[0],
        f"constant_{form.plural}": _controls(scores, which),
    }


def _constant(samples: Samples, run: Run) -> Dataset:
    """Samples that hold nothing as a data set; a model with conditions is told their usual levels."""
    columns = () if run.config.conditions is None else run.config.conditions.columns
    usual = [float(column.levels.index(column.usual)) for column in columns]
    return Dataset(
        "constant",
        samples.shape,
        samples.__getitem__,
        factors=np.tile(usual, (len(samples), 1)) if columns else None,
        specs=tuple(Factor(column.name, "categorical", column.levels) for column in columns),
        form=run.config.form,
    )


def _trained(run: Run, data: Dataset | None) -> Dataset:
    """The rows that the run was trained on: of the data that are given where they are those, else of its own."""
    if data is not None and run.config.split in ("all", *data.splits):
        part = data.split(run.config.split)
        if part.fingerprint["images"] == run.config.fingerprint:
            return part
    return trained_rows(run)


def _called(against: Dataset, own: str, kept: dict[str, Outliers]) -> str:
    """The name of a foreign set; its specification where its name is also that of the own data or of another set."""
    entry = kept.get(f"{own} against {against.name}")
    known = against.spec if entry is None else entry.settings.get("data", against.spec)
    return against.name if known == against.spec and against.name != own else against.spec or against.name


def _overlap(own: Dataset, trained: Dataset) -> bool:
    """Whether some of the own rows are among those that were trained on: equal row ids with equal images."""
    ids, here, there = np.intersect1d(own.row_ids, trained.row_ids, return_indices=True)
    some = np.unique(np.linspace(0, len(ids) - 1, min(len(ids), COMPARED)).astype(np.int64))
    same = np.isclose(own[here[some]], trained[there[some]], rtol=0, atol=0, equal_nan=True)
    equal = same.reshape(len(some), -1).all(axis=1) if len(some) else np.zeros(1, bool)
    return bool(equal.mean() > 0.5)


def _controls(scores: dict[str, dict[str, Any]], which: dict[str, slice]) -> dict[str, dict[str, float]]:
    """AUROC of each score where every foreign sample holds nothing."""
    return {
        name: {score: areas(own, scores["constant"][score][rows])[0] for score, own in scores["own"].items()}
        for name, rows in which.items()
    }


def _some(data: Dataset, rows: int, seed: int) -> Dataset:
    if len(data) <= rows:
        return data
    return data.take(np.sort(np.random.default_rng(seed).permutation(len(data))[:rows]))


def _entries(run: Run, model: dict[str, str]) -> dict[str, Outliers]:
    """The entries of ``outliers.json`` that those weights made."""
    return (unless_damaged(lambda: load_outliers(run)) if made_from(run, STAGE, model) else None) or {}
