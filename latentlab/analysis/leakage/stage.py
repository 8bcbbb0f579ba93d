"""The leakage of runs: a reader learnt from their data, traversals decoded by each, the number kept beside the run."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from latentlab.analysis.leakage import STAGE, reader
from latentlab.analysis.leakage.measure import leakage as measured
from latentlab.analysis.leakage.reader import Reader, known_factors
from latentlab.analysis.leakage.record import save_leakage
from latentlab.data import Dataset, load
from latentlab.data.dataset import check_form
from latentlab.errors import InputError
from latentlab.results import Score, plain
from latentlab.runs.images import dataset_of
from latentlab.runs.kept import kept
from latentlab.runs.run import Run
from latentlab.runs.weights import check_model, model_hash
from latentlab.system.files import sha256
from latentlab.system.progress import Progress, silent

if TYPE_CHECKING:
    from latentlab.models import Model

ANCHORS = 16
KEPT = 2  # regressors that a process keeps: those of the data of a study, and of another


def leakage(
    run: Run,
    *,
    data: Dataset | str | Path | None = None,
    anchors: int = ANCHORS,
    seed: int = 0,
    adapter: str | Model | None = None,
    progress: Progress = silent,
) -> Score:
    """Measure by how much a run's traversals change factors that they should not; kept in ``leakage.json``.

    A regressor, trained on the data, reads the factors off the decoded traversals. A stored result of the same codes
    and data is returned, not recomputed.

    Parameters
    ----------
    run : Run
        The run, or the path of its folder.
    data : Dataset, str or Path, optional
        Samples with factors; by default what the run's codes were made from.
    anchors : int, default 16
        How many seeded rows of the codes are traversed.
    seed : int, default 0
        Seed of the rows and of the regressor.
    adapter : str or Model, optional
        What a run of a user's own model needs: ``FILE.py:NAME``, or the model.
    progress : callable
        Called with work done, work to do, and what is worked on.

    Returns
    -------
    Score
        The mean leakage of the dimensions, lower is better, with its 95 % interval; ``matrix`` (d, k) has the change of
        every factor along every dimension. NaN where a decoder changes nothing.

    Raises
    ------
    InputError
        Where the run has no decoder, fewer than two factors of the data are known, the data have another form, or the
        run needs an adapter.
    MissingError
        Where the run was not encoded.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import latentlab as ll
    >>> data = ll.data.load("dsprites", size=8, grid=(1, 1, 1, 8, 8))
    >>> run = ll.train(data, f"{mkdtemp()}/run", steps=2, latent_dim=2)
    >>> codes = ll.encode(run)
    >>> len(ll.leakage(run, anchors=2).matrix)
    2
    """
    from latentlab.models.decoding import around
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
        "anchors": min(anchors, len(codes)),
        "seed": seed,
    }
    if any(spec.kind == "circular" for spec in images.specs):
        inputs["circular"] = "angles"  # older answers read the numbers of circular values, whatever their unit

    def make() -> Score:
        """The leakage around the drawn anchors."""
        known = known_factors(images)[1]
        if len(known) == 1:
            raise InputError(
                f"{images.name} has one known factor, {known[0].name}; leakage is of one factor into another: give "
                "data with two"
            )
        model = live(run, adapter)
        progress(0, 2, "learn to read the factors")
        learned = reader_of(images, seed)
        progress(1, 2, "decode and read")
        return measured(around(model.ready(), codes, codes.drawn(anchors, seed)), learned, seed=seed)

    found: Score = kept(run, STAGE, inputs, make, lambda score: save_leakage(run, score, inputs))
    return found


def reader_of(images: Dataset, seed: int) -> Reader:
    """The regressor of these data: trained once in a process, for all runs and for all questions that read factors."""
    key = str((images.spec, images.name, plain(images.source), images.fingerprint, seed, reader.ROWS, reader.UPDATES))
    with _training:
        if key not in _learned:
            for oldest in list(_learned)[: len(_learned) - KEPT + 1]:
                del _learned[oldest]
            _learned[key] = reader.learn(images, seed=seed)
        return _learned[key]


_learned: dict[str, Reader] = {}
_training = Lock()
