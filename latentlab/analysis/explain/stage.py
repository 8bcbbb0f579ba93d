"""The effects of a run's dimensions, computed once and kept in ``effects.h5``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latentlab.analysis.explain import STAGE
from latentlab.analysis.explain.record import FILE, Effects, save_effects
from latentlab.runs.kept import kept
from latentlab.runs.run import Run
from latentlab.runs.weights import model_hash
from latentlab.system.files import sha256

if TYPE_CHECKING:
    from latentlab.models import Model


def explain(
    run: Run,
    *,
    rows: int | None = None,
    steps: int | None = None,
    seed: int = 0,
    adapter: str | Model | None = None,
) -> Effects:
    """Measure what each latent dimension changes in a sample; kept in ``effects.h5``, recomputed when out of date.

    Parameters
    ----------
    run : Run
        The run, or the path of its folder.
    rows : int, optional
        How many rows of the codes the dimensions are moved around.
    steps : int, optional
        How many values each dimension takes.
    seed : int, default 0
        Of the rows.
    adapter : str or Model, optional
        What a run of a user's own model needs: ``FILE.py:NAME``, or the model.

    Returns
    -------
    Effects
        What each of d dimensions changes around those codes, per standard deviation of the code.

    Raises
    ------
    InputError
        Where the run has no decoder, or needs an adapter.
    MissingError
        Where the run was not encoded.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import latentlab as ll
    >>> run = ll.train("digits", f"{mkdtemp()}/run", steps=2, latent_dim=2)
    >>> codes = ll.encode(run)
    >>> ll.explain(run, rows=2, steps=3).local.shape
    (2, 8, 8)
    """
    from latentlab.analysis.explain.compute import ROWS as AROUND
    from latentlab.analysis.explain.compute import STEPS, measure
    from latentlab.models import load_model

    STAGE.check(run)
    settings: dict[str, int] = {"rows": rows or AROUND, "steps": steps or STEPS, "seed": seed}
    codes = run.codes()
    inputs = {"model": model_hash(run), "codes": sha256(run.codes_path), **settings}
    return kept(
        run,
        STAGE,
        inputs,
        lambda: measure(load_model(run, adapter), codes, **settings),
        lambda effects: save_effects(run.path / FILE, effects, inputs),
    )
