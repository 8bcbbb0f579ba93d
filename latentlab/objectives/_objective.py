"""What an objective is, what it returns, and the closed form that all of them share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.distributions import Normal

from latentlab.config import Frozen, validate
from latentlab.models import Model, Point
from latentlab.registry import load


@dataclass(frozen=True, slots=True)
class Terms:
    """One batch under an objective, in nats an example.

    ``loss`` () is what is minimised, β included. ``distortion`` (n,) is −log p(x|z) at one posterior sample. ``rate``
    (n, d) is KL(q ‖ p) per latent dimension, None without a posterior variance; ``centred`` (n, d) is its part ½μ²,
    which pulls the means to the centre. The rest, ½(σ² − 1 − log σ²), keeps the variances regular. The ELBO is
    −(distortion + rate), whatever β is.
    """

    loss: Tensor
    distortion: Tensor
    rate: Tensor | None = None
    centred: Tensor | None = None


class Objective(Frozen):
    """An objective and its settings. ``stochastic`` says whether the encoder gives a variance as well as a mean."""

    stochastic: ClassVar[bool] = True

    def terms(self, model: Model, x: Tensor, step: int) -> Terms:
        """The terms of images `x` (n, c, h, w) in [0, 1] at training step `step`."""
        raise NotImplementedError


def gaussian_rate(posterior: Normal | Point) -> tuple[Tensor, Tensor]:
    """KL(N(μ, σ²) ‖ N(0, 1)) per latent dimension (n, d) in nats, and its part ½μ².

    KL = ½(μ² + σ² − 1 − log σ²): Kingma and Welling (2014), appendix B. At least 0; 0 only where q is the prior.

    >>> gaussian_rate(Normal(torch.tensor([[1.0]]), torch.tensor([[1.0]])))[0]
    tensor([[0.5000]])
    """
    if isinstance(posterior, Point):
        raise TypeError("a deterministic encoder's posterior has no rate")
    mean, scale = posterior.mean, posterior.stddev
    centred = 0.5 * mean.square()
    return centred + 0.5 * (scale.square() - 1) - torch.log(scale), centred


def build_objective(settings: Mapping[str, Any]) -> Objective:
    """The objective that ``{"name": "beta-vae", "beta": 4.0}`` describes."""
    given = dict(settings)
    name = given.pop("name")
    kind = load("objectives", name).OBJECTIVE
    found: Objective = validate(kind, given, f"objective {name}")
    return found
