"""Few-label curves of a run, computed once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from latentlab.analysis.probe import STAGE
from latentlab.analysis.probe.measure import DRAWS, ESTIMATORS, SIZES, Curve, few_label_curve
from latentlab.analysis.probe.record import FILE, Probes, load_probes
from latentlab.results import plain
from latentlab.runs.kept import collected, made_from
from latentlab.runs.run import Run
from latentlab.system.files import sha256, unless_damaged, write_json


def probe(
    run: Run,
    *,
    factor: str | None = None,
    estimators: Sequence[str] = tuple(ESTIMATORS),
    sizes: Sequence[int] = SIZES,
    draws: int = DRAWS,
    seed: int = 0,
) -> Probes:
    """Measure how well a factor can be predicted from a run's codes with few labels; kept in ``probes.json``.

    Parameters
    ----------
    run : Run
        The run, or the path of its folder.
    factor : str, optional
        The categorical or ordinal factor to predict; by default the label.
    estimators : sequence of str
        ``linear`` (logistic regression) and ``knn`` (5 neighbours), a curve each; by default both.
    sizes : sequence of int
        Labelled rows per class; by default 1, 2, 5, 10, 20, 50 and 100. What the rarest class cannot fill is left out.
    draws : int, default 10
        How often labelled rows are drawn at each size.
    seed : int, default 0
        Of the draws.

    Returns
    -------
    Probes
        The curve of each estimator: balanced accuracy in [0, 1] on held-out rows by size, higher is better.

    Raises
    ------
    InputError
        For an unknown factor or estimator, or too few rows for the sizes.
    MissingError
        Where the run was not encoded.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import latentlab as ll
    >>> run = ll.train("digits", f"{mkdtemp()}/run", steps=2, latent_dim=2)
    >>> codes = ll.encode(run)
    >>> ll.probe(run, sizes=[5], draws=2).curves["linear"].classes
    10
    """
    inputs = {
        "codes": sha256(run.codes_path) if run.has("encode") else "",
        "factor": factor,
        "sizes": list(sizes),
        "draws": draws,
        "seed": seed,
    }

    def known() -> dict[str, Curve]:
        return dict((unless_damaged(lambda: load_probes(run)) if made_from(run, STAGE, inputs) else None) or {})

    def make(missing: list[str]) -> dict[str, Curve]:
        options: dict[str, Any] = {"factor": factor, "sizes": sizes, "draws": draws, "seed": seed}
        codes = run.codes()
        return {name: few_label_curve(codes, estimator=name, **options) for name in missing}

    def write(curves: dict[str, Curve]) -> None:
        entries = {name: plain(each.to_json()) for name, each in curves.items()}
        write_json(run.path / FILE, {"format": STAGE.format, "inputs": inputs, "curves": entries})

    curves = collected(run, known, estimators, make, write)
    return Probes({name: curves[name] for name in estimators}, inputs)
