"""Which runs can be set against each other in nats: those whose likelihoods are of one kind, over the same images.

A Bernoulli likelihood of bits is a probability, a Gaussian or Laplace one a density, and a Bernoulli one of grey levels
neither. Distortions and ELBOs of different kinds, or of differently drawn bits, lie on different scales.
"""

from __future__ import annotations

from collections.abc import Iterable

from latentlab.codes import read_provenance
from latentlab.errors import InputError
from latentlab.runs import Run

DENSITIES = ("gaussian", "gaussian-learned", "gaussian-sigmoid", "laplace-sigmoid")


def scale_of(run: Run) -> str:
    """On what scale a run's distortion is measured: its kind of likelihood, and which draw of bits it judges.

    The images are those that the run's codes were made of, or that it was trained on while it has none.
    """
    source = dict(run.config.source)
    if run.has("encode"):
        source = read_provenance(run.codes_path).get("inputs", {}).get("source", source)
    kind = "density" if run.config.likelihood in DENSITIES else run.config.likelihood
    seed = source.get("binarised")
    return kind if seed is None else f"{kind}, bits of seed {seed}"


def check_comparable(runs: Iterable[Run]) -> None:
    """Raise an `InputError` where the runs' distortions lie on different scales."""
    scales: dict[str, str] = {}
    for run in runs:
        scales.setdefault(scale_of(run), run.name)
    if len(scales) > 1:
        named = " but ".join(f"{name[-40:]} {scale}" for scale, name in list(scales.items())[:2])
        raise InputError(f"likelihoods differ: {named}; their nats are on different scales: compare them apart"[:200])
