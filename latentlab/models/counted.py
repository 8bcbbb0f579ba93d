"""Likelihoods of counts: Poisson and negative binomial around a sample's library size times decoded proportions."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, register_kl
from torch.types import _size

from latentlab.data.kinds import Form

LARGEST = 20.0  # of log θ: beyond, it is a Poisson to nine digits


class Counted(Distribution):
    """p(x|z, ℓ) of counts (n, d) given their sum ℓ, the library size: means ℓ · softmax(outputs).

    ``log_prob`` takes ℓ from the counts themselves, as scVI does by default (Lopez et al., 2018). Means and draws,
    where there are no counts yet, are of ``library``, a typical size. ``log_dispersion`` (d,) is the logarithm of the
    negative binomial's inverse dispersion θ, whose variance is μ + μ²/θ; None makes it a Poisson.
    """

    has_rsample = False

    def __init__(self, outputs: Tensor, library: float, log_dispersion: Tensor | None) -> None:
        super().__init__(outputs.shape[:-1], outputs.shape[-1:], validate_args=False)
        self.log_share = torch.log_softmax(outputs, dim=-1)
        self.library, self.log_dispersion = library, log_dispersion

    @property
    def mean(self) -> Tensor:
        """Expected counts (n, d) of a sample of the typical library size."""
        return self.library * self.log_share.exp()

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-probability (n,) of counts, given their sum.

        Computed in float64 (where the device has it): large numbers cancel, of a million counts and of a dispersion
        near the Poisson's all digits of float32.
        """
        wide = torch.float32 if value.device.type == "mps" else torch.float64
        value = value.to(wide)
        log_mean = value.sum(dim=-1, keepdim=True).clamp_min(1).log() + self.log_share.to(wide)
        if self.log_dispersion is None:
            found = value * log_mean - log_mean.exp() - torch.lgamma(value + 1)
        else:
            found = _negative_binomial(value, log_mean, self.log_dispersion.to(wide).clamp_max(LARGEST))
        return found.sum(dim=-1).float()

    def sample(self, sample_shape: _size = ()) -> Tensor:
        """Draws (*sample_shape, n, d) of the typical library size."""
        with torch.no_grad():
            mean = self.mean.expand(*sample_shape, *self.mean.shape)
            if self.log_dispersion is not None:
                theta = self.log_dispersion.exp().expand_as(mean)
                mean = torch.distributions.Gamma(theta, theta / mean.clamp_min(1e-8), validate_args=False).sample()
            return torch.poisson(mean)


@register_kl(Counted, Counted)
def _kl(p: Counted, q: Counted) -> Tensor:
    """KL(p ‖ q) (n,) of samples of the typical library size, whose features have the same dispersions."""
    mean, other = p.mean, q.mean
    logs = p.log_share - q.log_share
    if p.log_dispersion is None:
        return (mean * logs - mean + other).sum(dim=-1)
    theta = p.log_dispersion.exp()
    ratio = torch.log((theta + other) / (theta + mean))
    return (theta * ratio + mean * (logs + ratio)).sum(dim=-1)


def _negative_binomial(value: Tensor, log_mean: Tensor, log_theta: Tensor) -> Tensor:
    """The logarithm of the negative binomial's probabilities, mean μ and variance μ + μ²/θ."""
    theta = log_theta.exp()
    ratio = log_mean - log_theta  # log(μ/θ)
    found = torch.lgamma(value + theta) - torch.lgamma(theta) - torch.lgamma(value + 1)
    return found - theta * nn.functional.softplus(ratio) - value * nn.functional.softplus(-ratio)


class CountLikelihood(nn.Module):
    """Counts around the library size times the softmax of the outputs; with ``dispersed``, one dispersion a feature."""

    def __init__(self, form: Form, *, dispersed: bool) -> None:
        super().__init__()
        self.library = form.library
        self.log_dispersion = nn.Parameter(torch.zeros(form.shape[0])) if dispersed else None

    def forward(self, outputs: Tensor) -> Distribution:
        """p(x|z) with the sample as one event."""
        return Counted(outputs, self.library, self.log_dispersion)
