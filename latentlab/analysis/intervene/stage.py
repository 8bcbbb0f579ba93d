"""Interventions on the codes of runs: a reader learnt from their data, swaps decoded by each, kept beside the run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.analysis.intervene import STAGE
from latentlab.analysis.intervene.ablate import ablations
from latentlab.analysis.intervene.measure import PAIRS, complete_rows, experiment, interventions, single_causes
from latentlab.analysis.intervene.record import Interventions, save_interventions
from latentlab.analysis.leakage.measure import READABLE
from latentlab.analysis.leakage.reader import Reader, embed, known_factors
from latentlab.analysis.leakage.stage import reader_of
from latentlab.codes.codes import Codes, located
from latentlab.codes.dimensions import knowledge
from latentlab.data import Dataset, load
from latentlab.data.dataset import check_form
from latentlab.errors import InputError
from latentlab.results import plain
from latentlab.runs.images import dataset_of
from latentlab.runs.kept import kept
from latentlab.runs.run import Run
from latentlab.runs.weights import check_model, model_hash
from latentlab.system.files import sha256
from latentlab.system.progress import Progress, silent

if TYPE_CHECKING:
    from latentlab.models import Model
    from latentlab.models.live import Live


def intervene(
    run: Run,
    *,
    data: Dataset | str | Path | None = None,
    pairs: int = PAIRS,
    seed: int = 0,
    adapter: str | Model | None = None,
    progress: Progress = silent,
) -> Interventions:
    """Find the part of the code that carries each factor, by swapping it between rows; kept in ``interventions.json``.

    A part of a row's code is replaced by that of a donor row and decoded. A regressor, trained on the data, reads the
    factors off the decoded sample. A stored result of the same codes and data is returned, not recomputed.

    Parameters
    ----------
    run : Run
        The run, or the path of its folder.
    data : Dataset, str or Path, optional
        The samples of the codes, with factors; by default what the run's codes were made from.
    pairs : int, default 256
        At most how many pairs of rows are used to choose the part, and as many to test it; twice as many are used for
        the reported numbers. No row occurs twice.
    seed : int, default 0
        Seed of the pairs and of the regressor.
    adapter : str or Model, optional
        What a run of a user's own model needs: ``FILE.py:NAME``, or the model.
    progress : callable
        Called with work done, work to do, and what is worked on.

    Returns
    -------
    Interventions
        For each factor the smallest part of the code found that changes it, with cause and isolation in
        [0, 1], 1 is best, and their 95 % intervals, and for each dimension what its ablation costs.

    Raises
    ------
    InputError
        Where the run has no decoder, the data have no factors, no factor can be read, fewer than 128 rows have all
        factors known, or the run needs an adapter.
    MissingError
        Where the run was not encoded.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import latentlab as ll
    >>> data = ll.data.load("dsprites", size=8, grid=(1, 1, 1, 12, 12))
    >>> run = ll.train(data, f"{mkdtemp()}/run", steps=2, latent_dim=2)
    >>> codes = ll.encode(run)
    >>> ll.intervene(run).to_frame()["factor"].tolist()
    ['x position', 'y position']
    """
    from latentlab.models.live import live

    check_model(run)
    STAGE.check(run)
    codes, images = run.codes(), dataset_of(run) if data is None else load(data)
    check_form(images, run.config.form, f"{run.name} makes")
    inputs = {
        "model": model_hash(run),
        "codes": sha256(run.codes_path),
        "data": plain(images.source),
        "fingerprint": images.fingerprint,
        "pairs": pairs,
        "seed": seed,
    }

    def make() -> Interventions:
        """What the swaps and the ablations show."""
        places = _places(codes, images)
        complete_rows(known_factors(images)[0][places])
        model = live(run, adapter)
        progress(0, 2, "learn to read the factors")
        reader = reader_of(images, seed)
        progress(1, 2, "swap, decode and read")
        return _measured(model, codes, images, places, reader, pairs, seed)

    found: Interventions = kept(run, STAGE, inputs, make, lambda each: save_interventions(run, each, inputs))
    return found


def _measured(
    live: Live, codes: Codes, images: Dataset, places: NDArray[np.int64], reader: Reader, pairs: int, seed: int
) -> Interventions:
    from latentlab.analysis.intervene.compute import Decoder
    from latentlab.models.conditions import told_of

    scales, kept_scales = reader.scales, _readable(reader)
    model = live.ready()
    decoder = Decoder(model, images, places, reader, kept_scales, told_of(model, images))
    columns = known_factors(images)[0][places]
    mean, dims, read = codes.mean.astype(np.float64), np.flatnonzero(codes.active), [scales[k] for k in kept_scales]
    trial = experiment(mean, columns, read, decoder.read, dims=dims, pairs=pairs, seed=seed)
    rows = trial.reporting.rows
    stochastic = codes.variance is not None
    cost = ablations(
        mean[rows],
        [embed(columns[rows], scale) for scale in read],
        rows,
        decoder.judge,
        read,
        dims=dims,
        centre=np.zeros(len(mean.T)) if stochastic else mean.mean(axis=0),
        shares=trial.reporting.shares,
    )
    gaps, tops = _gaps(codes, [scale.spec.name for scale in read])
    return Interventions(
        tuple(interventions(trial)),
        tuple(cost),
        tuple(map(tuple, single_causes(trial).tolist())),
        gaps,
        tops,
        {
            "pairs": len(trial.choosing.rows),
            "reported_pairs": len(rows),
            "seed": seed,
            "dims": dims.tolist(),
            "r2": {scale.spec.name: round(scale.r2, 4) for scale in read},
            "left_out": {s.spec.name: round(s.r2, 4) for k, s in enumerate(scales) if k not in kept_scales},
            "read_from": f"{reader.rows} {images.form.plural} of {reader.data}",
            "ablated_to": "0, the mean of the prior" if stochastic else "the mean of the codes",
        },
    )


def _places(codes: Codes, images: Dataset) -> NDArray[np.int64]:
    """Where the rows of the codes stand in the data."""
    places = located(images.row_ids, codes.row_ids)
    if places is None:
        raise InputError(f"{images.name} does not have all rows of the codes; give the data that were encoded")
    return places


def _readable(reader: Reader) -> list[int]:
    """Which factors are read with an R² of at least 0.5."""
    found = [k for k, scale in enumerate(reader.scales) if scale.r2 >= READABLE]
    if not found:
        said = ", ".join(f"{scale.spec.name} (R² {scale.r2:.2f})" for scale in reader.scales)
        raise InputError(f"no factor of {reader.data} can be read off its samples with R² ≥ {READABLE}: {said}"[:200])
    return found


def _gaps(codes: Codes, names: list[str]) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """The mutual information gap of each factor, and the dimension that has the most information about it."""
    known = knowledge(codes)
    columns: Any = known.plain[:, [known.factors.index(name) for name in names]]
    ranked = np.sort(np.concatenate([np.zeros((1, len(names))), columns]), axis=0)
    return tuple((ranked[-1] - ranked[-2]).tolist()), tuple(columns.argmax(axis=0).tolist())
